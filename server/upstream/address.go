package upstream

import (
	"context"
	"net/http"
	"net/textproto"
	"strings"

	"github.com/holysheep/relay/plugins"
)

// edit returns req with the model as the upstream calls it, and with whatever
// else must be asked for in other words.
func (a *asking) edit(req *http.Request) (*http.Request, error) {
	if e := a.changes(req); e != (plugins.Edit{}) {
		return a.call.Ask().Rewrite(req, e)
	}
	return req, nil
}

// changes returns what is to be edited. What is asked is read only where
// somebody wants to know.
func (a *asking) changes(req *http.Request) plugins.Edit {
	a.added = a.wantsUsage(req)
	e := plugins.Edit{IncludeUsage: a.added}
	if a.model == "" {
		return e
	}
	if name := a.member.called(a.model); name != a.call.Ask().Model {
		e.Model = name
	}
	return e
}

// called returns what the upstream calls the model.
func (m *member) called(model string) string {
	if name, found := m.set.Rewrite[model]; found {
		return name
	}
	return model
}

// address returns a copy of req, with the given context, that goes to the
// chosen upstream, with its key in place of the client's. What the client asks
// under the prefix of its route is asked under the base URL.
func (a *asking) address(ctx context.Context, req *http.Request) *http.Request {
	m := a.member
	out := req.WithContext(a.key.unseen(ctx))
	u := *req.URL
	u.Scheme, u.Host = m.base.Scheme, m.base.Host
	u.Path = m.base.Path + strings.TrimPrefix(req.URL.Path, a.route.Prefix)
	if u.RawPath != "" || m.base.RawPath != "" {
		u.RawPath = m.base.EscapedPath() + strings.TrimPrefix(req.URL.EscapedPath(), a.route.Prefix)
	}
	out.URL, out.Host, out.Header = &u, "", req.Header.Clone()
	out.Header.Del(FallbackHeader)
	for _, h := range m.headers {
		out.Header[h.name] = h.values
	}
	if a.key.secret != "" {
		authorize(m.set.style(a.route.Wire), a.key.secret, out.Header, &u)
	}
	return out
}

// A header is one that every request to an upstream carries.
type header struct {
	name   string // in its canonical form
	values []string
}

// headers returns those of the settings.
func (s Settings) headers() []header {
	all := make([]header, 0, len(s.Headers))
	for name, value := range s.Headers {
		all = append(all, header{textproto.CanonicalMIMEHeaderKey(name), []string{value}})
	}
	return all
}
