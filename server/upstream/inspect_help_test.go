package upstream

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/holysheep/relay/internal/demo"
	"github.com/holysheep/relay/internal/wire"
	"github.com/holysheep/relay/plugins"
	"github.com/holysheep/relay/plugins/plugintest"
)

const (
	chatPath = "/v1/chat/completions"
	chatAsk  = `{"model":"gpt-4o","stream":true,"messages":[{"role":"user","content":"hello big world"}]}`
	withThem = `{"model":"gpt-4o","stream":true,"stream_options":{"include_usage":true},"messages":[{"role":"user","content":"hello big world"}]}`
)

// A trial is one attempt at a pool of one upstream, "one".
type trial struct {
	*Pool
	attempt *plugins.Attempt
	req     *http.Request
}

// newTrial returns an attempt at the handler's server, by real HTTP.
func newTrial(t testing.TB, up http.Handler, path, body string, change func(*Settings)) *trial {
	t.Helper()
	server := httptest.NewServer(up)
	t.Cleanup(server.Close)
	x := newTrialAt(t, server.URL+"/v1", path, body, change)
	t.Cleanup(x.members[0].client.(*conns).CloseIdleConnections)
	return x
}

func newTrialAt(t testing.TB, base, path, body string, change func(*Settings)) *trial {
	t.Helper()
	p, err := New(Config{Upstreams: map[string]Settings{"one": settings(base, change)}, Health: HealthDefaults()}, plugintest.Env(t, nil))
	if err != nil {
		t.Fatal(err)
	}
	x := &trial{Pool: p, attempt: &plugins.Attempt{}, req: plugintest.Request(t, body)}
	x.req.URL, err = x.req.URL.Parse(path)
	if err != nil {
		t.Fatal(err)
	}
	x.req = x.req.WithContext(plugins.WithAttempt(x.req.Context(), x.attempt))
	return x
}

// still is a demo upstream whose answers depend on nothing but the question.
func still() *demo.Server {
	return demo.New(demo.Options{Now: func() time.Time { return time.Unix(1, 0) }})
}

// direct returns what the demo upstream answers without a relay.
func direct(t testing.TB, path, body string, header http.Header) string {
	t.Helper()
	server := httptest.NewServer(still())
	defer server.Close()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, server.URL+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header = header.Clone()
	req.Header.Set("Content-Type", "application/json")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	text, _ := io.ReadAll(res.Body) // may be broken off
	return string(text)
}

// shaped returns X-Demo headers: "Name: value".
func shaped(lines ...string) http.Header {
	h := http.Header{}
	for _, line := range lines {
		name, value, _ := strings.Cut(line, ": ")
		h.Add(name, value)
	}
	return h
}

// do asks as the pool does.
func (x *trial) do() (*http.Response, error) { return x.RoundTrip(x.req) }

// answers has the upstream answer with a stream that comes from body, without HTTP.
func (x *trial) answers(body io.ReadCloser) *trial {
	x.members[0].client = plugintest.RoundTripFunc(func(req *http.Request) (*http.Response, error) {
		res := plugintest.Response(req, http.StatusOK, "")
		res.Header = http.Header{"Content-Type": {"text/event-stream; charset=utf-8"}}
		res.Body, res.ContentLength = body, -1
		return res, nil
	})
	return x
}

// readAll reads the answer to its end.
func readAll(t testing.TB, res *http.Response, err error) (string, error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	text, err := io.ReadAll(res.Body)
	return string(text), err
}

// routeOf returns the route of a path.
func routeOf(path string) wire.Route {
	r, _ := wire.Of(path)
	return r
}
