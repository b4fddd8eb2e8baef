package cache_test

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"testing"

	"github.com/holysheep/relay/plugins"
	"github.com/holysheep/relay/plugins/cache"
	"github.com/holysheep/relay/plugins/plugintest"
)

// An identity is everything by which two requests differ for the cache.
type identity struct {
	client, path, query, body, accept, beta string
	known                                   bool
	pair                                    int // pairs share nothing
}

func pick(r *rand.Rand, of ...string) string { return of[r.IntN(len(of))] }

// randomIdentity draws one of few.
func randomIdentity(r *rand.Rand, pair int) identity {
	id := identity{
		client: pick(r, "a", "b", "", "a\x00"),
		known:  r.IntN(2) == 0,
		path:   pick(r, "/v1/embeddings", "/v1/moderations"),
		query:  pick(r, "", "a=b"),
		body:   pick(r, "1", "1.0", `"b"`),
		accept: pick(r, "", "a", "b"),
		beta:   pick(r, "", "a"),
		pair:   pair,
	}
	if !id.known {
		id.client = ""
	}
	return id
}

// randomRequest draws one of the many spellings of a request, with headers
// that must not count.
func randomRequest(t *testing.T, r *rand.Rand, id identity) *http.Request {
	t.Helper()
	spelling := pick(r, `{"input":%[1]s,"model":"%[2]d"}`, `{"model":"%[2]d","input":%[1]s}`,
		` { "\u006dodel" : "%[2]d" , "input":%[1]s } `)
	url := id.path
	if id.query != "" {
		url += "?" + id.query
	}
	req := to(t, url, fmt.Sprintf(spelling, id.body, id.pair))
	for _, name := range []string{"Authorization", "X-Api-Key", "Cookie", "X-Forwarded-For", "X-Client", "User-Agent", "X-Request-Id"} {
		req.Header.Set(name, pick(r, "a", "b"))
	}
	for name, value := range map[string]string{"Accept": id.accept, "Openai-Beta": id.beta} {
		if value != "" {
			req.Header.Set(name, value)
		}
	}
	if id.known {
		return plugintest.Client(req, id.client)
	}
	return req
}

// TestTenants asks many pairs of requests: the second is answered from the
// store if and only if client and canonical request are the same.
func TestTenants(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	rt := caching(t, plugintest.Answers(200), func(s *cache.Settings) { s.Sampled = true }) // moderations too
	for pair := range 3000 {
		one, other := randomIdentity(r, pair), randomIdentity(r, pair)
		if pair%2 == 0 {
			other = one // which chance alone does too rarely
		}
		ask(t, rt, randomRequest(t, r, one))
		want := "MISS"
		if one == other {
			want = "HIT"
		}
		if got := ask(t, rt, randomRequest(t, r, other)).cache; got != want {
			t.Errorf("%+v after %+v = %s, want %s", other, one, got, want)
		}
	}
}

// TestClientsOfOneName tells a client named "" from nobody.
func TestClientsOfOneName(t *testing.T) {
	rt := caching(t, plugintest.Answers(200), nil)
	ask(t, rt, plugintest.Request(t, greedy))
	if got := ask(t, rt, plugintest.Client(plugintest.Request(t, greedy), "")).cache; got != "MISS" {
		t.Errorf("a known client without a name got a %s, want a MISS", got)
	}
}

// TestGroupsDoNotShare has two clients in one group.
func TestGroupsDoNotShare(t *testing.T) {
	rt := caching(t, plugintest.Answers(200), nil)
	for _, name := range []string{"a", "b"} {
		req := plugintest.Request(t, greedy)
		plugins.CallOf(req.Context()).SetClient(plugins.Client{Name: name, Group: "g"})
		if got := ask(t, rt, req).cache; got != "MISS" {
			t.Errorf("client %s got a %s, want a MISS", name, got)
		}
	}
}
