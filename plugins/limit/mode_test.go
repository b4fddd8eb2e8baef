package limit

import (
	"context"
	"testing"

	"github.com/holysheep/relay/internal/ledger"
	"github.com/holysheep/relay/plugins"
	"github.com/holysheep/relay/plugins/plugintest"
)

// toldLedger is a ledger that decides as it is told, by the name of the counter.
type toldLedger struct {
	ledger.Ledger
	say map[string]ledger.Claim // Taken, Mode and Wait
}

func (l toldLedger) Take(_ context.Context, t *ledger.Ticket) bool {
	ok := true
	for i := range t.Claims {
		c := &t.Claims[i]
		say := l.say[c.Counter.Name]
		c.Taken, c.Mode, c.Wait = say.Taken, say.Mode, say.Wait
		ok = ok && (c.Taken || c.Mode == ledger.ModeOpen)
	}
	return ok
}

func (toldLedger) Settle(*ledger.Ticket) {}

// TestWhatADecisionTells has two rules decided in every way that the shared
// memory of replicas can.
func TestWhatADecisionTells(t *testing.T) {
	shared := ledger.Claim{Taken: true, Mode: ledger.ModeShared}
	tests := []struct {
		name             string
		requests, flight ledger.Claim
		code, mode, wait string
		remaining        string
	}{
		{name: "both by the store", requests: shared, flight: shared, mode: "shared", remaining: "60"},
		{
			name: "each by its own way", requests: ledger.Claim{Taken: true, Mode: ledger.ModeLocal}, flight: ledger.Claim{Mode: ledger.ModeOpen},
			mode: "local,open", remaining: "60",
		},
		{
			name: "open tells nothing", requests: ledger.Claim{Mode: ledger.ModeOpen}, flight: ledger.Claim{Mode: ledger.ModeOpen},
			mode: "open",
		},
		{
			name: "a share that waits", requests: ledger.Claim{Mode: ledger.ModeLocal, Wait: 2_500_000}, flight: ledger.Claim{Mode: ledger.ModeLocal},
			mode: "local", code: "rate_limit_exceeded", wait: "2500", remaining: "60",
		},
		{
			name: "a share of nothing", requests: ledger.Claim{Mode: ledger.ModeLocal, Wait: ledger.Unknown}, flight: ledger.Claim{Mode: ledger.ModeLocal},
			mode: "local", code: "rate_limit_exceeded", wait: "1000", remaining: "60",
		},
		{
			name: "more than a share ever holds", requests: ledger.Claim{Mode: ledger.ModeLocal, Wait: ledger.Never}, flight: ledger.Claim{Mode: ledger.ModeLocal},
			mode: "local", code: "rate_limit_exceeded", wait: "1000", remaining: "60",
		},
		{
			name: "closed", requests: ledger.Claim{Mode: ledger.ModeClosed, Wait: ledger.Unknown}, flight: ledger.Claim{Mode: ledger.ModeLocal},
			mode: "local,closed", code: "limits_unavailable", wait: "1000", remaining: "5",
		},
		{
			name: "closed, and nothing asked of it", requests: ledger.Claim{Mode: ledger.ModeLocal, Wait: 500_000}, flight: ledger.Claim{Mode: ledger.ModeClosed},
			mode: "local,closed", code: "rate_limit_exceeded", wait: "500", remaining: "60",
		},
		{
			name: "no reason", requests: ledger.Claim{Mode: ledger.ModeShared}, flight: ledger.Claim{Mode: ledger.ModeShared},
			mode: "shared", code: "limits_unavailable", wait: "1000", remaining: "60",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			l := limits(t, plugintest.Env(t, nil), with("each", Rule{Per: perClient, Requests: 60, InFlight: 5}))
			told := toldLedger{say: map[string]ledger.Claim{"each.client.requests": tt.requests, "each.client.in_flight": tt.flight}}
			l.ledger = &store{open: func() ledger.Ledger { return told }}
			req := asks(t, "ada", "", `{}`)
			err := to(l.through(plugintest.Answers(200)), req)
			if got := code(t, err); got != tt.code {
				t.Errorf("code = %q, want %q", got, tt.code)
			}
			if tt.code != "" && answered(t, err).Header.Get("Retry-After-Ms") != tt.wait {
				t.Errorf("retry-after-ms = %q, want %q", answered(t, err).Header.Get("Retry-After-Ms"), tt.wait)
			}
			call := plugins.CallOf(req.Context())
			if got := call.Header(modeHeader); got != tt.mode {
				t.Errorf("mode = %q, want %q", got, tt.mode)
			}
			if got := call.Header(openAIRemaining); got != tt.remaining {
				t.Errorf("remaining = %q, want %q", got, tt.remaining)
			}
			if held := l.slots.held.Load(); held != 0 {
				t.Errorf("%d slots are held, want 0", held)
			}
		})
	}
}

// TestWithoutRulesNoModeIsTold has max_in_flight alone, which no store decides.
func TestWithoutRulesNoModeIsTold(t *testing.T) {
	req := asks(t, "ada", "", `{}`)
	if err := to(build(t, plugintest.Env(t, nil), nil).Fetch(plugintest.Answers(200)), req); err != nil {
		t.Fatal(err)
	}
	if got := plugins.CallOf(req.Context()).Header(modeHeader); got != "" {
		t.Errorf("mode = %q, want none", got)
	}
}

func TestTheModeCanBeSwitchedOff(t *testing.T) {
	l := limits(t, plugintest.Env(t, nil), func(s *Settings) {
		s.Headers.Mode = false
		s.Rules = map[string]Rule{"each": {Per: perClient, Requests: 60}}
	})
	req := asks(t, "ada", "", `{}`)
	if err := to(l.through(plugintest.Answers(200)), req); err != nil {
		t.Fatal(err)
	}
	if got := plugins.CallOf(req.Context()).Header(modeHeader); got != "" {
		t.Errorf("mode = %q, want none", got)
	}
}
