package failover

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/holysheep/relay/internal/ledger"
)

// Settlements that come faster than the store answers keep the goroutine from
// nothing else: the replica lives on, and so do its flights.
func TestSettlementsWithoutEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStore()
		r := start(t, s, 1, Options{})[0]
		r.take(t, flightClaim(1))
		s.slow = map[string]time.Duration{"settle": 5 * time.Millisecond}
		s.called("beat")
		s.called("renew")
		for range 10_000 {
			tk, _ := r.take(t, budgetClaim(1, 1<<40))
			tk.Claims[0].Actual = 0
			r.Settle(tk)
			time.Sleep(4 * time.Millisecond) // of the bubble
		}
		if beats, renewals := s.called("beat"), s.called("renew"); beats < 15 || renewals < 3 {
			t.Errorf("%d beats and %d renewals in 40s, want 20 and 4", beats, renewals)
		}
		if got := s.stands(flightClaim(1)); got != 1 {
			t.Errorf("%d flights are held after 40s, want 1", got)
		}
		if got := r.told().backlog; got > 20 {
			t.Errorf("%d settlements wait", got)
		}
	})
}

// Who has very much to tell lives on while it tells it.
func TestALongHandover(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStore()
		all := start(t, s, 1, Options{})
		r := all[0]
		r.take(t, flightClaim(1))
		for i := range 30 * maxRaise {
			c := budgetClaim(1, 100)
			c.Subject.A = fmt.Sprint(i)
			r.take(t, c)
		}
		fall(t, s, absent, all)
		s.lose()
		s.slow = map[string]time.Duration{"raise": 400 * time.Millisecond}
		s.set(well)
		s.called("beat")
		s.called("renew")
		time.Sleep(12 * time.Second) // of the bubble
		if beats, renewals := s.called("beat"), s.called("renew"); beats < 5 || renewals < 2 {
			t.Errorf("%d beats and %d renewals in 12s, want 6 and 2", beats, renewals)
		}
		time.Sleep(5 * time.Second) // of the bubble
		if c := budgetClaim(0, 100); r.Down() || s.stands(c) != 0 {
			t.Errorf("down %t", r.Down())
		}
	})
}

func TestCloseEndsInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStore()
		r := start(t, s, 1, Options{})[0]
		var open []*ledger.Ticket
		for range 100 * batch {
			tk, _ := r.take(t, budgetClaim(1, 1<<40))
			tk.Claims[0].Actual = 0
			open = append(open, tk)
		}
		s.slow = map[string]time.Duration{"settle": 400 * time.Millisecond}
		for _, tk := range open {
			r.Settle(tk)
		}
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		defer cancel()
		begin := time.Now()
		err := r.Close(ctx)
		if took := time.Since(begin); took > 4*time.Second || err == nil {
			t.Errorf("it took %s, with error %v", took, err)
		}
	})
}
