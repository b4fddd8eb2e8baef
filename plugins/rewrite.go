package plugins

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// An Edit is a change of what is asked. Its zero value changes nothing.
type Edit struct {
	// Model takes the place of the model, wherever the request names it: in the
	// body, the path or the query. "" leaves it.
	Model string

	// IncludeUsage has a stream of chat or completions end with its usage, by
	// stream_options.include_usage.
	IncludeUsage bool
}

// CanIncludeUsage reports whether [Ask.Rewrite] can have the answer end with
// its usage: a stream is asked for, which does not end with it yet, in a body
// of JSON that was seen whole, and no reader could see stream_options where the
// others do not.
func (a Ask) CanIncludeUsage() bool {
	return a.Stream && !a.IncludeUsage && a.usageAs != usageNowhere && a.Doubt(FieldStream|fieldUsage) == nil
}

// Rewrite returns a copy of req, of which a was read, with the edit made, or
// req itself if there is nothing to change. Every other byte of the body stays
// as it is. The body may be one that passes once: it is changed while it
// passes, and again each time that it is read again.
//
// A model that is named nowhere has no place and is left out, as is
// IncludeUsage where [Ask.CanIncludeUsage] says that it cannot be. It returns
// [ErrAmbiguousBody] if Model shall change and is in doubt: one of two readers
// would see the old one. That the end of a long body is unseen is no doubt if
// its beginning names the model.
func (a Ask) Rewrite(req *http.Request, e Edit) (*http.Request, error) {
	r := rewriting{ask: a, req: req}
	if e.Model != "" && e.Model != a.Model && a.Model != "" {
		if err := a.ModelDoubt(); err != nil {
			return nil, err
		}
		if err := r.setModel(e.Model); err != nil {
			return nil, err
		}
	}
	if e.IncludeUsage && a.CanIncludeUsage() {
		r.patch(a.usage, a.usageAs.text())
	}
	if len(r.patches) == 0 && r.url == nil {
		return req, nil
	}
	return r.copy(), nil
}

// A rewriting is a request that is about to be changed.
type rewriting struct {
	ask     Ask
	req     *http.Request
	url     *url.URL // if it changes
	patches []patch  // of the body
}

// setModel puts the model into every place that names one.
func (r *rewriting) setModel(model string) error {
	if err := r.setBodyModel(model); err != nil {
		return err
	}
	p := findPath(r.req.Method, r.req.URL)
	_, found, sure := queryModel(r.req.URL.RawQuery)
	if p.model == "" && !found {
		return nil
	}
	u := *r.req.URL
	if p.model != "" {
		p.replace(&u, model)
	}
	if found && sure {
		u.RawQuery = replaceQuery(u.RawQuery, model)
	}
	r.url = &u
	return nil
}

// setBodyModel puts the model into the body, if the body names one.
func (r *rewriting) setBodyModel(model string) error {
	if !r.ask.model.there() {
		return nil
	}
	if r.ask.resource {
		model = resource(model)
	}
	if !r.ask.form {
		text, err := json.Marshal(model)
		r.patch(r.ask.model, string(text))
		return err
	}
	// The boundary of a form is a line, which begins with two dashes.
	if strings.HasPrefix(model, "--") || strings.ContainsFunc(model, control) {
		return errors.New("the model to ask for cannot stand in a form")
	}
	r.patch(r.ask.model, model)
	return nil
}

// patch has text take the place of a span of the body.
func (r *rewriting) patch(at span, text string) {
	if r.req.Body == nil || r.req.Body == http.NoBody {
		return
	}
	if r.patches == nil {
		r.patches = make([]patch, 0, 2) // there are no more
	}
	r.patches = append(r.patches, patch{int64(at.from), int64(at.to), text})
}

// copy returns the request with the changes made.
func (r *rewriting) copy() *http.Request {
	out := r.req.WithContext(r.req.Context())
	if r.url != nil {
		out.URL = r.url
	}
	if len(r.patches) == 0 {
		return out
	}
	slices.SortFunc(r.patches, func(a, b patch) int { return int(a.from - b.from) })
	s := &splice{patches: r.patches, again: r.req.GetBody}
	out.Body = s.wrap(r.req.Body)
	if s.again != nil {
		out.GetBody = s.GetBody
	}
	if out.ContentLength > 0 {
		out.ContentLength += s.grows()
	}
	out.Header = bodyHeader(out)
	return out
}

// bodyHeader returns the header of a request whose body has been changed: its
// length is another, and a digest of the former is none of it.
func bodyHeader(req *http.Request) http.Header {
	h := req.Header
	digests := [...]string{"Content-Digest", "Repr-Digest", "Digest", "Content-Md5"}
	if h["Content-Length"] == nil && !slices.ContainsFunc(digests[:], func(name string) bool { return h[name] != nil }) {
		return h
	}
	h = h.Clone()
	for _, name := range digests {
		delete(h, name)
	}
	if h["Content-Length"] != nil {
		h["Content-Length"] = []string{strconv.FormatInt(req.ContentLength, 10)}
	}
	if req.ContentLength <= 0 {
		delete(h, "Content-Length")
	}
	return h
}
