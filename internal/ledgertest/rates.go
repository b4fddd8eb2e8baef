package ledgertest

import (
	"testing"
	"time"

	"github.com/holysheep/relay/internal/ledger"
)

// perSecond is a claim of n requests of 10 a second with such a burst: 100ms
// each.
func perSecond(n, burst int64) ledger.Claim {
	const unit = 100_000
	return ledger.Claim{
		Counter: &ledger.Counter{Name: "each.requests", Kind: ledger.KindRate, OfClient: true},
		Subject: ledger.Subject{A: "ada"},
		Cost:    n * unit, Limit: burst * unit, Unit: unit,
	}
}

func (s suite) rates(t *testing.T) {
	t.Run("ten a second with a burst of five", func(t *testing.T) { rateByHand(s.bench(t, noon())) })
	t.Run("more than a bucket holds never fits", func(t *testing.T) {
		b := s.bench(t, noon())
		b.exactly(b.refuse(perSecond(6, 5)), ledger.Never, 0)
		b.must(perSecond(5, 5))
	})
	t.Run("what costs nothing passes an empty bucket", func(t *testing.T) {
		b := s.bench(t, noon())
		b.must(perSecond(5, 5))
		ticket := b.must(perSecond(0, 5))
		b.settle(ticket, 200_000) // it did use something
		b.used(perSecond(0, 5), 700_000)
	})
	t.Run("buckets of others are others", func(t *testing.T) {
		b := s.bench(t, noon())
		b.must(perSecond(5, 5))
		for _, other := range []ledger.Subject{{}, {A: "bob"}, {A: "ada", B: "m"}, {A: "adam"}} {
			c := perSecond(5, 5)
			c.Subject = other
			b.must(c)
		}
	})
	t.Run("a counter is known by its name", func(t *testing.T) {
		b := s.bench(t, noon())
		b.must(perSecond(5, 5))
		b.refuse(perSecond(1, 5)) // its Counter is another, of the same name
	})
	t.Run("settlement", s.settledRates)
	t.Run("a first minute", s.firstMinute)
	t.Run("other numbers", s.otherNumbers)
	t.Run("two bursts at one pace", s.twoBursts)
}

func rateByHand(b bench) {
	for i := range int64(5) {
		ticket := b.must(perSecond(1, 5))
		b.exactly(ticket.Claims[0], 0, (i+1)*100_000)
	}
	b.exact(perSecond(1, 5), 100*time.Millisecond)
	b.clock.Advance(time.Second)
	b.used(perSecond(1, 5), 0)
	b.must(perSecond(3, 5))
	b.exact(perSecond(5, 5), 300*time.Millisecond)
}

// exactly fails the test unless c was told such a wait, and until when nothing
// of it is taken.
func (b bench) exactly(c ledger.Claim, wait, reset int64) {
	b.Helper()
	if c.Wait != wait || c.Reset != reset || c.Used != reset || c.At != b.clock.Micros() {
		b.Fatalf("wait %d, reset %d, want %d and %d at %d: %+v", c.Wait, c.Reset, wait, reset, b.clock.Micros(), c)
	}
}

func (s suite) settledRates(t *testing.T) {
	tests := []struct {
		name   string
		actual int64         // of the 4 that were reserved
		after  time.Duration // from the reservation to the settlement
		used   int64         // in milliseconds of 500
	}{
		{name: "as reserved", actual: 4, used: 400},
		{name: "less, at once", actual: 1, used: 100},
		{name: "nothing, at once", actual: 0, used: 0},
		{name: "less, when time has given back a part", actual: 1, after: 200 * time.Millisecond, used: 0},
		{name: "less, when time has given back a little", actual: 3, after: 200 * time.Millisecond, used: 100},
		{name: "less, when time has given back everything", actual: 1, after: time.Second, used: 0},
		{name: "more", actual: 5, used: 500},
		{name: "more than the bucket holds", actual: 8, used: 800},
		{name: "more, when time has given back everything", actual: 5, after: time.Second, used: 100},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := s.bench(t, noon())
			ticket := b.must(perSecond(4, 5))
			b.clock.Advance(tt.after)
			b.settle(ticket, tt.actual*100_000)
			b.used(perSecond(1, 5), tt.used*1000)
			if tt.used > 400 {
				b.exact(perSecond(1, 5), time.Duration(tt.used-400)*time.Millisecond)
			}
		})
	}
	t.Run("what others took since is not given back", func(t *testing.T) {
		b := s.bench(t, noon())
		first := b.must(perSecond(5, 5))
		b.clock.Advance(400 * time.Millisecond)
		b.must(perSecond(4, 5))
		b.settle(first, 0) // of its 500ms time has given back 400
		b.used(perSecond(1, 5), 400_000)
	})
	t.Run("beyond all bounds", func(t *testing.T) {
		b := s.bench(t, noon())
		b.settle(b.must(perSecond(0, 5)), ledger.Never)
		const twoYears = 2 * 366 * 24 * 3600 * 1_000_000
		b.used(perSecond(1, 5), twoYears)
	})
}

// firstMinute holds the documentation of limit to what 60 a minute admit.
func (s suite) firstMinute(t *testing.T) {
	for burst, want := range map[int64]int{1: 60, 10: 69, 60: 119} {
		b := s.bench(t, noon())
		c := ledger.Claim{Counter: &ledger.Counter{Name: "all.requests", Kind: ledger.KindRate}, Cost: 1_000_000, Limit: burst * 1_000_000}
		got := 0
		for range 240 {
			for _, taken := b.take(c); taken; _, taken = b.take(c) {
				got++
			}
			b.clock.Advance(250 * time.Millisecond)
		}
		if got != want {
			t.Errorf("burst %d admits %d in the first minute, want %d", burst, got, want)
		}
	}
}

// twoBursts has replicas with a burst of 60 and with one of 10, at 60 a minute,
// ask beside each other: they get what the larger burst lets through.
func (s suite) twoBursts(t *testing.T) {
	b := s.bench(t, noon())
	long := ledger.Claim{Counter: &ledger.Counter{Name: "all.requests", Kind: ledger.KindRate}, Cost: 1_000_000, Limit: 60_000_000, Pace: 1_000_000_000}
	short := long
	short.Limit = 10_000_000
	got := 0
	for i := range 600 {
		first, second := short, long
		if i%3 == 0 {
			first, second = long, short
		}
		for _, c := range []ledger.Claim{first, second} {
			for _, taken := b.take(c); taken; _, taken = b.take(c) {
				got++
			}
		}
		b.clock.Advance(100 * time.Millisecond)
	}
	if got != 119 {
		t.Errorf("%d were admitted in the first minute, want 119", got)
	}
}

// otherNumbers gives a rule other numbers while its bucket is in use.
func (s suite) otherNumbers(t *testing.T) {
	daily := perSecond(20, 20) // of 20 in ten days
	daily.Cost, daily.Limit = 10*24*3600*1_000_000, 10*24*3600*1_000_000
	t.Run("faster ones end old waits", func(t *testing.T) {
		b := s.bench(t, noon())
		b.must(daily)
		b.exact(perSecond(1, 10), 100*time.Millisecond)
		b.clock.Advance(time.Second)
		b.must(perSecond(10, 10))
	})
	t.Run("faster ones keep what had come back", func(t *testing.T) {
		b := s.bench(t, noon())
		b.must(daily)
		b.clock.Advance(5 * 24 * time.Hour)
		b.must(perSecond(5, 10))
		b.exact(perSecond(1, 10), 100*time.Millisecond)
	})
	t.Run("slower ones keep what was taken, in parts", func(t *testing.T) {
		b := s.bench(t, noon())
		b.must(perSecond(4, 10))
		daily.Cost = 0
		b.used(daily, daily.Limit/10*4)
	})
	t.Run("to and fro gives nothing back", func(t *testing.T) {
		b := s.bench(t, noon())
		b.must(perSecond(10, 10))
		for range 10 {
			b.refuse(perSecond(1, 5))
			b.refuse(perSecond(1, 10))
		}
		b.used(perSecond(1, 10), 1_000_000)
	})
	t.Run("debt stays debt", func(t *testing.T) {
		b := s.bench(t, noon())
		b.settle(b.must(perSecond(5, 10)), 2_000_000)
		b.exact(perSecond(1, 5), 600*time.Millisecond)
	})
	t.Run("a ticket of the old ones settles in parts too", func(t *testing.T) {
		b := s.bench(t, noon())
		ticket := b.must(perSecond(10, 10))
		b.refuse(perSecond(1, 5))
		b.settle(ticket, 600_000)
		b.used(perSecond(1, 5), 300_000)
	})
}
