package ledgertest

import (
	"testing"
	"time"

	"github.com/holysheep/relay/internal/ledger"
)

func inFlight(name, client string, limit int64) ledger.Claim {
	return ledger.Claim{
		Counter: &ledger.Counter{Name: name + ".in_flight", Kind: ledger.KindFlight, OfClient: client != ""},
		Subject: ledger.Subject{A: client}, Cost: 1, Limit: limit,
	}
}

func (s suite) flights(t *testing.T) {
	t.Run("as many as may, until one is given back", func(t *testing.T) {
		b, two := s.bench(t, noon()), inFlight("each", "ada", 2)
		first := b.must(two)
		if second := b.must(two); second.Lease == first.Lease || second.Claims[0].Used != 2 || second.Claims[0].Reset != 0 {
			t.Errorf("the second is %+v", second)
		}
		if c := b.refuse(two); c.Wait != ledger.Unknown || c.Used != 2 {
			t.Errorf("the third is %+v", c)
		}
		b.settle(first, 0)
		b.must(two)
		b.used(two, 2)
	})
	t.Run("a lowered limit has no room until enough are back", func(t *testing.T) {
		b := s.bench(t, noon())
		var tickets []*ledger.Ticket
		for range 3 {
			tickets = append(tickets, b.must(inFlight("each", "ada", 3)))
		}
		for _, ticket := range tickets {
			b.refuse(inFlight("each", "ada", 1))
			b.settle(ticket, 0)
		}
		b.must(inFlight("each", "ada", 1))
	})
	t.Run("of none nothing ever fits", func(t *testing.T) {
		if c := s.bench(t, noon()).refuse(inFlight("each", "ada", 0)); c.Wait != ledger.Never {
			t.Errorf("wait %d", c.Wait)
		}
	})
	t.Run("after a reset those who held it give nothing back", func(t *testing.T) {
		b, one := s.bench(t, noon()), inFlight("each", "ada", 1)
		old := b.must(one)
		if err := b.Reset([]ledger.Claim{one}); err != nil {
			t.Fatal(err)
		}
		held := b.must(one)
		b.settle(old, 0)
		b.refuse(one)
		b.settle(held, 0)
		b.must(one)
	})
	t.Run("a lease ends", func(t *testing.T) {
		if s.lease == 0 {
			t.Skip("the store has no leases")
		}
		b, one := s.bench(t, noon()), inFlight("each", "ada", 1)
		lost := b.must(one)
		b.clock.Advance(s.lease - time.Microsecond)
		b.refuse(one)
		b.clock.Advance(time.Microsecond)
		held := b.must(one)
		b.settle(lost, 0) // it lives after all
		b.refuse(one)
		b.settle(held, 0)
		b.used(one, 0)
	})
}
