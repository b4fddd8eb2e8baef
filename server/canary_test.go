package server

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/labstack/echo/v4"

	"github.com/holysheep/relay/internal/credential"
	"github.com/holysheep/relay/internal/demo"
	"github.com/holysheep/relay/internal/redistest"
	"github.com/holysheep/relay/plugins"
)

// What is secret in these tests, beside clientKey and upstreamKey. A key of a
// stranger is secret too: it may be good somewhere else.
const (
	redisPassword = "redis-canary-0123456789abcdefghijklmnop"
	strangerKey   = "sk-hs-stranger-canary-0123456789abcdefghijklmnop"
	narrowKey     = "sk-hs-narrow-canary-0123456789abcdefghijklmnop"
	adminToken    = "admin-canary-0123456789abcdefghijklmnop"
)

// markers are the parts of the secrets that stand nowhere else.
func markers() []string {
	return []string{"test-client-key", "upstream-canary", "redis-canary", "stranger-canary", "narrow-canary", "admin-canary"}
}

// checkSecrets reports every secret that stands in text.
func checkSecrets(t testing.TB, where, text string) {
	t.Helper()
	for _, marker := range markers() {
		if i := strings.Index(text, marker); i >= 0 {
			t.Errorf("%s: a secret: …%s", where, text[max(i-100, 0):min(i+len(marker)+40, len(text))])
		}
	}
}

// A noSettings is what a plugin without settings has.
type noSettings struct{}

func (noSettings) Validate() error { return nil }

var errPanics = errors.New("a panic's error")

// panics is a plugin that panics with all that it can see, where the request's
// header X-Panic says.
func panics() plugins.Plugin {
	cry := func(req *http.Request, where string) {
		if req.Header.Get("X-Panic") == where {
			panic("panic in " + where + " with " + strings.Join(req.Header["Authorization"], " ") + req.URL.String())
		}
	}
	return plugins.Define("panics", func() noSettings { return noSettings{} }, func(noSettings, plugins.Env) (plugins.Link, error) {
		return plugins.Link{
			Serve: func(next echo.HandlerFunc) echo.HandlerFunc {
				return func(c echo.Context) error {
					cry(c.Request(), "serve")
					return next(c)
				}
			},
			Fetch: func(next http.RoundTripper) http.RoundTripper {
				return roundTrip(func(req *http.Request) (*http.Response, error) {
					cry(req, "fetch")
					res, err := next.RoundTrip(req)
					if err == nil && req.Header.Get("X-Panic") == "body" {
						res.Body = panicBody{res.Body}
					}
					return res, err
				})
			},
		}, nil
	})
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }

// A panicBody panics when it is read.
type panicBody struct{ io.Closer }

func (panicBody) Read([]byte) (int, error) { panic(errPanics) }

// planted is a configuration in which every secret has its place.
const planted = `
log: {level: debug}
admin_token_env: CANARY_ADMIN
redis: {addresses: ["STORE"], password_env: CANARY_REDIS}
max_body: 4KiB
max_replay: 2KiB
request_timeout: 2s
cors: {origins: ["https://page.example"]}
chain: [auth, panics, limit, cache, retry]
plugins:
  auth:
    clients:
      tester: {keys: {one: {sha256: HASH}}}
      narrow: {models: [demo-narrow], keys: {one: {sha256: NARROW}}}
  limit: {rules: {some: {per: client, requests: 200, period: 24h}}, store: {deadline: 10s}}
  retry: {attempts: 2, wait: 1ms}
upstreams:
  demo: {base_url: UPSTREAM, api_key_env: UPSTREAM_KEY, models: ["demo*"]}
  dead: {base_url: "http://127.0.0.1:1/v1", api_key_env: UPSTREAM_KEY, models: [dead], priority: 1}
  liar: {base_url: LIAR, api_key_env: UPSTREAM_KEY, models: ["liar*"], priority: 1}
`

// plant starts a relay with every secret in its place.
func plant(t *testing.T, liar string) *running {
	t.Helper()
	r := &running{
		Demo: demo.New(demo.Options{Key: upstreamKey}), Log: &logs{},
		Environ: []string{"CANARY_REDIS=" + redisPassword, "CANARY_ADMIN=" + adminToken}, Plugins: []plugins.Plugin{panics()},
	}
	up := httptest.NewServer(r.Demo)
	t.Cleanup(up.Close)
	store := redistest.Start(t, "--requirepass", redisPassword)
	config := strings.NewReplacer("NARROW", credential.Hash(narrowKey), "LIAR", liar, "STORE", store.Addr()).Replace(planted)
	return r.start(t, config, up.URL+"/v1")
}

// bytes sends a raw request and returns all that comes back, as it stands. The
// request asks for the connection to be closed.
func (r *running) bytes(t testing.TB, request string) string {
	t.Helper()
	_, in := r.dial(t, request)
	answer, _ := io.ReadAll(in) // an answer that is cut off counts as far as it came
	return string(answer)
}

// checkBooks holds what arrived at the demo upstream to carry the upstream's
// key, in its one place, and no other secret.
func (r *running) checkBooks(t *testing.T) {
	t.Helper()
	for _, rec := range r.Demo.Books().Records() {
		if got := rec.Header["Authorization"]; len(got) != 1 || got[0] != "Bearer "+upstreamKey {
			t.Errorf("request %d: Authorization %q, want the upstream's key alone", rec.ID, got)
		}
		header := rec.Header.Clone()
		header.Del("Authorization")
		checkSecrets(t, "request at the upstream", rec.RequestURI+dump(header)+dump(rec.Trailer)+string(rec.Body))
	}
}

// dump returns a header as text.
func dump(h http.Header) string {
	var b strings.Builder
	_ = h.Write(&b) // a Builder never fails
	return b.String()
}
