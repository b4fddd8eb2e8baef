package upstream

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/holysheep/relay/internal/wire"
	"github.com/holysheep/relay/plugins/plugintest"
)

func TestShow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPool(t, map[string]string{"KEY": "sk-secret"}, map[string]Settings{
			"b": settings("https://b/v1", nil),
			"a": settings("https://a/v1", func(s *Settings) {
				s.APIKeyEnv, s.Models, s.Rewrite = "KEY", []string{"gpt-*"}, map[string]string{"m": "x/m"}
				s.Priority, s.Wires, s.MaxInFlight, s.Requests = 1, []wire.Name{wire.Azure}, 4, 10
			}),
		})
		began := time.Now()
		time.Sleep(time.Second)
		m := p.named("a")
		m.state.enter(p.now(), &m.set)
		m.client = says(http.StatusTooManyRequests, "Retry-After", "60")
		req := plugintest.Request(t, `{"model":"m"}`)
		req.URL.Path = "/openai/v1/responses"
		res, err := p.RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		_ = res.Body.Close()
		until, left := p.now().Add(time.Minute), 8
		want := []State{
			{
				Name: "b", BaseURL: "https://b/v1", Wires: []wire.Name{wire.OpenAI, wire.Anthropic}, Weight: 1,
				State: "healthy", Since: began,
			},
			{
				Name: "a", BaseURL: "https://a/v1", Wires: []wire.Name{wire.Azure}, Models: []string{"gpt-*"},
				Rewrite: map[string]string{"m": "x/m"}, Priority: 1, Weight: 1,
				State: "ejected", Reason: "retry_after", Until: &until, Since: p.now(), LastError: "status 429",
				InFlight: 1, MaxInFlight: 4, Left: &left, Keys: Keys{Total: 1},
			},
		}
		if diff := cmp.Diff(want, p.Show()); diff != "" {
			t.Errorf("states (-want +got):\n%s", diff)
		}
		text, err := json.Marshal(p.Show())
		if err != nil || strings.Contains(string(text), "sk-secret") {
			t.Errorf("%s, %v, want no key", text, err)
		}
		time.Sleep(time.Minute)
		if s := p.Show()[1]; s.State != "probing" || s.Until != nil {
			t.Errorf("got %+v, want it probing", s)
		}
	})
}

func TestWords(t *testing.T) {
	c := Config{
		Upstreams: map[string]Settings{
			"spare": settings("https://spare.example.com/v1", func(s *Settings) { s.Priority = 1 }),
			"main": settings("https://api.example.com/v1", func(s *Settings) {
				s.Models, s.Rewrite = []string{"gpt-*"}, map[string]string{"sonnet": "anthropic/claude-sonnet"}
				s.APIKeyEnv, s.Weight, s.MaxInFlight, s.Requests, s.Wires = "KEY", 3, 100, 500, []wire.Name{wire.OpenAI}
				s.Probe.Interval = 30 * time.Second
			}),
		},
		Fallbacks: map[string][]string{"gpt-4.1": {"sonnet", "deepseek"}},
		Health:    HealthDefaults(),
	}
	want := []string{
		"Upstreams, in the order in which they are asked:",
		"  main at https://api.example.com/v1; priority 0, weight 3; speaks openai; serves gpt-*, sonnet; " +
			"calls sonnet anthropic/claude-sonnet; at most 100 at once; at most 500 in 1m; key from the variable KEY; " +
			"is asked for /models every 30s while nobody else asks it; connects within 10s.",
		"  spare at https://spare.example.com/v1; priority 1, weight 1; speaks openai and anthropic; serves every model; " +
			"no key; connects within 10s.",
		"Of those of one priority, two are drawn by weight, and the one with fewer requests in flight is asked.",
		"deepseek is served by spare over openai, and by spare over anthropic.",
		"gpt-* is served by main, then spare over openai, and by spare over anthropic.",
		"gpt-4.1 is served by main, then spare over openai, and by spare over anthropic.",
		"sonnet is served by main, then spare over openai, and by spare over anthropic.",
		"Any other model is served by spare over openai, and by spare over anthropic.",
		"When every upstream of gpt-4.1 is out, it falls back on sonnet, then deepseek, unless the client sends X-Relay-Fallback: off.",
		"An upstream is left alone after 5 failures in a row, or when 50 % of at least 20 requests in 30s fail, or when it asks " +
			"for a wait by Retry-After: for 10s, twice as long each time in a row, or as long as it asks for, at most 5m. Then one request tries it.",
		"Of the upstreams that serve a model, at most 90 % are left alone at once: of 2, 1.",
	}
	if diff := cmp.Diff(want, c.Words()); diff != "" {
		t.Errorf("words (-want +got):\n%s", diff)
	}
	delete(c.Upstreams, "spare")
	c.Fallbacks = map[string][]string{"nobody": {"gpt-4.1"}}
	text := strings.Join(c.Words(), "\n")
	for _, want := range []string{"nobody is served by nobody: 404 model_not_found.", "Any other model is served by nobody: 404 model_not_found."} {
		if !strings.Contains(text, want) {
			t.Errorf("the words lack %q:\n%s", want, text)
		}
	}
	if got := (Config{}).Words(); got != nil {
		t.Errorf("of nothing: %q, want nothing", got)
	}
}
