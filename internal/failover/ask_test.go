package failover

import (
	"context"
	"testing"
	"testing/synctest"
	"time"
)

// A store that answers beats and nothing else comes and goes, but ever more
// seldom.
func TestAStoreThatDecidesNothingIsAskedSeldom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStore()
		r := start(t, s, 1, Options{})[0]
		s.setOnly(frozen, "take")
		var waited time.Duration
		for range 6000 { // of 10 ms
			begin := time.Now()
			r.take(t, flightClaim(1))
			waited += time.Since(begin)
			time.Sleep(10 * time.Millisecond)
		}
		if got := len(r.told().modes); got < 4 || got > 80 {
			t.Errorf("%d changes in a minute", got)
		}
		if waited > 6*time.Second {
			t.Errorf("requests have waited for %s in a minute", waited)
		}
	})
}

// Whoever asks and leaves makes the store no worse.
func TestAClientThatLeavesIsNoFailure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStore()
		r := start(t, s, 1, Options{})[0]
		gone, cancel := context.WithCancel(t.Context())
		cancel()
		for range 5 {
			tk := ticket(rateClaim(1), flightClaim(1))
			if !r.Take(gone, tk) {
				t.Fatal("refused")
			}
			tk.Claims[0].Actual = 0
			r.Settle(tk)
			synctest.Wait()
		}
		if r.Down() || s.stands(rateClaim(0)) != 0 || s.stands(flightClaim(1)) != 0 {
			t.Errorf("down %t, used %d, in flight %d", r.Down(), s.stands(rateClaim(0)), s.stands(flightClaim(1)))
		}
	})
}
