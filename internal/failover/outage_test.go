package failover

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/holysheep/relay/internal/ledger"
)

func ticket(claims ...ledger.Claim) *ledger.Ticket {
	return &ledger.Ticket{Claims: slices.Clone(claims)}
}

// take asks for claims and returns the ticket, and whether it was granted.
func (r replica) take(t *testing.T, claims ...ledger.Claim) (*ledger.Ticket, bool) {
	t.Helper()
	tk := ticket(claims...)
	return tk, r.Take(t.Context(), tk)
}

// fall has the store fail, and the replicas notice.
func fall(t *testing.T, s *store, how fault, all []replica) {
	t.Helper()
	s.set(how)
	for _, r := range all {
		for !r.Down() {
			r.take(t)
		}
	}
}

// rise has the store work again, and the replicas notice.
func rise(t *testing.T, s *store, all []replica) {
	t.Helper()
	s.set(well)
	time.Sleep(5 * time.Second) // of the bubble
	for i, r := range all {
		if r.Down() {
			t.Fatalf("replica %d does not know that the store is back", i)
		}
	}
}

func TestAFrozenStoreCostsTheDeadlineAFewTimesAndThenNothing(t *testing.T) {
	for name, how := range map[string]fault{"frozen": frozen, "mute": mute} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newStore()
				r := start(t, s, 1, Options{})[0]
				s.set(how)
				s.called("take")
				for i := range 20 {
					begin := time.Now()
					if tk, ok := r.take(t, rateClaim(0), flightClaim(5)); !ok || tk.Claims[1].Mode != ledger.ModeLocal {
						t.Fatalf("request %d: passed %t by %s", i, ok, tk.Claims[1].Mode)
					} else {
						r.Settle(tk)
					}
					switch got := time.Since(begin); {
					case i < 3 && got != 50*time.Millisecond:
						t.Errorf("request %d waited for %s", i, got)
					case i > 2 && got != 0:
						t.Errorf("request %d waited for %s", i, got)
					}
				}
				if got := s.called("take"); got != 3 {
					t.Errorf("the store was asked %d times", got)
				}
			})
		})
	}
}

// A request that is decided alone is decided at once, even as it fails for the
// first time.
func TestOneFailureIsNoOutage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStore()
		r := start(t, s, 2, Options{})[0]
		for range 5 {
			s.set(broken)
			r.take(t)
			r.take(t)
			s.set(well)
			if tk, ok := r.take(t, rateClaim(1)); !ok || tk.Claims[0].Mode != ledger.ModeShared {
				t.Fatalf("passed %t by %s", ok, tk.Claims[0].Mode)
			}
			time.Sleep(time.Second)
		}
		if len(r.told().modes) != 0 {
			t.Errorf("changes of mode: %v", r.told().modes)
		}
	})
}

func TestWhatBecomesOfClaimsInAnOutage(t *testing.T) {
	open, closed := rateClaim(1), budgetClaim(1, 100)
	open.Down, closed.Down = ledger.DownOpen, ledger.DownClosed
	shadow, nothing := closed, closed
	shadow.Shadow, nothing.Cost = true, 0
	tests := []struct {
		name   string
		claims []ledger.Claim
		want   bool
		modes  []ledger.Mode
		waits  []int64
	}{
		{"local has a share", []ledger.Claim{flightClaim(4)}, true, []ledger.Mode{ledger.ModeLocal}, []int64{0}},
		{"local has none", []ledger.Claim{flightClaim(0)}, false, []ledger.Mode{ledger.ModeLocal}, []int64{ledger.Never}},
		{"open passes", []ledger.Claim{open}, true, []ledger.Mode{ledger.ModeOpen}, []int64{0}},
		{"closed refuses", []ledger.Claim{closed}, false, []ledger.Mode{ledger.ModeClosed}, []int64{ledger.Unknown}},
		{"closed refuses what is local too", []ledger.Claim{flightClaim(4), closed}, false, []ledger.Mode{ledger.ModeLocal, ledger.ModeClosed}, []int64{0, ledger.Unknown}},
		{"closed in the shadow refuses nothing", []ledger.Claim{flightClaim(4), shadow}, true, []ledger.Mode{ledger.ModeLocal, ledger.ModeClosed}, []int64{0, ledger.Unknown}},
		{"closed lets pass what costs nothing", []ledger.Claim{nothing}, true, []ledger.Mode{ledger.ModeClosed}, []int64{0}},
		{"local and open", []ledger.Claim{flightClaim(4), open}, true, []ledger.Mode{ledger.ModeLocal, ledger.ModeOpen}, []int64{0, 0}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newStore()
				all := start(t, s, 1, Options{})
				fall(t, s, absent, all)
				tk, ok := all[0].take(t, tt.claims...)
				if ok != tt.want {
					t.Errorf("passed %t, want %t", ok, tt.want)
				}
				for i, c := range tk.Claims {
					if c.Mode != tt.modes[i] || c.Wait != tt.waits[i] {
						t.Errorf("claim %d: wait %d by %s, want %d by %s", i, c.Wait, c.Mode, tt.waits[i], tt.modes[i])
					}
					if c.Taken != (ok && c.Mode == ledger.ModeLocal) {
						t.Errorf("claim %d: taken %t", i, c.Taken)
					}
				}
				if ok {
					all[0].Settle(tk)
				}
			})
		})
	}
}

// The replicas together let pass what the limit has, to the unit: remainders go
// by rank.
func TestReplicasTogetherLetPassTheLimit(t *testing.T) {
	tests := []struct {
		name  string
		claim ledger.Claim
		known int64 // taken at the store before, by claims like it, and seen by all
		want  int   // in sum
		each  []int
	}{
		{"requests", rateClaim(1), 0, 10, []int{3, 3, 2, 2}},
		{"requests, of which five are known to be used", rateClaim(1), 5, 4, []int{1, 1, 1, 1}},
		{"flights", flightClaim(10), 0, 10, []int{3, 3, 2, 2}},
		{"flights, fewer than replicas", flightClaim(2), 0, 2, []int{1, 1, 0, 0}},
		{"a budget", budgetClaim(5, 100), 0, 20, []int{5, 5, 5, 5}},
		{"a budget of which a fifth is spent", budgetClaim(5, 100), 4, 16, []int{4, 4, 4, 4}},
		{"tokens", tokensClaim(second / 2), 0, 20, []int{5, 5, 5, 5}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newStore()
				all := start(t, s, 4, Options{})
				for range tt.known {
					all[0].take(t, tt.claim)
				}
				for _, r := range all { // learns how it stands
					if look := tt.claim; look.Counter.Kind != ledger.KindFlight {
						look.Cost = 0
						r.take(t, look)
					}
				}
				fall(t, s, absent, all)
				sum := 0
				for i, r := range all {
					passed := 0
					for range 20 {
						if _, ok := r.take(t, tt.claim); ok {
							passed++
						}
					}
					if passed != tt.each[i] {
						t.Errorf("rank %d lets %d pass, want %d", i, passed, tt.each[i])
					}
					sum += passed
				}
				if sum != tt.want {
					t.Errorf("together %d, want %d", sum, tt.want)
				}
			})
		})
	}
}

// During an outage a rate goes on, a part in each replica.
func TestReplicasTogetherKeepTheRate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStore()
		all := start(t, s, 4, Options{})
		fall(t, s, frozen, all)
		passed := 0
		for range 100 { // for 100 s, at a request a second, with a burst of 10
			for _, r := range all {
				if _, ok := r.take(t, rateClaim(1)); ok {
					passed++
				}
			}
			time.Sleep(time.Second)
		}
		if passed > 110 || passed < 105 {
			t.Errorf("%d have passed, of 110", passed)
		}
	})
}

func TestAReplicaBornInAnOutageHasNoShare(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStore()
		all := start(t, s, 2, Options{})
		s.set(absent)
		born := join(t, s, "r09", Options{})
		fall(t, s, absent, append(all, born))
		time.Sleep(time.Minute)
		if tk, ok := born.take(t, rateClaim(1)); ok || tk.Claims[0].Wait != ledger.Unknown || tk.Claims[0].Mode != ledger.ModeClosed {
			t.Errorf("passed %t by %s, wait %d", ok, tk.Claims[0].Mode, tk.Claims[0].Wait)
		}
		if _, ok := all[0].take(t, rateClaim(1)); !ok {
			t.Error("the others have lost their share")
		}
		rise(t, s, all)
		if _, ok := born.take(t, rateClaim(1)); !ok {
			t.Error("the store is back, and it still refuses")
		}
	})
}

func TestAConfiguredNumberOfReplicas(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStore()
		all := start(t, s, 1, Options{Replicas: 4})
		fall(t, s, absent, all)
		passed := 0
		for range 10 {
			if _, ok := all[0].take(t, flightClaim(10)); ok {
				passed++
			}
		}
		if passed != 3 {
			t.Errorf("%d of 10 in flight have passed, want 3 of the rank 0 among 4", passed)
		}
	})
}
