package ledgertest

import (
	"testing"
	"time"

	"github.com/holysheep/relay/internal/ledger"
)

// tickets are of many claims.
func (s suite) tickets(t *testing.T) {
	t.Run("all or nothing", func(t *testing.T) {
		b := s.bench(t, noon())
		flight, day, full := inFlight("each", "ada", 5), daily(1, 10), daily(1, 10)
		full.Counter = &ledger.Counter{Name: "all.budget", Kind: ledger.KindBudget, Window: full.Counter.Window}
		full.Limit = 0
		for range 3 {
			b.refuse(perSecond(1, 5), flight, day, full)
		}
		b.used(perSecond(1, 5), 0)
		b.used(flight, 0)
		b.used(day, 0)
		ticket, _ := b.take(perSecond(1, 5), flight, day, full)
		for _, c := range ticket.Claims {
			if c.Taken || c.Wait != 0 && c.Counter != full.Counter {
				t.Errorf("%+v", c)
			}
		}
	})
	t.Run("none", func(t *testing.T) {
		b := s.bench(t, noon())
		b.must()
	})
	t.Run("shadows", s.shadows)
	t.Run("each claim settles by itself", func(t *testing.T) {
		b := s.bench(t, noon())
		ticket := b.must(perSecond(4, 5), inFlight("each", "ada", 1), daily(7, 10))
		ticket.Claims[0].Actual, ticket.Claims[2].Actual = 100_000, 9
		if err := b.Settle(ticket); err != nil {
			t.Fatal(err)
		}
		b.used(perSecond(1, 5), 100_000)
		b.used(inFlight("each", "ada", 1), 0)
		b.used(daily(0, 10), 9)
	})
	t.Run("many settle at once", func(t *testing.T) {
		b := s.bench(t, noon())
		var tickets []*ledger.Ticket
		for range 3 {
			ticket := b.must(perSecond(1, 5), inFlight("each", "ada", 3))
			ticket.Claims[0].Actual = 0
			tickets = append(tickets, ticket)
		}
		if err := b.Settle(tickets...); err != nil {
			t.Fatal(err)
		}
		b.used(perSecond(1, 5), 0)
		b.used(inFlight("each", "ada", 3), 0)
	})
	t.Run("a flush loses everything", func(t *testing.T) {
		b := s.bench(t, noon())
		b.must(perSecond(5, 5), inFlight("each", "ada", 1), daily(10, 10))
		if err := b.Flush(); err != nil {
			t.Fatal(err)
		}
		b.must(perSecond(5, 5), inFlight("each", "ada", 1), daily(10, 10))
	})
	t.Run("a reset is of what is named", func(t *testing.T) {
		b := s.bench(t, noon())
		b.must(perSecond(5, 5), daily(10, 10))
		if err := b.Reset([]ledger.Claim{perSecond(0, 5)}); err != nil {
			t.Fatal(err)
		}
		b.used(perSecond(1, 5), 0)
		b.used(daily(0, 10), 10)
	})
}

func (s suite) shadows(t *testing.T) {
	shadow := func(n int64) ledger.Claim {
		c := perSecond(n, 5)
		c.Shadow = true
		return c
	}
	t.Run("one without room refuses nothing and is not taken", func(t *testing.T) {
		b := s.bench(t, noon())
		b.must(perSecond(5, 5))
		ticket := b.must(shadow(1), daily(4, 10))
		if c := ticket.Claims[0]; c.Taken || c.Wait != (100*time.Millisecond).Microseconds() || c.Used != 500_000 {
			t.Errorf("%+v", c)
		}
		b.settle(ticket, 0)
		b.used(perSecond(1, 5), 500_000)
		b.used(daily(0, 10), 4)
	})
	t.Run("one with room is taken with the rest", func(t *testing.T) {
		b := s.bench(t, noon())
		b.must(shadow(2), daily(4, 10))
		b.used(perSecond(1, 5), 200_000)
	})
	t.Run("one with room takes nothing of what is refused", func(t *testing.T) {
		b := s.bench(t, noon())
		b.refuse(shadow(2), daily(11, 10))
		b.used(perSecond(1, 5), 0)
	})
}
