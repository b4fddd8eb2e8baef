package upstream

import (
	"net/http"
	"strings"
)

// address returns a copy of req that goes to the chosen upstream, with its key
// in place of the client's. What the client asks under /v1 is asked under the
// base URL.
func (a *asking) address(req *http.Request) *http.Request {
	m := a.member
	out := req.WithContext(unseen(req.Context(), a.key.secret))
	u := *req.URL
	u.Scheme, u.Host = m.base.Scheme, m.base.Host
	u.Path = m.base.Path + strings.TrimPrefix(req.URL.Path, a.route.Prefix)
	if u.RawPath != "" || m.base.RawPath != "" {
		u.RawPath = m.base.EscapedPath() + strings.TrimPrefix(req.URL.EscapedPath(), a.route.Prefix)
	}
	out.URL, out.Host, out.Header = &u, "", req.Header.Clone()
	if a.key.secret != "" {
		out.Header.Set("Authorization", "Bearer "+a.key.secret)
	}
	return out
}
