package failover

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/holysheep/relay/internal/ledger"
)

// One client can have other numbers than the next: what is told of each to a
// store that has lost its data comes back as fast as its own say.
func TestWhatIsKnownIsToldByEachClientsNumbers(t *testing.T) {
	for name, debt := range map[string]bool{"nothing passed meanwhile": false, "something did": true} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newStore()
				all := start(t, s, 1, Options{})
				r := all[0]
				slow, fast := by(1, tokensClaim(900*second)), by(2, tokensClaim(second))
				slow.Limit, fast.Limit = 1000*second, 5*second
				r.take(t, slow)
				r.take(t, fast)
				fall(t, s, absent, all)
				if debt {
					slow.Cost, slow.Actual = 50*second, 50*second
					if _, ok := r.take(t, slow); !ok {
						t.Fatal("refused")
					}
					r.take(t, fast)
				}
				s.lose()
				rise(t, s, all)
				time.Sleep(10 * time.Second) // of the bubble
				if got := s.stands(slow); got < 850*second || got > 950*second {
					t.Errorf("used are %d of what comes back in 900 s", got)
				}
			})
		})
	}
}

// A store that loses its data between two beats, and answers all the time as if
// nothing had been taken, is told what was known before it did.
func TestWhatWasKnownOutlivesTheAnswersOfAnEmptyStore(t *testing.T) {
	for name, beats := range map[string]fault{"the next beat is well": well, "it gets no answer": broken} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newStore()
				r := start(t, s, 1, Options{})[0]
				money, slow := budgetClaim(40, 100), tokensClaim(400*second)
				slow.Limit = 1000 * second
				r.take(t, money, slow)
				time.Sleep(3 * time.Second) // of the bubble
				s.lose()
				s.setOnly(beats, "beat")
				money.Cost, slow.Cost = 1, second
				for range 5 {
					r.take(t, money, slow)
				}
				time.Sleep(2 * time.Second) // of the bubble
				s.set(well)
				r.take(t, money, slow)
				time.Sleep(3 * time.Second) // of the bubble
				if spent, used := s.stands(money), s.stands(slow); spent < 40 || spent > 46 || used < 380*second || used > 406*second {
					t.Errorf("spent %d and used %d, want 40 and 390 s", spent, used)
				}
				if got := r.forget().n; got > 2 {
					t.Errorf("%d counters are remembered, and there are 2", got)
				}
			})
		})
	}
}

// Of what nothing was taken nothing is remembered, until something is.
func TestOnlyWhatWasTakenOfIsRemembered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := start(t, newStore(), 1, Options{Beat: time.Hour})[0]
		remembers := func(when string, want int) {
			t.Helper()
			r.mu.Lock()
			defer r.mu.Unlock()
			if r.before.n != want || len(r.asked) != 0 {
				t.Errorf("%s: %d counters are remembered, want %d", when, r.before.n, want)
			}
		}
		r.take(t, tokensClaim(second), budgetClaim(1, 100), flightClaim(1))
		remembers("all were full", 0)
		r.take(t, tokensClaim(second), budgetClaim(1, 100))
		remembers("something was taken", 2)
		_ = r.Reset(t.Context(), []ledger.Claim{budgetClaim(0, 100)})
		remembers("one was reset", 1)
	})
}
