package upstream

import (
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/holysheep/relay/plugins"
	"github.com/holysheep/relay/plugins/plugintest"
)

// newPool returns a pool of the upstreams; environ holds their keys.
func newPool(t *testing.T, environ map[string]string, settings map[string]Settings) *Pool {
	t.Helper()
	p, err := New(Config{Upstreams: settings, Health: HealthDefaults()}, plugintest.Env(t, environ))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// settings returns the defaults for an upstream at url, changed by change.
func settings(url string, change func(*Settings)) Settings {
	s := Defaults()
	s.BaseURL = url
	if change != nil {
		change(&s)
	}
	return s
}

func TestTheRequestIsAddressedToTheUpstream(t *testing.T) {
	tests := []struct{ name, base, url, want string }{
		{"the base's path takes the place of /v1", "/api/v3", "/v1/chat/completions", "/api/v3/chat/completions"},
		{"a last slash of the base is none", "/v1/", "/v1/models", "/v1/models"},
		{"a base without a path", "", "/v1/models", "/models"},
		{"an escaped slash stays escaped", "/v1", "/v1/files/a%2Fb", "/v1/files/a%2Fb"},
		{"an escaped base stays escaped", "/a%2Fb/v1", "/v1/x%20y", "/a%2Fb/v1/x%20y"},
		{"only the first /v1 is taken away", "/v2", "/v1/v1/x", "/v2/v1/x"},
		{"the query stays as it is", "/v1", "/v1/x?b=%zz&a", "/v1/x?b=%zz&a"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var got *http.Request
			up := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { got = r }))
			defer up.Close()
			p := newPool(t, map[string]string{"KEY": "secret"}, map[string]Settings{
				"one": settings(up.URL+tt.base, func(s *Settings) { s.APIKeyEnv = "KEY" }),
			})
			req := plugintest.Request(t, `{}`)
			req.URL, _ = req.URL.Parse(tt.url)
			before := req.Header.Clone()
			res, err := p.RoundTrip(req)
			if err != nil {
				t.Fatal(err)
			}
			_ = res.Body.Close()
			if got.RequestURI != tt.want || "http://"+got.Host != up.URL {
				t.Errorf("asked %s of %s, want %s", got.RequestURI, got.Host, tt.want)
			}
			if auth := got.Header.Get("Authorization"); auth != "Bearer secret" {
				t.Errorf("Authorization = %q, want the upstream's key", auth)
			}
			if len(req.Header) != len(before) || req.URL.Host != "" {
				t.Errorf("the chain's request was changed: %q %q", req.URL, req.Header)
			}
		})
	}
}

func TestTheUpstreamsKeyStaysHidden(t *testing.T) {
	const key = "sk-very-secret"
	up := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("X-Debug", "used "+key)
		w.WriteHeader(http.StatusForbidden)
		_, _ = io.WriteString(w, `{"error":"key `+key+` may not"}`)
	}))
	defer up.Close()
	p := newPool(t, map[string]string{"KEY": key}, map[string]Settings{
		"one": settings(up.URL, func(s *Settings) { s.APIKeyEnv = "KEY" }),
	})
	res, err := p.RoundTrip(plugintest.Request(t, `{}`))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	body, err := io.ReadAll(res.Body)
	if err != nil || strings.Contains(string(body), key) || int64(len(body)) != res.ContentLength {
		t.Errorf("body %q of length %d, %v, want the key hidden and the length kept", body, res.ContentLength, err)
	}
	if res.Header.Get("X-Debug") != "" {
		t.Errorf("header %q passed", res.Header.Get("X-Debug"))
	}
}

func TestALongErrorPassesWhole(t *testing.T) {
	want := strings.Repeat("x", errorBytes+1000)
	up := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusInternalServerError)
		_, _ = io.WriteString(w, want)
	}))
	defer up.Close()
	p := newPool(t, map[string]string{"KEY": "k"}, map[string]Settings{"one": settings(up.URL, func(s *Settings) { s.APIKeyEnv = "KEY" })})
	res, err := p.RoundTrip(plugintest.Request(t, `{}`))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	if got, err := io.ReadAll(res.Body); string(got) != want || err != nil {
		t.Errorf("%d bytes, %v, want %d", len(got), err, len(want))
	}
}

func TestARefusedKeyIsTheRelaysFault(t *testing.T) {
	up := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusUnauthorized)
	}))
	defer up.Close()
	p := newPool(t, nil, map[string]Settings{"one": settings(up.URL, nil)})
	if res, err := p.RoundTrip(plugintest.Request(t, `{}`)); !errors.Is(err, ErrKey) {
		t.Errorf("got %v, %v, want %v", res, err, ErrKey)
	}
}

func TestADeadUpstreamIsNamedInTheError(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = l.Close()
	p := newPool(t, nil, map[string]Settings{"one": settings("http://"+l.Addr().String(), nil)})
	_, err = p.RoundTrip(plugintest.Request(t, `{}`))
	if _, ok := plugins.AsError(err); ok || err == nil || !strings.HasPrefix(err.Error(), "upstream one: ") {
		t.Errorf("err = %v, want one that names the upstream and is no answer", err)
	}
}

func TestProblemsAreReportedAtOnce(t *testing.T) {
	_, err := New(Config{Upstreams: map[string]Settings{
		"a": settings("http://a/v1", func(s *Settings) { s.APIKeyEnv = "NOT_SET" }),
		"b": settings("http://b/v1", func(s *Settings) { s.APIKeyFile = "/does/not/exist" }),
	}}, plugintest.Env(t, nil))
	for _, want := range []string{"upstreams.a.api_key_env: NOT_SET", "NOT_SET", "upstreams.b.api_key_file: ", "/does/not/exist"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("err = %v, want it to name %s", err, want)
		}
	}
	if _, err := New(Config{}, plugintest.Env(t, nil)); !errors.Is(err, ErrNoUpstream) {
		t.Errorf("no upstream: %v, want %v", err, ErrNoUpstream)
	}
}
