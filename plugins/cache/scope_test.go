package cache_test

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/holysheep/relay/plugins"
	"github.com/holysheep/relay/plugins/cache"
	"github.com/holysheep/relay/plugins/plugintest"
)

// TestScopes asks many random pairs of requests under every scope: the second is
// answered from the store if and only if both are of one tenant and equal.
func TestScopes(t *testing.T) {
	for _, scope := range []string{"client", "group", "shared"} {
		t.Run(scope, func(t *testing.T) {
			r := rand.New(rand.NewPCG(3, uint64(len(scope))))
			rt := caching(t, plugintest.Answers(200), func(s *cache.Settings) { s.Scope = scope })
			hits := 0
			for pair := range 2000 {
				one, other := drawAsker(r), drawAsker(r)
				first := one.request(t, r, pair)
				body := pick(r, "1", "2")
				second := other.request(t, r, pair)
				if body == "2" {
					second = other.request(t, r, pair+1_000_000)
				}
				ask(t, rt, first)
				want := "MISS"
				if one.tenant(scope) == other.tenant(scope) && body == "1" {
					want = "HIT"
					hits++
				}
				if got := ask(t, rt, second).cache; got != want {
					t.Errorf("%+v after %+v = %s, want %s", other, one, got, want)
				}
			}
			if hits < 50 {
				t.Errorf("only %d pairs were equal", hits)
			}
		})
	}
}

// A who is one of a few who ask.
type who struct {
	client, group string
	known         bool
}

func drawAsker(r *rand.Rand) who {
	w := who{client: pick(r, "a", "b", "shared"), group: pick(r, "", "a", "g"), known: r.IntN(5) > 0}
	if !w.known {
		return who{}
	}
	return w
}

// tenant returns with whom it shares, in other words than the cache.
func (w who) tenant(scope string) string {
	switch {
	case scope == "shared":
		return "all"
	case !w.known:
		return "nobody"
	case scope == "group" && w.group != "":
		return "group " + w.group
	}
	return "client " + w.client
}

func (w who) request(t *testing.T, r *rand.Rand, n int) *http.Request {
	t.Helper()
	body := pick(r, `{"input":%d,"model":"m"}`, `{ "model":"\u006d","input":%d}`)
	req := to(t, "/v1/embeddings", fmt.Sprintf(body, n))
	req.Header.Set(pick(r, "X-Client", "Authorization", "X-Group"), pick(r, "a", "b", "g"))
	if w.known {
		plugins.CallOf(req.Context()).SetClient(plugins.Client{Name: w.client, Group: w.group})
	}
	return req
}

// TestRules has a request meet the rule that is about it.
func TestRules(t *testing.T) {
	on, off, none := true, false, time.Duration(0)
	rules := map[string]cache.Rule{
		"first":   {Priority: -1, Models: []string{"only-*"}, TTL: &none},
		"a_vip":   {Clients: []string{"vip"}, Sampled: &on},
		"b_vip":   {Clients: []string{"vip"}, TTL: &none},
		"team":    {Groups: []string{"team"}, Models: []string{"x"}, Sampled: &on},
		"speech":  {Endpoints: []string{"/v1/audio/speech"}, Effects: &on, Sampled: &on},
		"nothing": {Priority: 9, Endpoints: []string{"/v1/completions"}, Sampled: &off, TTL: &none},
	}
	tests := []struct {
		name, client, group, path, body, want string
	}{
		{"no rule", "", "", "", `{"model":"m","temperature":0}`, "MISS HIT"},
		{"no rule, and sampled", "", "", "", `{"model":"m"}`, "BYPASS BYPASS"},
		{"a rule by model that comes first", "vip", "", "", `{"model":"only-this","temperature":0}`, "BYPASS BYPASS"},
		{"two rules by client: the first by name", "vip", "", "", `{"model":"m"}`, "MISS HIT"},
		{"a rule by group and model", "x", "team", "", `{"model":"x"}`, "MISS HIT"},
		{"a rule by group, and another model", "x", "team", "", `{"model":"y"}`, "BYPASS BYPASS"},
		{"another group", "x", "other", "", `{"model":"x"}`, "BYPASS BYPASS"},
		{"a rule that turns off", "", "", "/v1/completions", `{"model":"m","temperature":0}`, "BYPASS BYPASS"},
		{"a rule that allows more", "", "", "/v1/audio/speech", `{"model":"tts"}`, "MISS HIT"},
		{"a path of no rule", "", "", "/v1/images/generations", `{"model":"i"}`, "BYPASS BYPASS"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			rt := caching(t, plugintest.Answers(200), func(s *cache.Settings) { s.Rules = rules })
			got := statuses(t, rt, 2, func() *http.Request {
				path := tt.path
				if path == "" {
					path = "/v1/chat/completions"
				}
				req := to(t, path, tt.body)
				if tt.client != "" {
					plugins.CallOf(req.Context()).SetClient(plugins.Client{Name: tt.client, Group: tt.group})
				}
				return req
			})
			if got != tt.want {
				t.Errorf("X-Cache = %q, want %q", got, tt.want)
			}
		})
	}
}

func TestModels(t *testing.T) {
	rt := caching(t, plugintest.Answers(200), func(s *cache.Settings) { s.Models = []string{"gpt-*"} })
	for model, want := range map[string]string{"gpt-4.1": "MISS HIT", "claude": "BYPASS BYPASS", "": "BYPASS BYPASS"} {
		if got := statuses(t, rt, 2, func() *http.Request { return to(t, "/v1/embeddings", `{"model":"`+model+`"}`) }); got != want {
			t.Errorf("%q: %s, want %s", model, got, want)
		}
	}
}

// TestWhoShares holds what the chain is told.
func TestWhoShares(t *testing.T) {
	none := time.Duration(0)
	tests := []struct {
		name   string
		change func(*cache.Settings)
		want   bool
	}{
		{"the defaults", func(*cache.Settings) {}, false},
		{"everybody", func(s *cache.Settings) { s.Scope = "shared" }, true},
		{"groups", func(s *cache.Settings) { s.Scope = "group" }, true},
		{"everybody, of nothing", func(s *cache.Settings) { s.Scope, s.TTL = "shared", 0 }, false},
		{"everybody, by a rule", func(s *cache.Settings) { s.Rules = map[string]cache.Rule{"a": {Scope: "shared"}} }, true},
		{"everybody, by a rule of nothing", func(s *cache.Settings) { s.Rules = map[string]cache.Rule{"a": {Scope: "shared", TTL: &none}} }, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := plugintest.Link(t, cache.Plugin, plugintest.Env(t, nil), tt.change).Shares; got != tt.want {
				t.Errorf("Shares = %t, want %t", got, tt.want)
			}
		})
	}
}

func TestCheck(t *testing.T) {
	clients := []plugins.Client{{Name: "ada", Group: "team"}, {Name: "bob"}}
	tests := []struct {
		name    string
		change  func(*cache.Settings)
		clients []plugins.Client
		want    string
	}{
		{"the defaults", func(*cache.Settings) {}, nil, ""},
		{"whom there is", func(s *cache.Settings) {
			s.Rules = map[string]cache.Rule{"a": {Clients: []string{"bob"}, Groups: []string{"team"}, Scope: "group"}}
		}, clients, ""},
		{"whom there is not", func(s *cache.Settings) {
			s.Rules = map[string]cache.Rule{"a": {Clients: []string{"cy"}, Groups: []string{"none"}}}
		}, clients, "rules.a.clients: there is no client cy\nrules.a.groups: no client is in a group none"},
		{"groups where there are none", func(s *cache.Settings) { s.Scope = "group" }, clients[1:], "scope: no client is in a group: give clients a group, or take scope: client"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := ""
			if err := plugintest.Link(t, cache.Plugin, plugintest.Env(t, nil), tt.change).Check(plugins.Scope{Named: true, Clients: tt.clients}); err != nil {
				got = err.Error()
			}
			if got != tt.want {
				t.Errorf("Check = %q, want %q", got, tt.want)
			}
		})
	}
}

// TestBodiesThatAreHard holds what a body of 10 MB or nested 10,000 deep comes
// to: it is hashed or passed on.
func TestBodiesThatAreHard(t *testing.T) {
	deep := func(n int) string { return `{"input":` + strings.Repeat("[", n) + strings.Repeat("]", n) + `}` }
	tests := []struct {
		name, body string
		most       plugins.Size
		want       string
	}{
		{"10 MB, of which 1 MiB is looked at", `{"input":"` + strings.Repeat("x", 10_000_000) + `"}`, plugins.MiB, "BYPASS BYPASS"},
		{"10 MB, all looked at", `{"input":"` + strings.Repeat("x", 10_000_000) + `"}`, 16 * plugins.MiB, "MISS HIT"},
		{"9,999 deep", deep(9_998), plugins.MiB, "MISS HIT"},
		{"10,001 deep", deep(10_000), plugins.MiB, "BYPASS BYPASS"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			rt := caching(t, plugintest.Answers(200), func(s *cache.Settings) { s.MaxBody = tt.most })
			if got := statuses(t, rt, 2, func() *http.Request { return to(t, "/v1/embeddings", tt.body) }); got != tt.want {
				t.Errorf("X-Cache = %q, want %q", got, tt.want)
			}
		})
	}
}
