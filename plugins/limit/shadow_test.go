package limit

import (
	"testing"
	"time"

	"github.com/holysheep/relay/plugins"
	"github.com/holysheep/relay/plugins/plugintest"
)

// TestAShadowRefusesNothing has a shadow of each kind that would refuse the
// second request.
func TestAShadowRefusesNothing(t *testing.T) {
	tests := []struct {
		name string
		rule Rule
		want string
	}{
		{"requests", Rule{Requests: 1, Period: time.Hour}, "shadow_rate_limit_exceeded"},
		{"tokens", Rule{Tokens: Tokens{Limit: 150, Period: time.Hour}}, "shadow_tokens_exceeded"},
		{"tokens that never fit", Rule{Tokens: Tokens{Limit: 10, Period: time.Hour}}, "shadow_tokens_exceeded"},
		{"in flight", Rule{InFlight: 1}, "shadow_concurrency_exceeded"},
		{"money", Rule{Budget: Budget{USD: 0.001}}, "shadow_budget_exceeded"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			env := priced(t)
			tt.rule.Per, tt.rule.Shadow = perClient, true
			l := limits(t, env, func(s *Settings) {
				s.Rules = map[string]Rule{"real": {Per: perGlobal, Requests: 100, Period: time.Hour}, "shadow": tt.rule}
			})
			rt := l.through(using("eight", 200, reported(10, 90)))
			for range 2 {
				req := asks(t, "ada", "", settled)
				if _, err := rt.RoundTrip(req); err != nil {
					t.Fatal(err)
				}
				if got := plugins.CallOf(req.Context()).Header(openAILimit); got != "100" {
					t.Errorf("the limit told is %q, want that of the real rule, 100", got)
				}
			}
			if got := value(t, env, "relay_limit_decisions_total", map[string]string{"rule": "shadow", "decision": tt.want}); got < 1 {
				t.Errorf("%g decisions are %s, want 1", got, tt.want)
			}
			if got := value(t, env, "relay_limit_decisions_total", map[string]string{"rule": "real", "decision": "admitted"}); got != 2 {
				t.Errorf("%g are admitted by the real rule, want 2", got)
			}
			if got := l.left(t, asker{client: "ada"})["real.requests"]; got != 98 {
				t.Errorf("%d requests are left of the real rule, want 98", got)
			}
		})
	}
}

// TestAShadowTakesNothingOfARefusedRequest has a real rule refuse.
func TestAShadowTakesNothingOfARefusedRequest(t *testing.T) {
	l := limits(t, priced(t), func(s *Settings) {
		s.Rules = map[string]Rule{
			"real":   {Per: perGlobal, Requests: 1, Period: time.Hour},
			"shadow": {Per: perGlobal, Requests: 9, Period: time.Hour, Shadow: true},
		}
	})
	rt := l.through(plugintest.Answers(200))
	for range 3 {
		_ = to(rt, asks(t, "ada", "", `{}`))
	}
	if got := l.left(t, asker{})["shadow.requests"]; got != 8 {
		t.Errorf("%d requests are left of the shadow, want 8", got)
	}
}

// TestAModelWithoutAPriceIsCounted under a budget that refuses it, and under one
// that would.
func TestAModelWithoutAPriceIsCounted(t *testing.T) {
	env := priced(t)
	l := limits(t, env, func(s *Settings) {
		s.Rules = map[string]Rule{
			"hard":   {Per: perGlobal, Models: []string{"odd"}, Budget: Budget{USD: 1}},
			"soft":   {Per: perGlobal, Budget: Budget{USD: 1}, Shadow: true},
			"softer": {Per: perGlobal, Budget: Budget{USD: 1}, Requests: 9, Shadow: true},
		}
	})
	rt := l.through(plugintest.Answers(200))
	for model, want := range map[string]string{"odd": "model_unpriced", "other": "", "eight": ""} {
		if got := code(t, to(rt, asks(t, "ada", "", `{"model":"`+model+`"}`))); got != want {
			t.Errorf("%s: code = %q, want %q", model, got, want)
		}
	}
	for decision, want := range map[[2]string]float64{
		{"hard", "model_unpriced"}: 1, {"soft", "shadow_model_unpriced"}: 1, {"softer", "shadow_model_unpriced"}: 1,
		{"soft", "admitted"}: 1, {"softer", "admitted"}: 1,
	} {
		if got := value(t, env, "relay_limit_decisions_total", map[string]string{"rule": decision[0], "decision": decision[1]}); got != want {
			t.Errorf("%v: %g, want %g", decision, got, want)
		}
	}
}
