package ledgertest

import (
	"testing"
	"time"

	"github.com/holysheep/relay/internal/ledger"
)

// bench is a store with its clock, for tests by hand.
type bench struct {
	testing.TB
	Store
	clock *Clock
}

// noon is when tests begin that do not care.
func noon() time.Time { return time.Date(2027, time.March, 10, 12, 0, 0, 0, time.UTC) }

func (s suite) bench(t testing.TB, start time.Time) bench {
	t.Helper()
	clock := NewClock(start)
	return bench{TB: t, Store: s.open(t, clock), clock: clock}
}

// take takes a ticket, or fails to.
func (b bench) take(claims ...ledger.Claim) (*ledger.Ticket, bool) {
	b.Helper()
	t := &ledger.Ticket{Claims: claims}
	for i := range claims {
		claims[i].Actual = claims[i].Cost
	}
	taken, err := b.Take(t)
	if err != nil || taken && t.Lease == 0 {
		b.Errorf("taken %t under lease %d: %v", taken, t.Lease, err)
	}
	return t, taken && err == nil
}

// must takes a ticket.
func (b bench) must(claims ...ledger.Claim) *ledger.Ticket {
	b.Helper()
	t, taken := b.take(claims...)
	if !taken {
		b.Fatalf("refused: %+v", t.Claims)
	}
	return t
}

// refuse is refused a ticket, and returns its first claim.
func (b bench) refuse(claims ...ledger.Claim) ledger.Claim {
	b.Helper()
	t, taken := b.take(claims...)
	if taken {
		b.Fatalf("taken: %+v", t.Claims)
	}
	return t.Claims[0]
}

// settle settles a ticket whose first claim came to actual.
func (b bench) settle(t *ledger.Ticket, actual int64) {
	b.Helper()
	t.Claims[0].Actual = actual
	if err := b.Settle(t); err != nil {
		b.Error(err)
	}
}

func (b bench) read(c ledger.Claim) ledger.Claim {
	b.Helper()
	claims := []ledger.Claim{c}
	if err := b.Read(claims); err != nil {
		b.Error(err)
	}
	return claims[0]
}

// used fails the test if not so much is used.
func (b bench) used(c ledger.Claim, want int64) {
	b.Helper()
	if got := b.read(c); got.Used != want {
		b.Fatalf("used %d, want %d: %+v", got.Used, want, got)
	}
}

// exact fails the test unless c can be taken in exactly wait, and not a
// microsecond sooner.
func (b bench) exact(c ledger.Claim, wait time.Duration) {
	b.Helper()
	if got := b.refuse(c); got.Wait != wait.Microseconds() {
		b.Fatalf("wait %dµs, want %s: %+v", got.Wait, wait, got)
	}
	b.clock.Advance(wait - time.Microsecond)
	if got := b.refuse(c); got.Wait != 1 {
		b.Fatalf("wait %dµs, want 1: %+v", got.Wait, got)
	}
	b.clock.Advance(time.Microsecond)
	b.must(c)
}
