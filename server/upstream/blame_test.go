package upstream

import (
	"net/http"
	"strings"
	"testing"

	"github.com/holysheep/relay/internal/breaker"
	"github.com/holysheep/relay/plugins"
	"github.com/holysheep/relay/plugins/plugintest"
)

// TestAPanicHoldsNoPlace has an attempt panic which is the trial after an
// ejection: the next request is the trial, and nothing is in flight.
func TestAPanicHoldsNoPlace(t *testing.T) {
	now := newClock()
	p := onePool(t, func(*http.Request) (*http.Response, error) { panic("a bug") })
	p.now = now.Now
	m := p.members[0]
	m.state.breaker = breaker.New(now.now, p.config.Health.rules())
	m.state.breaker.Failure(now.now, breaker.Ticket{}, 0)
	now.now = now.now.Add(p.config.Health.Ejection)
	func() {
		defer func() { _ = recover() }()
		_, _ = p.RoundTrip(plugintest.Request(t, "{}"))
	}()
	if n := m.state.inFlight.Load(); n != 0 {
		t.Errorf("%d in flight, want none", n)
	}
	if state, _ := m.state.breaker.Look(p.now()); state != breaker.Due {
		t.Errorf("state %d, want %d: the trial is due", state, breaker.Due)
	}
}

// A model that cannot be put into the request is no failure of the upstream,
// which got nothing.
func TestAnEditThatFailsIsNotIllHealth(t *testing.T) {
	p := onePool(t, says(200))
	p.routes = true
	p.members[0].set.Rewrite = map[string]string{"m": "--m"}
	const form = "--b\r\nContent-Disposition: form-data; name=\"model\"\r\n\r\nm\r\n--b--\r\n"
	req := plugintest.Request(t, form)
	req.Header.Set("Content-Type", "multipart/form-data; boundary=b")
	attempt := &plugins.Attempt{}
	_, err := p.RoundTrip(req.WithContext(plugins.WithAttempt(req.Context(), attempt)))
	if err == nil || !strings.Contains(err.Error(), "cannot stand in a form") || !attempt.Unsent() {
		t.Errorf("err = %v, want that the model cannot stand in a form, and nothing sent", err)
	}
	if s := p.Show()[0]; s.State != "healthy" || s.InFlight != 0 {
		t.Errorf("got %+v, want it healthy and nothing in flight", s)
	}
}
