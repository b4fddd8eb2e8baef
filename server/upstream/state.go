package upstream

import (
	"sync/atomic"
	"time"

	"github.com/holysheep/relay/internal/breaker"
	"github.com/holysheep/relay/plugins"
)

// A state is what is known of an upstream from having asked it. It outlives the
// configuration: neither an ejection nor a request in flight is forgotten over
// a reload.
type state struct {
	breaker  *breaker.Breaker
	quota    throttle
	inFlight atomic.Int64
	asked    atomic.Int64           // requests so far, for whoever wants to know whether there were any
	failing  atomic.Bool            // the latest request that ended found nobody there
	last     atomic.Pointer[string] // the latest failure in words, nil if there was none
	meters   *meters
}

// newState returns the state of an upstream that another generation has kept,
// or a new one.
func newState(name string, s Settings, h Health, m *metrics, env plugins.Env) (*state, error) {
	return plugins.Keep(env, "state."+name+"."+s.BaseURL, func() (*state, error) {
		now := env.Now()
		kept := &state{breaker: breaker.New(now, h.rules()), meters: m.of(name)}
		kept.quota.set(now, s.Requests, s.Period)
		return kept, nil
	})
}

// rules returns what a breaker goes by.
func (h Health) rules() breaker.Rules {
	return breaker.Rules{
		Failures: h.Failures, ErrorPercent: h.ErrorPercent, MinRequests: h.MinRequests,
		Window: h.Window, Ejection: h.Ejection, MaxEjection: h.MaxEjection,
	}
}

// set has the state go by the numbers of the configuration that has become the
// current one.
func (s *state) set(now time.Time, set Settings, h Health) {
	s.breaker.SetRules(now, h.rules())
	s.quota.set(now, set.Requests, set.Period)
}

// full reports whether the upstream may not be asked once more right now.
func (s *state) full(now time.Time, set *Settings) bool {
	if set.MaxInFlight > 0 && s.inFlight.Load() >= int64(set.MaxInFlight) {
		return true
	}
	if set.Requests > 0 {
		left, _ := s.quota.look(now)
		return left <= 0
	}
	return false
}

// room returns how long it may take until the upstream can be asked again.
func (s *state) room(now time.Time, set *Settings) time.Duration {
	if set.Requests > 0 {
		if _, wait := s.quota.look(now); wait > 0 {
			return wait
		}
	}
	return busyWait
}

// enter takes a place for one request, if there is one. Whoever gets it leaves.
func (s *state) enter(now time.Time, set *Settings) bool {
	n := s.inFlight.Add(1)
	if set.MaxInFlight > 0 && n > int64(set.MaxInFlight) || !s.quota.take(now) {
		s.inFlight.Add(-1)
		return false
	}
	s.asked.Add(1)
	s.meters.inFlight.Inc()
	return true
}

func (s *state) leave() {
	s.inFlight.Add(-1)
	s.meters.inFlight.Dec()
}

// Close implements [io.Closer]: the last generation that knew the upstream has
// ended.
func (s *state) Close() error {
	s.meters.release()
	return nil
}
