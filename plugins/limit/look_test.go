package limit

import (
	"net/http"
	"testing"
	"testing/synctest"

	"github.com/holysheep/relay/plugins"
	"github.com/holysheep/relay/plugins/plugintest"
)

// TestABodyIsWaitedForInASlot has a client whose body does not come: where rules
// want to see bodies, no more are waited for, and held, than may be in flight.
func TestABodyIsWaitedForInASlot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		env := priced(t)
		l := limits(t, env, func(s *Settings) {
			s.MaxInFlight = 1
			s.Rules = map[string]Rule{"each": {Per: perGlobal, Tokens: Tokens{Limit: 10_000}}}
		})
		rt := l.through(plugintest.Answers(http.StatusOK))
		comes := make(chan struct{})
		slow := plugins.NewCall("slow", func() plugins.Ask { <-comes; return plugins.Ask{Model: "eight"} })
		ends := make(chan error)
		go func() {
			req := plugintest.Request(t, settled)
			ends <- to(rt, req.WithContext(plugins.WithCall(req.Context(), slow)))
		}()
		synctest.Wait()
		other := asks(t, "ada", "", settled)
		if got := code(t, to(rt, other)); got != "concurrency_exceeded" {
			t.Errorf("beside it: code = %q, want concurrency_exceeded", got)
		}
		if got := plugins.CallOf(other.Context()).Header(openAIRemaining); got != "0" {
			t.Errorf("%s = %q, want 0", openAIRemaining, got)
		}
		if got := value(t, env, "relay_limit_decisions_total", map[string]string{"rule": replica, "decision": "concurrency_exceeded"}); got != 1 {
			t.Errorf("%g refusals are counted, want 1", got)
		}
		close(comes)
		if err := <-ends; err != nil {
			t.Error(err)
		}
		if err := to(rt, asks(t, "ada", "", settled)); err != nil {
			t.Errorf("after it: %v", err)
		}
		if held := l.slots.held.Load(); held != 0 {
			t.Errorf("%d slots are held, want none", held)
		}
	})
}

// TestAPanicInABodyGivesTheSlotBack panics where the body is looked at.
func TestAPanicInABodyGivesTheSlotBack(t *testing.T) {
	l := limits(t, priced(t), tokens(1000))
	req := plugintest.Request(t, settled)
	call := plugins.NewCall("id", func() plugins.Ask { panic(http.ErrAbortHandler) })
	func() {
		defer func() { _ = recover() }()
		_ = to(l.through(plugintest.Answers(http.StatusOK)), req.WithContext(plugins.WithCall(req.Context(), call)))
	}()
	if held := l.slots.held.Load(); held != 0 {
		t.Errorf("%d slots are held, want none", held)
	}
}
