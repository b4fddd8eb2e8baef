package gcra

import (
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// TestAnInstantOfThePastGivesNothingBack has a request come with an instant
// from before the latest, as one does that has waited for the lock: 10 a second
// without a burst let the next one through 100ms after the first.
func TestAnInstantOfThePastGivesNothingBack(t *testing.T) {
	start := time.Now()
	m, b := NewMemory(start), NewBuckets(rateOf(t, 10, time.Second, 1))
	claims := []Claim{{Buckets: b, N: 1}}
	for _, tt := range []struct {
		name   string
		millis int
		taken  bool
		wait   time.Duration
	}{
		{name: "the first", millis: 1000, taken: true},
		{name: "one of before", millis: 910, wait: 100 * time.Millisecond},
		{name: "one of long before", millis: -5000, wait: 100 * time.Millisecond},
		{name: "the next", millis: 1010, wait: 90 * time.Millisecond},
		{name: "the last that is too early", millis: 1099, wait: time.Millisecond},
		{name: "the first that is not", millis: 1100, taken: true},
	} {
		taken := m.Take(start.Add(time.Duration(tt.millis)*time.Millisecond), claims)
		if got := claims[0].State.Wait; taken != tt.taken || got != tt.wait {
			t.Errorf("%s: taken %t, wait %s, want %t and %s", tt.name, taken, got, tt.taken, tt.wait)
		}
	}
}

// TestARefusalWritesNothing looks at what is stored before and after.
func TestARefusalWritesNothing(t *testing.T) {
	start := time.Now()
	m, tight, wide := NewMemory(start), NewBuckets(rateOf(t, 1, time.Hour, 1)), NewBuckets(rateOf(t, 1, time.Hour, 9))
	claims := []Claim{{Buckets: wide, N: 1}, {Buckets: tight, N: 1}}
	m.Take(start, claims)
	stored := func() []int64 { return []int64{wide.get(""), tight.get("")} }
	before := stored()
	for i := range 10 {
		if m.Take(start.Add(time.Duration(i-5)*time.Minute), claims) {
			t.Fatal("the second request passed")
		}
		m.Take(start, []Claim{{Buckets: tight, Key: "a", N: 2}})
	}
	if got := stored(); !slices.Equal(got, before) {
		t.Errorf("stored %d, want %d", got, before)
	}
	if n := len(tight.young) + len(tight.old); n != 1 {
		t.Errorf("%d entries, want 1", n)
	}
}

// TestOldInstantsNeverBeatTheRate has goroutines move one clock on and take at
// what they have read of it, by turns in any order: however late they come,
// from the first instant to the last no more than the rate passes.
func TestOldInstantsNeverBeatTheRate(t *testing.T) {
	rate := rateOf(t, 1000, time.Second, 10)
	start := time.Now()
	m, b := NewMemory(start), NewBuckets(rate)
	var clock, taken atomic.Int64 // microseconds, requests
	var wg sync.WaitGroup
	for seed := range uint64(64) {
		wg.Go(func() {
			random := rand.New(rand.NewPCG(seed, 4))
			claims := []Claim{{Buckets: b, N: 1}}
			for range 500 {
				now := clock.Add(random.Int64N(200))
				// Up to 50ms in the queue for the lock.
				late := duration(now - random.Int64N(50_000))
				if m.Take(start.Add(late), claims) {
					taken.Add(1)
				}
			}
		})
	}
	wg.Wait()
	if most := rate.burst + clock.Load()/rate.interval; taken.Load() > most {
		t.Errorf("%d passed in %s, at most %d are allowed", taken.Load(), duration(clock.Load()), most)
	}
	if taken.Load() < rate.burst {
		t.Errorf("%d passed, want the burst at least", taken.Load())
	}
}
