package upstream

import (
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
)

// A proxy passes requests on: those to http as they are, and those to https as
// bytes, in a tunnel.
type proxy struct {
	*httptest.Server
	forwarded, tunnels atomic.Int64
}

func newProxy(t *testing.T) *proxy {
	t.Helper()
	p := &proxy{}
	p.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodConnect {
			p.tunnels.Add(1)
			p.tunnel(w, r)
			return
		}
		p.forwarded.Add(1)
		r.RequestURI = ""
		res, err := http.DefaultTransport.RoundTrip(r)
		if err != nil {
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		defer func() { _ = res.Body.Close() }()
		w.WriteHeader(res.StatusCode)
		_, _ = io.Copy(w, res.Body)
	}))
	t.Cleanup(p.Close)
	return p
}

func (p *proxy) tunnel(w http.ResponseWriter, r *http.Request) {
	out, err := net.Dial("tcp", r.Host)
	if err != nil {
		w.WriteHeader(http.StatusBadGateway)
		return
	}
	defer func() { _ = out.Close() }()
	in, _, err := w.(http.Hijacker).Hijack()
	if err != nil {
		return
	}
	defer func() { _ = in.Close() }()
	_, _ = io.WriteString(in, "HTTP/1.1 200 OK\r\n\r\n")
	go func() { _, _ = io.Copy(out, in) }()
	_, _ = io.Copy(in, out)
}

func TestAnUpstreamIsReachedThroughItsProxy(t *testing.T) {
	dir := t.TempDir()
	ca := newAuthority(t, dir, "ca")
	ca.issue(t, dir, "relay")
	tests := []struct {
		name               string
		tls, without       bool
		forwarded, tunnels int64
	}{
		{"by http", false, false, 1, 0},
		{"by https", true, false, 0, 1},
		{"by http without one", false, true, 0, 0},
		{"by https without one", true, true, 0, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			via := newProxy(t)
			up := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "fine") }))
			defer up.Close()
			if tt.tls {
				up = ca.strict(t, dir)
			}
			p := newPool(t, nil, map[string]Settings{"one": settings(up.URL, func(s *Settings) {
				if s.Proxy = via.URL; tt.without {
					s.Proxy = noProxy
				}
				if tt.tls {
					s.CAFile, s.CertFile, s.KeyFile = ca.file, filepath.Join(dir, "relay.crt"), filepath.Join(dir, "relay.key")
				}
			})})
			got, err := get(t, p)
			if want := map[bool]string{false: "fine", true: "HTTP/2.0 relay"}[tt.tls]; got != want || err != nil {
				t.Errorf("got %q, %v, want %q", got, err, want)
			}
			if via.forwarded.Load() != tt.forwarded || via.tunnels.Load() != tt.tunnels {
				t.Errorf("%d forwarded, %d tunnels, want %d and %d", via.forwarded.Load(), via.tunnels.Load(), tt.forwarded, tt.tunnels)
			}
			_ = p.members[0].client.(*conns).Close()
		})
	}
}

// Nothing that goes wrong on the way to an upstream tells the key, wherever it
// stands in the request.
func TestNoErrorTellsTheKey(t *testing.T) {
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = closed.Close()
	gone := closed.Addr().String()
	raw := func(answer string) string {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = l.Close() })
		go func() {
			for {
				c, err := l.Accept()
				if err != nil {
					return
				}
				_, _ = c.Read(make([]byte, 4096))
				_, _ = io.WriteString(c, answer)
				_ = c.Close()
			}
		}()
		return l.Addr().String()
	}
	tests := []struct{ name, url, proxy string }{
		{"nobody there", "http://" + gone, noProxy},
		{"no such proxy", "http://127.0.0.1:1", "http://" + gone},
		{"no such proxy for a tunnel", "https://127.0.0.1:1", "http://" + gone},
		{"no such socks", "http://127.0.0.1:1", "socks5://" + gone},
		{"a proxy that refuses", "https://127.0.0.1:1", "http://" + raw("HTTP/1.1 407 "+canary+"\r\nContent-Length: 0\r\n\r\n")},
		{"no TLS", "https://" + raw("HTTP/1.1 200 OK\r\n\r\n"), noProxy},
		{"no HTTP", "http://" + raw("I know "+canary+"\r\n"), noProxy},
		{"a header that is none", "http://" + raw("HTTP/1.1 200 OK\r\n"+canary+"\r\n\r\n"), noProxy},
		{"a status that is none", "http://" + raw("HTTP/1.1 "+canary+"\r\n\r\n"), noProxy},
		{"a hang-up", "http://" + raw(""), noProxy},
	}
	for _, tt := range tests {
		for _, style := range []string{authBearer, authAnthropic, authQuery} {
			t.Run(tt.name+" by "+style, func(t *testing.T) {
				p := newPool(t, map[string]string{"KEY": canary}, map[string]Settings{"one": settings(tt.url, func(s *Settings) {
					s.APIKeyEnv, s.Auth, s.Proxy = "KEY", style, tt.proxy
				})})
				got, err := get(t, p)
				if err == nil {
					t.Fatalf("got %q, want an error", got)
				}
				if strings.Contains(err.Error(), canary) {
					t.Errorf("the error tells the key: %v", err)
				}
			})
		}
	}
}
