package ledger

import (
	"math"
	"math/big"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestRates(t *testing.T) {
	tests := []struct {
		name        string
		whole       bool
		n           int64
		period      time.Duration
		burst       int64
		unit, depth int64 // microseconds; a depth of 0: refused
	}{
		{name: "ten a second", whole: true, n: 10, period: time.Second, burst: 5, unit: 100_000, depth: 500_000},
		{name: "the interval is rounded up", whole: true, n: 7, period: time.Minute, burst: 2, unit: 8_571_429, depth: 17_142_858},
		{name: "the finest that is exact", whole: true, n: 1_000_000, period: time.Second, burst: 1, unit: 1, depth: 1},
		{name: "the finest that loses less than 1 %", whole: true, n: 9_999, period: time.Second, burst: 1, unit: 101, depth: 101},
		{name: "too fine", whole: true, n: 10_001, period: time.Second, burst: 1},
		{name: "finer than a microsecond", whole: true, n: 2_000_000, period: time.Second, burst: 1},
		{name: "tokens may be as fine", n: 2_000_000, period: time.Second, burst: 1_000_000, depth: 500_000},
		{name: "the depth of tokens is rounded up", n: 7, period: time.Minute, burst: 2, depth: 17_142_858},
		{name: "as a whole", n: 7, period: time.Minute, burst: 7, depth: 60_000_000},
		{name: "none", n: 0, period: time.Second, burst: 1},
		{name: "no burst", n: 1, period: time.Second, burst: 0},
		{name: "no period", n: 1, period: 0, burst: 1},
		{name: "a year to fill", whole: true, n: 1, period: 24 * time.Hour, burst: 366, unit: 86_400_000_000, depth: maxDepth},
		{name: "more than a year to fill", whole: true, n: 1, period: 24 * time.Hour, burst: 367},
		{name: "more than a year to fill with tokens", n: 1, period: 24 * time.Hour, burst: 367},
		{name: "more than a year by rounding up", whole: true, n: 366*24*3600*1000 - 1, period: 366 * 24 * time.Hour, burst: 366*24*3600*1000 - 1},
		{name: "a burst beyond all bounds", n: 1, period: time.Hour, burst: math.MaxInt64},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			create := NewRate
			if tt.whole {
				create = NewWholeRate
			}
			r, depth, err := create(tt.n, tt.period, tt.burst)
			if (err != nil) != (tt.depth == 0) {
				t.Fatalf("error = %v", err)
			}
			if err == nil && (r.Unit() != tt.unit || depth != tt.depth) {
				t.Errorf("unit, depth = %d, %d, want %d, %d", r.Unit(), depth, tt.unit, tt.depth)
			}
		})
	}
}

// What units cost is rounded up, so that what the cost buys is no more.
func TestCostAndUnits(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n, period := rapid.Int64Range(1, 1<<40).Draw(t, "n"), rapid.Int64Range(1, 1<<40).Draw(t, "period")
		r, _, err := NewRate(n, time.Duration(period)*time.Microsecond, 1)
		if err != nil {
			t.Skip(err)
		}
		units := rapid.Int64Range(0, math.MaxInt64).Draw(t, "units")
		product := new(big.Int).Mul(big.NewInt(units), big.NewInt(period))
		want, rest := new(big.Int).DivMod(product, big.NewInt(n), new(big.Int))
		if rest.Sign() > 0 {
			want.Add(want, big.NewInt(1))
		}
		got := r.Cost(units)
		if got == Never {
			if want.Cmp(big.NewInt(maxCharge)) <= 0 {
				t.Fatalf("%d units cost %s, not more than anything", units, want)
			}
			return
		}
		if want.Cmp(big.NewInt(got)) != 0 {
			t.Fatalf("%d units cost %d, want %s", units, got, want)
		}
		if back := r.Units(got); back < units || r.Cost(back) != got {
			t.Fatalf("%d units cost %d, which are %d units", units, got, back)
		}
	})
}

func TestUnitsOfAWholeRateAreWhole(t *testing.T) {
	r, depth, err := NewWholeRate(7, time.Minute, 3)
	if err != nil {
		t.Fatal(err)
	}
	for micros, want := range map[int64]int64{-1: 0, 0: 0, depth: 3, depth - 1: 2, r.Unit(): 1, r.Unit() - 1: 0} {
		if got := r.Units(micros); got != want {
			t.Errorf("%dµs are %d units, want %d", micros, got, want)
		}
	}
}

// A rate of very much in very little time counts no further than there are
// numbers.
func TestUnitsDoNotOverflow(t *testing.T) {
	r, _, err := NewRate(145837, time.Microsecond, 1)
	if err != nil {
		t.Fatal(err)
	}
	if got := r.Units(maxCharge); got != Never {
		t.Errorf("%d units, want the most there are", got)
	}
}

func TestPaceTellsRatesApart(t *testing.T) {
	pace := func(make func(int64, time.Duration, int64) (Rate, int64, error), n int64, period time.Duration) int64 {
		r, _, err := make(n, period, 1)
		if err != nil {
			t.Fatal(err)
		}
		return r.Pace()
	}
	tests := []struct {
		name      string
		got, want int64
	}{
		{"60 requests a minute", pace(NewWholeRate, 60, time.Minute), 1_000_000_000},
		{"one a second is the same", pace(NewWholeRate, 1, time.Second), 1_000_000_000},
		{"seven a second, rounded up as they are kept", pace(NewWholeRate, 7, time.Second), 142_858_000},
		{"tokens", pace(NewRate, 60_000, time.Minute), 1_000_000},
		{"tokens, faster than the clock", pace(NewRate, 7_000_000, time.Second), 142},
		{"one in a hundred days", pace(NewRate, 1, 2400*time.Hour), 8_640_000_000_000_000},
	}
	for _, tt := range tests {
		if tt.got != tt.want {
			t.Errorf("%s: %d, want %d", tt.name, tt.got, tt.want)
		}
	}
}
