package plugins

import (
	"net/url"
	"strings"
)

// resource returns a model as Gemini's API names resources.
func resource(model string) string {
	if strings.HasPrefix(model, geminiTuned) {
		return model
	}
	return geminiModels + model
}

// replace puts a model into u in the place of p.
func (p pathModel) replace(u *url.URL, model string) {
	before, after := p.before, p.after
	if u.RawPath == "" { // cut from the path as it is when decoded
		before, after = escapePath(before), escapePath(after)
	}
	collection := ""
	if p.gemini {
		collection = geminiModels
		if rest, tuned := strings.CutPrefix(model, geminiTuned); tuned {
			collection, model = geminiTuned, rest
		}
	}
	raw := before + collection + url.PathEscape(model) + after
	if path, err := url.PathUnescape(raw); err == nil {
		u.Path, u.RawPath = path, raw
	}
	if escapePath(u.Path) == raw {
		u.RawPath = ""
	}
}

// escapePath returns a path escaped as by default.
func escapePath(path string) string { return (&url.URL{Path: path}).EscapedPath() }

// replaceQuery puts a model in the place of that which a query names, once.
func replaceQuery(raw, model string) string {
	at := 0
	for piece := range strings.SplitSeq(raw, "&") {
		if key, _, _ := cutPair(piece); key == "model" {
			name, _, _ := strings.Cut(piece, "=")
			return raw[:at] + name + "=" + url.QueryEscape(model) + raw[at+len(piece):]
		}
		at += len(piece) + 1
	}
	return raw
}
