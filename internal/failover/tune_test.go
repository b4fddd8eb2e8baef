package failover

import (
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/holysheep/relay/internal/ledger"
)

// Who changes the deadline in an outage, which is when one does, has the share
// and the counters stay, in this outage and in the next.
func TestTuningInAnOutageKeepsTheShare(t *testing.T) {
	for name, lived := range map[string]time.Duration{"for long": time.Minute, "for less than the new ttl": 9 * time.Second} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newStore()
				all := []replica{join(t, s, "r00", Options{}), join(t, s, "r01", Options{})}
				time.Sleep(lived) // of the bubble
				all[0].take(t, budgetClaim(20, 100))
				for outage, want := range []int{40, 20} { // half of what is left
					fall(t, s, absent, all)
					spent := 0
					for i := range 100 {
						if i == 10 {
							all[0].Tune(Options{Deadline: 10 * time.Second, Failures: 5, Lease: time.Minute})
						}
						tk, ok := all[0].take(t, budgetClaim(1, 100))
						if tk.Claims[0].Mode != ledger.ModeLocal {
							t.Fatalf("request %d is decided by %s", i, tk.Claims[0].Mode)
						}
						if ok {
							spent++
						}
					}
					if spent != want {
						t.Errorf("in outage %d it spends %d, want %d", outage, spent, want)
					}
					rise(t, s, all)
					all[0].take(t, budgetClaim(0, 100))
				}
			})
		})
	}
}

func TestATunedLedgerGoesByWhatItWasTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStore()
		r := start(t, s, 1, Options{})[0]
		r.Tune(Options{Deadline: 200 * time.Millisecond, Failures: 2})
		s.set(frozen)
		var waits []time.Duration
		for range 3 {
			begin := time.Now()
			r.take(t, flightClaim(5))
			waits = append(waits, time.Since(begin))
		}
		if waits[0] != 200*time.Millisecond || waits[1] != 200*time.Millisecond || waits[2] != 0 {
			t.Errorf("requests waited for %v, want the deadline twice", waits)
		}
	})
}

// Flights are renewed by another lease at once: by the old one it could be too
// late.
func TestAnotherLeaseRenewsAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStore()
		r := start(t, s, 1, Options{Lease: time.Hour})[0]
		r.take(t, flightClaim(5))
		s.called("renew")
		renewed := func(when string, after time.Duration, want int) {
			t.Helper()
			time.Sleep(after) // of the bubble
			synctest.Wait()
			if got := s.called("renew"); got != want {
				t.Errorf("%s: renewed %d times, want %d", when, got, want)
			}
		}
		renewed("in a minute of an hour", time.Minute, 0)
		r.Tune(Options{Lease: time.Hour})
		renewed("by the same lease", 0, 0)
		r.Tune(Options{Lease: 30 * time.Second})
		renewed("by a shorter one", 0, 1)
		renewed("and every third of it", 30*time.Second+time.Millisecond, 3)
		r.Tune(Options{Lease: time.Hour})
		renewed("by a longer one", 0, 1)
	})
}

func TestTheShareByAnotherNumberOfReplicas(t *testing.T) {
	const ttl = 6 * time.Second
	old := []time.Duration{0, ttl / 2, ttl, ttl * 3 / 2, ttl * 2}
	tests := []struct {
		name          string
		before, after int64
		ttl           time.Duration
		beats         []time.Duration // by each 3 live, and the rank is 1
		sleeps        bool
		want          share
	}{
		{"the same", 0, 0, ttl, old, false, share{3, 1}},
		{"the same, by a ttl for which it is young", 0, 0, 3 * ttl, old, false, share{3, 1}},
		{"the same, and a longer ttl makes no one old", 0, 0, ttl / 4, old[:1], false, share{}},
		{"more", 0, 5, ttl, old, false, share{5, 1}},
		{"more, and a longer ttl", 0, 5, 3 * ttl, old, false, share{5, 1}},
		{"fewer than live", 5, 2, ttl, old, false, share{3, 1}},
		{"fewer, and a longer ttl", 5, 0, 3 * ttl, old, false, share{3, 1}},
		{"a number gives one to the young", 0, 4, ttl, old[:1], false, share{4, unranked}},
		{"none takes it from the young", 4, 0, ttl, old[:1], false, share{}},
		{"none to who has not beaten", 0, 4, ttl, nil, false, share{}},
		{"who was stopped has what needs no rank", 4, 5, ttl, old, true, share{5, unranked}},
		{"and the same number changes nothing", 4, 4, 3 * ttl, old, true, share{4, unranked}},
		{"and without a number nothing", 4, 0, ttl, old, true, share{}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			v := lives{ttl: ttl, replicas: tt.before}
			s := v.share()
			for _, at := range tt.beats {
				s = v.beat(time.Unix(0, 0).Add(at), ledger.Beat{Live: 3, Rank: 1})
			}
			if tt.sleeps {
				s = v.sleep(s)
			}
			if got := v.tune(s, tt.ttl, tt.after); got != tt.want {
				t.Errorf("share %v, want %v", got, tt.want)
			}
		})
	}
}

// Requests, the goroutine and whoever tunes get on with each other: for the race
// detector.
func TestTuningUnderRequests(t *testing.T) {
	l := New(door{store: newStore(), name: "r"}, Options{Beat: time.Millisecond, Probe: time.Millisecond})
	defer func() { _ = l.Close(t.Context()) }()
	var wg sync.WaitGroup
	for i := range 4 {
		wg.Go(func() {
			for n := range 200 {
				if i == 0 {
					l.Tune(Options{Deadline: time.Second, Failures: 1 + n%3, Lease: time.Duration(1+n) * time.Second, Replicas: n % 3})
					continue
				}
				tk := ticket(rateClaim(1), flightClaim(5))
				if l.Take(t.Context(), tk) {
					l.Settle(tk)
				}
			}
		})
	}
	wg.Wait()
}
