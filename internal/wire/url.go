package wire

import "net/url"

// OfURL returns the route of a URL, false if it is not relayed. Its prefix has
// to stand there as it was sent, since an upstream's base URL takes its place.
// Behind it an escape does not hide what is asked for: upstreams decode it.
func OfURL(u *url.URL) (Route, bool) {
	r, found := Of(u.EscapedPath())
	if !found || r.Kind != Other && r.Kind != Models || u.RawPath == "" {
		return r, found
	}
	return Of(u.Path)
}
