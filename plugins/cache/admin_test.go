package cache_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/holysheep/relay/plugins"
	"github.com/holysheep/relay/plugins/cache"
	"github.com/holysheep/relay/plugins/plugintest"
)

// operate asks the admin side of the link.
func operate(t *testing.T, link plugins.Link, method, target string) (status int, body string) {
	t.Helper()
	w := httptest.NewRecorder()
	link.Admin.ServeHTTP(w, httptest.NewRequest(method, target, nil))
	return w.Code, strings.TrimSpace(w.Body.String())
}

func TestAdminShowsTheState(t *testing.T) {
	link := plugintest.Link[cache.Settings](t, cache.Plugin, plugintest.Env(t, nil), nil)
	statuses(t, link.Fetch(plugintest.Answers(200)), 3, func() *http.Request { return plugintest.Request(t, greedy) })
	const want = `{"entries":1,"bytes":408,"max_bytes":"64MiB","recording_bytes":0,"redis":"none","ttl":"1h0m0s",` +
		`"hits":2,"misses":1,"coalesced":0,"stale":0,"bypasses":0,"stored":1,"evicted":0}`
	if status, body := operate(t, link, http.MethodGet, "/plugins/cache/"); status != 200 || body != want {
		t.Errorf("answer = %d %s, want %s", status, body, want)
	}
	if status, _ := operate(t, link, http.MethodPost, "/plugins/cache/"); status != http.StatusMethodNotAllowed {
		t.Errorf("POST = %d, want 405", status)
	}
}

// TestPurge has four answers stored and removes those that a query names.
func TestPurge(t *testing.T) {
	tests := []struct {
		name, query string
		status      int
		want        string // in the body
		left        string // who still has a hit
	}{
		{"a client", "client=ada", 200, `"memory":1`, "bob cy anyone"},
		{"a group", "group=team", 200, `"memory":1`, "ada bob anyone"},
		{"nobody", "scope=anonymous", 200, `"memory":1`, "ada bob cy"},
		{"a model", "model=m", 200, `"memory":4`, ""},
		{"another model", "model=other", 200, `"memory":0`, "ada bob cy anyone"},
		{"a client's of a model", "client=bob&model=m", 200, `"memory":1`, "ada cy anyone"},
		{"a client's of another model", "client=bob&model=n", 200, `"memory":0`, "ada bob cy anyone"},
		{"all", "all=true", 200, `"memory":4`, ""},
		{"nothing named", "", 400, "say which answers to remove", "ada bob cy anyone"},
		{"a parameter that is none", "clients=ada", 400, "clients: there is no such parameter", "ada bob cy anyone"},
		{"an empty name", "client=", 400, "client: name one", "ada bob cy anyone"},
		{"two clients", "client=ada&client=bob", 400, "client: name one", "ada bob cy anyone"},
		{"a client and all", "client=ada&all=true", 400, "name one of client, group, scope and all", "ada bob cy anyone"},
		{"not quite all", "all=1", 400, `all: \"1\" is not true`, "ada bob cy anyone"},
		{"a scope that has names", "scope=client", 400, "not one of shared, anonymous", "ada bob cy anyone"},
		{"no query", "%zz", 400, "the query cannot be read", "ada bob cy anyone"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			link := plugintest.Link(t, cache.Plugin, plugintest.Env(t, nil), func(s *cache.Settings) {
				s.Rules = map[string]cache.Rule{"team": {Groups: []string{"team"}, Scope: "group"}}
			})
			rt := link.Fetch(plugintest.Answers(200))
			askers := map[string]plugins.Client{"ada": {Name: "ada"}, "bob": {Name: "bob"}, "cy": {Name: "cy", Group: "team"}}
			by := func(name string) *http.Request {
				req := plugintest.Request(t, greedy)
				if c, known := askers[name]; known {
					plugins.CallOf(req.Context()).SetClient(c)
				}
				return req
			}
			names := []string{"ada", "bob", "cy", "anyone"}
			for _, name := range names {
				ask(t, rt, by(name))
			}
			status, body := operate(t, link, http.MethodDelete, "/cache?"+tt.query)
			if status != tt.status || !strings.Contains(body, tt.want) {
				t.Errorf("answer = %d %s, want %d with %s", status, body, tt.status, tt.want)
			}
			var left []string
			for _, name := range names {
				if ask(t, rt, by(name)).cache == "HIT" {
					left = append(left, name)
				}
			}
			if got := strings.Join(left, " "); got != tt.left {
				t.Errorf("hits for %q, want %q", got, tt.left)
			}
		})
	}
}

// TestClientsPurgeTheirOwn has a client purge its answer, and another's.
func TestClientsPurgeTheirOwn(t *testing.T) {
	rt := caching(t, plugintest.Answers(200), nil)
	by := func(client, method, path, body string) *http.Request {
		req := plugintest.Client(to(t, path, body), client)
		req.Method = method
		return req
	}
	keyOf := func(client string) string {
		req := by(client, http.MethodPost, "/v1/chat/completions", greedy)
		ask(t, rt, req)
		return plugins.CallOf(req.Context()).Header("X-Cache-Key")
	}
	ada, bob := keyOf("ada"), keyOf("bob")
	if ada == "" || len(ada) != 24 {
		t.Fatalf("X-Cache-Key = %q, want 24 digits", ada)
	}
	steps := []struct{ name, client, key, deleted string }{
		{"another's", "ada", bob, `"deleted":false`},
		{"its own", "ada", ada, `"deleted":true`},
		{"its own again", "ada", ada, `"deleted":false`},
	}
	for _, s := range steps {
		if got := ask(t, rt, by(s.client, http.MethodDelete, "/v1/cache/"+s.key, "")); got.status != 200 || !strings.Contains(got.body, s.deleted) {
			t.Errorf("%s: %d %s, want %s", s.name, got.status, got.body, s.deleted)
		}
	}
	if got := ask(t, rt, by("bob", http.MethodPost, "/v1/chat/completions", greedy)).cache; got != "HIT" {
		t.Errorf("the other client got a %s, want its HIT", got)
	}
	if _, err := rt.RoundTrip(by("ada", http.MethodDelete, "/v1/cache/abc", "")); err == nil || !strings.Contains(err.Error(), "invalid_cache_key") {
		t.Errorf("RoundTrip = %v, want invalid_cache_key", err)
	}
}
