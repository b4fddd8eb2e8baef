package wire

import (
	"net/url"
	"strings"
)

// OfURL returns the route of a URL, false if it is not relayed. Its prefix has
// to stand there as it was sent, since an upstream's base URL takes its place.
// Behind it an escape does not hide what is asked for: upstreams decode it. Nor
// does what some servers overlook: an empty segment, a slash at the end, another
// case, and parameters behind a semicolon.
func OfURL(u *url.URL) (Route, bool) {
	r, found := Of(u.EscapedPath())
	if !found || r.Kind != Other && r.Kind != Models {
		return r, found
	}
	if u.RawPath != "" {
		r, found = Of(u.Path)
	}
	if found && r.Kind == Other {
		if same, _ := Of(loose(u.Path)); same.Kind != Other && same.Kind != Models {
			return same, true
		}
	}
	return r, found
}

// loose returns a path as servers read it that take it as loosely as any does.
// Gemini's verbs keep their case.
func loose(path string) string {
	if plain(path) {
		return path
	}
	var b strings.Builder
	for segment := range strings.SplitSeq(path, "/") {
		if segment, _, _ = strings.Cut(segment, ";"); segment == "" {
			continue
		}
		if !strings.Contains(segment, ":") {
			segment = strings.ToLower(segment)
		}
		b.WriteString("/" + segment)
	}
	return b.String()
}

// plain reports whether there is nothing in a path to be read loosely, as in
// nearly all.
func plain(path string) bool {
	for i := range len(path) {
		switch c := path[i]; {
		case c >= 'A' && c <= 'Z' || c == ';':
			return false
		case c == '/' && (i+1 == len(path) || path[i+1] == '/'):
			return false
		}
	}
	return true
}
