package cache_test

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/holysheep/relay/plugins"
	"github.com/holysheep/relay/plugins/cache"
	"github.com/holysheep/relay/plugins/plugintest"
)

// greedy is a request that is cached by default.
const greedy = `{"model":"m","temperature":0,"messages":[]}`

// got is what a client got.
type got struct {
	status           int
	body, cache, age string
	header           http.Header
}

// ask sends req through rt and reads the answer whole.
func ask(t testing.TB, rt http.RoundTripper, req *http.Request) got {
	t.Helper()
	res, err := rt.RoundTrip(req)
	if err != nil {
		t.Fatalf("RoundTrip: %v", err)
	}
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatalf("reading the answer: %v", err)
	}
	if err := res.Body.Close(); err != nil {
		t.Fatalf("closing the answer: %v", err)
	}
	call := plugins.CallOf(req.Context())
	if call.Cache() != call.Header("X-Cache") {
		t.Errorf("noted %q and told the client %q, want the same", call.Cache(), call.Header("X-Cache"))
	}
	return got{res.StatusCode, string(body), call.Cache(), call.Header("Age"), res.Header}
}

// caching returns rt behind a cache with the defaults, but that all answers last
// equally long, and what change does to them.
func caching(t testing.TB, rt http.RoundTripper, change func(*cache.Settings)) http.RoundTripper {
	t.Helper()
	return plugintest.Link(t, cache.Plugin, plugintest.Env(t, nil), func(s *cache.Settings) {
		s.TTLJitter = 0
		if change != nil {
			change(s)
		}
	}).Fetch(rt)
}

// statuses asks the same several times, and returns what the cache did.
func statuses(t testing.TB, rt http.RoundTripper, times int, req func() *http.Request) string {
	t.Helper()
	var all []string
	for range times {
		all = append(all, ask(t, rt, req()).cache)
	}
	return strings.Join(all, " ")
}

// to returns a request to another path.
func to(t testing.TB, path, body string) *http.Request {
	t.Helper()
	req := plugintest.Request(t, body)
	url, err := req.URL.Parse(path)
	if err != nil {
		t.Fatal(err)
	}
	req.URL = url
	return req
}

// closing notes whether a body was closed.
type closing struct {
	io.ReadCloser
	closed bool
}

func (c *closing) Close() error {
	c.closed = true
	return c.ReadCloser.Close()
}
