package gcra

import (
	"fmt"
	"testing"
	"time"
)

func TestNewRate(t *testing.T) {
	tests := []struct {
		name     string
		n        int64
		period   time.Duration
		burst    int64
		interval time.Duration // 0: refused
	}{
		{name: "ten a second", n: 10, period: time.Second, burst: 5, interval: 100 * time.Millisecond},
		{name: "the interval is rounded up", n: 7, period: time.Minute, burst: 1, interval: 8571429 * time.Microsecond},
		{name: "the finest that is exact", n: 1_000_000, period: time.Second, burst: 1, interval: time.Microsecond},
		{name: "the finest that loses less than 1 %", n: 9_999, period: time.Second, burst: 1, interval: 101 * time.Microsecond},
		{name: "too fine", n: 10_001, period: time.Second, burst: 1},
		{name: "finer than a microsecond", n: 2_000_000, period: time.Second, burst: 1},
		{name: "no requests", n: 0, period: time.Second, burst: 1},
		{name: "no burst", n: 1, period: time.Second, burst: 0},
		{name: "no period", n: 1, period: 0, burst: 1},
		{name: "a year to fill", n: 1, period: 24 * time.Hour, burst: 366, interval: 24 * time.Hour},
		{name: "more than a year to fill", n: 1, period: 24 * time.Hour, burst: 367},
		{name: "a burst beyond all bounds", n: 1, period: time.Hour, burst: 1 << 62},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r, err := NewRate(tt.n, tt.period, tt.burst)
			if (err != nil) != (tt.interval == 0) {
				t.Fatalf("error = %v", err)
			}
			if err == nil && (r.Interval() != tt.interval || r.Burst() != tt.burst) {
				t.Errorf("interval, burst = %s, %d, want %s, %d", r.Interval(), r.Burst(), tt.interval, tt.burst)
			}
		})
	}
}

// ExampleMemory_Take is the example of the documentation: 10 a second, burst 5.
func ExampleMemory_Take() {
	now := time.Now()
	rate, _ := NewRate(10, time.Second, 5)
	memory, buckets := NewMemory(now), NewBuckets(rate)
	for range 6 {
		claims := []Claim{{Buckets: buckets, Key: "ada", N: 1}}
		memory.Take(now, claims)
		s := claims[0].State
		fmt.Printf("wait %s, remaining %d, full in %s\n", s.Wait, s.Remaining, s.Reset)
	}
	// Output:
	// wait 0s, remaining 4, full in 100ms
	// wait 0s, remaining 3, full in 200ms
	// wait 0s, remaining 2, full in 300ms
	// wait 0s, remaining 1, full in 400ms
	// wait 0s, remaining 0, full in 500ms
	// wait 100ms, remaining 0, full in 500ms
}

// TestFirstMinute holds the README of limit to what 60 a minute admits.
func TestFirstMinute(t *testing.T) {
	for burst, want := range map[int64]int{1: 60, 10: 69, 60: 119} {
		rate := rateOf(t, 60, time.Minute, burst)
		start := time.Now()
		m, b := NewMemory(start), NewBuckets(rate)
		got := 0
		for at := time.Duration(0); at < time.Minute; at += 10 * time.Millisecond {
			for m.Take(start.Add(at), []Claim{{Buckets: b, N: 1}}) {
				got++
			}
		}
		if got != want {
			t.Errorf("burst %d admits %d in the first minute, want %d", burst, got, want)
		}
	}
}

// rateOf is NewRate for rates that are known to be right.
func rateOf(t testing.TB, n int64, period time.Duration, burst int64) Rate {
	t.Helper()
	r, err := NewRate(n, period, burst)
	if err != nil {
		t.Fatal(err)
	}
	return r
}
