package upstream

import (
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/holysheep/relay/internal/breaker"
	"github.com/holysheep/relay/plugins/plugintest"
)

// A target is an upstream that is probed.
type target struct {
	mu     sync.Mutex
	answer plugintest.RoundTripFunc
	asked  []*http.Request
}

func (u *target) RoundTrip(req *http.Request) (*http.Response, error) {
	u.mu.Lock()
	answer := u.answer
	u.asked = append(u.asked, req)
	u.mu.Unlock()
	return answer(req)
}

func (u *target) set(answer plugintest.RoundTripFunc) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.answer = answer
}

// requests returns what was asked so far.
func (u *target) requests() []*http.Request {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.asked
}

// hang answers when the request's time is over.
func hang(req *http.Request) (*http.Response, error) {
	<-req.Context().Done()
	return nil, req.Context().Err()
}

// probed returns a started pool of one upstream that is probed every 5 s, and
// that upstream.
func probed(t *testing.T, answer plugintest.RoundTripFunc) (*Pool, *target) {
	t.Helper()
	env := plugintest.Env(t, map[string]string{"KEY": "k"})
	h := HealthDefaults()
	h.Failures = 2
	p := generation(t, env, h, func(s *Settings) {
		s.APIKeyEnv, s.Probe = "KEY", Probe{Path: "/models", Interval: 5 * time.Second, Timeout: time.Second}
	})
	u := &target{answer: answer}
	p.members[0].client = u
	p.Start()
	return p, u
}

func TestAnIdleUpstreamIsProbed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, up := probed(t, says(http.StatusNotFound)) // alive
		defer p.Close()
		state := func() breaker.State {
			s, _ := p.members[0].state.breaker.Look(p.now())
			return s
		}
		after := func(d time.Duration, probes int, want breaker.State) {
			t.Helper()
			time.Sleep(d)
			synctest.Wait()
			if got := state(); len(up.requests()) != probes || got != want {
				t.Errorf("%d probes, state %d, want %d and %d", len(up.requests()), got, probes, want)
			}
		}
		after(5*time.Second, 1, breaker.Healthy)
		first := up.requests()[0]
		if got := first.Method + " " + first.URL.String(); got != "GET http://x/v1/models" || first.Header.Get("Authorization") != "Bearer k" {
			t.Errorf("asked %s with %q", got, first.Header)
		}
		res, err := p.RoundTrip(plugintest.Request(t, "{}"))
		if err != nil {
			t.Fatal(err)
		}
		_ = res.Body.Close()
		after(5*time.Second, 2, breaker.Healthy) // a request, and no probe
		up.set(hang)                             // until the probe's own time is over
		after(11*time.Second, 4, breaker.Ejected)
		up.set(says(http.StatusOK))
		after(4*time.Second, 5, breaker.Healthy)
		eject(p, "one", 12*time.Second) // it asks to be left alone
		after(10*time.Second, 5, breaker.Ejected)
		after(5*time.Second, 6, breaker.Healthy)
		p.Close()
		after(time.Minute, 6, breaker.Healthy)
	})
}

func TestClosingEndsAProbe(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, _ := probed(t, hang)
		time.Sleep(5 * time.Second)
		synctest.Wait()
		p.Close()
		p.Close()
		if s := p.Show()[0]; s.Failures != 0 {
			t.Errorf("%d failures, want none", s.Failures)
		}
		p.Start() // it has ended for good
		time.Sleep(time.Minute)
	})
	var none *Pool
	none.Start()
	none.Close()
}
