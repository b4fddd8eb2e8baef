package ledgertest

import (
	"testing"
	"time"

	"github.com/holysheep/relay/internal/ledger"
)

func budget(w ledger.Window, cost, limit int64) ledger.Claim {
	return ledger.Claim{
		Counter: &ledger.Counter{Name: "each.budget", Kind: ledger.KindBudget, Window: w, OfClient: true},
		Subject: ledger.Subject{A: "ada"}, Cost: cost, Limit: limit,
	}
}

func daily(cost, limit int64) ledger.Claim {
	return budget(ledger.Window{Calendar: ledger.Day}, cost, limit)
}

// monthly costs 6 of 10 in a month.
func monthly() ledger.Claim {
	return budget(ledger.Window{Calendar: ledger.Month}, 6, 10)
}

// hourly costs so much of 10 in a rolling hour, whose slices are minutes.
func hourly(cost int64) ledger.Claim {
	return budget(ledger.Window{Length: time.Hour}, cost, 10)
}

func (s suite) budgets(t *testing.T) {
	t.Run("windows of the calendar", s.calendar)
	t.Run("a rolling hour", func(t *testing.T) { rollingByHand(s.bench(t, noon().Add(30*time.Second))) })
	t.Run("more than the limit never fits", func(t *testing.T) {
		if c := s.bench(t, noon()).refuse(daily(11, 10)); c.Wait != ledger.Never || c.Used != 0 {
			t.Errorf("%+v", c)
		}
	})
	t.Run("what costs nothing has room", func(t *testing.T) {
		b := s.bench(t, noon())
		b.must(daily(10, 10))
		b.settle(b.must(daily(0, 10)), 5)
		b.used(daily(0, 10), 15)
		b.must(daily(0, 10))
	})
	t.Run("settlement", s.settledBudgets)
	t.Run("a slice that is given back whole ends nothing later", func(t *testing.T) {
		b := s.bench(t, noon())
		b.must(hourly(4))
		b.clock.Advance(10 * time.Minute)
		b.settle(b.must(hourly(4)), 0)
		if c := b.read(hourly(0)); c.Used != 4 || c.Reset != (51*time.Minute).Microseconds() {
			t.Errorf("%+v", c)
		}
	})
	t.Run("nothing spent", func(t *testing.T) {
		b := s.bench(t, noon())
		if c := b.read(hourly(0)); c.Reset != 0 || c.At != noon().UnixMicro() {
			t.Errorf("of a rolling hour: %+v", c)
		}
		if c := b.read(daily(0, 10)); c.Reset != (12*time.Hour).Microseconds() || c.At != noon().Add(-12*time.Hour).UnixMicro() {
			t.Errorf("of a day: %+v", c)
		}
	})
}

func (s suite) calendar(t *testing.T) {
	at := func(y int, m time.Month, d, h int) time.Time { return time.Date(y, m, d, h, 0, 0, 0, time.UTC) }
	tests := []struct {
		name       string
		claim      ledger.Claim
		now        time.Time
		begin, end time.Time
	}{
		{"a day", daily(6, 10), at(2027, 3, 10, 22), at(2027, 3, 10, 0), at(2027, 3, 11, 0)},
		{"the last day of a year", daily(6, 10), at(2027, 12, 31, 0), at(2027, 12, 31, 0), at(2028, 1, 1, 0)},
		{"a month", monthly(), at(2027, 4, 10, 22), at(2027, 4, 1, 0), at(2027, 5, 1, 0)},
		{"february", monthly(), at(2027, 2, 28, 23), at(2027, 2, 1, 0), at(2027, 3, 1, 0)},
		{"february of a leap year", monthly(), at(2028, 2, 28, 23), at(2028, 2, 1, 0), at(2028, 3, 1, 0)},
		{"february of 2100, which is none", monthly(), at(2100, 2, 28, 23), at(2100, 2, 1, 0), at(2100, 3, 1, 0)},
		{"december", monthly(), at(2027, 12, 1, 0), at(2027, 12, 1, 0), at(2028, 1, 1, 0)},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := s.bench(t, tt.now)
			c := b.must(tt.claim).Claims[0]
			rest := tt.end.Sub(tt.now)
			if c.At != tt.begin.UnixMicro() || c.Reset != rest.Microseconds() || c.Used != 6 {
				t.Errorf("%+v, want the rest of it to be %s", c, rest)
			}
			b.exact(tt.claim, rest)
			b.used(tt.claim, 6) // of the next window
		})
	}
}

func rollingByHand(b bench) {
	b.must(hourly(4))
	b.clock.Advance(20 * time.Second)
	b.must(hourly(2)) // in the same slice, that of 12:00
	b.clock.Advance(30 * time.Minute)
	b.must(hourly(3)) // 12:30:50, in the slice of 12:30
	b.exact(hourly(5), 30*time.Minute+10*time.Second)
	b.used(hourly(0), 8) // 13:01, when the slice of 12:00 is an hour old: 3 and 5
	b.exact(hourly(10), time.Hour+time.Minute)
}

func (s suite) settledBudgets(t *testing.T) {
	tests := []struct {
		name   string
		claim  ledger.Claim
		actual int64
		after  time.Duration
		used   int64
	}{
		{name: "as reserved", claim: daily(6, 10), actual: 6, used: 6},
		{name: "less", claim: daily(6, 10), actual: 2, used: 2},
		{name: "nothing", claim: daily(6, 10), actual: 0, used: 0},
		{name: "more than there is", claim: daily(6, 10), actual: 16, used: 16},
		{name: "later on the day", claim: daily(6, 10), actual: 2, after: 11 * time.Hour, used: 2},
		{name: "less, after the day", claim: daily(6, 10), actual: 2, after: 12 * time.Hour, used: 0},
		{name: "more, after the day", claim: daily(6, 10), actual: 16, after: 12 * time.Hour, used: 0},
		{name: "later in the month", claim: monthly(), actual: 2, after: 20 * 24 * time.Hour, used: 2},
		{name: "in the hour", claim: hourly(6), actual: 7, after: time.Hour + time.Minute - time.Microsecond, used: 7},
		{name: "after the hour", claim: hourly(6), actual: 7, after: time.Hour + time.Minute, used: 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := s.bench(t, noon())
			ticket := b.must(tt.claim)
			b.clock.Advance(tt.after)
			b.settle(ticket, tt.actual)
			b.used(tt.claim, tt.used)
		})
	}
	t.Run("after a reset it takes nothing below nothing", func(t *testing.T) {
		b := s.bench(t, noon())
		ticket := b.must(daily(6, 10))
		if err := b.Reset([]ledger.Claim{daily(0, 10)}); err != nil {
			t.Fatal(err)
		}
		b.must(daily(1, 10))
		b.settle(ticket, 2)
		b.used(daily(0, 10), 0)
	})
}
