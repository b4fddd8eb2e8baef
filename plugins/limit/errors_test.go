package limit

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/holysheep/relay/plugins"
	"github.com/holysheep/relay/plugins/plugintest"
)

// TestRefusals reads what a client that is refused is told in words.
func TestRefusals(t *testing.T) {
	tests := []struct {
		name string
		rule Rule
		code string
		text string
	}{
		{
			name: "a rate for all",
			rule: Rule{Per: perGlobal, Requests: 1, Period: time.Hour},
			code: "rate_limit_exceeded",
			text: `the limit "rule" is reached (requests per 1h0m0s: 1, burst: 1): try again in 1h0m0s`,
		},
		{
			name: "a rate for each",
			rule: Rule{Per: perClient, Requests: 60, Burst: 1},
			code: "rate_limit_exceeded",
			text: `the limit "rule" is reached (requests per 1m0s: 60, burst: 1, for each client): try again in 1s`,
		},
		{
			name: "in flight for all",
			rule: Rule{Per: perGlobal, InFlight: 1},
			code: "concurrency_exceeded",
			text: `the limit "rule" is reached (requests in flight: 1)`,
		},
		{
			name: "in flight for each",
			rule: Rule{Per: perClient, InFlight: 1},
			code: "concurrency_exceeded",
			text: `the limit "rule" is reached (requests in flight: 1, for each client)`,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				rt := build(t, plugintest.Env(t, nil), with("rule", tt.rule)).Fetch(plugintest.Answers(200))
				open(t, rt, "ada") // and stays in flight
				_, err := send(t, rt, "ada")
				e, ok := plugins.AsError(err)
				if !ok {
					t.Fatalf("error = %v, want a refusal", err)
				}
				if e.Status != 429 || e.Type != "rate_limit_error" || e.Code != tt.code || e.Message != tt.text {
					t.Errorf("refusal = %d %s %s %q, want 429 rate_limit_error %s %q", e.Status, e.Type, e.Code, e.Message, tt.code, tt.text)
				}
			})
		})
	}
}
