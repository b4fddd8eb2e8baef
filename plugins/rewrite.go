package plugins

import "net/http"

// An Edit is a change of what is asked. Its zero value changes nothing.
type Edit struct {
	// Model takes the place of the model, wherever the request names it: in the
	// body, the path or the query. "" leaves it.
	Model string

	// IncludeUsage has a stream of chat or completions end with its usage, by
	// stream_options.include_usage.
	IncludeUsage bool
}

// Rewrite returns a copy of req, of which a was read, with the edit made. Every
// other byte of the body stays as it is. The body may be one that passes once.
func (a Ask) Rewrite(req *http.Request, e Edit) (*http.Request, error) {
	return req, nil
}
