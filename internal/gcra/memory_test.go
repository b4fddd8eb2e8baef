package gcra

import (
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

func TestPeekTakesNothing(t *testing.T) {
	now := time.Now()
	m := NewMemory(now)
	claims := []Claim{{Buckets: NewBuckets(rateOf(t, 1, time.Second, 1)), N: 1}}
	for range 3 {
		if !m.Peek(now, claims) || claims[0].State != (State{Remaining: 1}) {
			t.Fatalf("a full bucket peeks as %+v", claims[0].State)
		}
	}
	m.Take(now, claims)
	if m.Peek(now, claims) || claims[0].State != (State{Reset: time.Second, Wait: time.Second}) {
		t.Errorf("an empty bucket peeks as %+v", claims[0].State)
	}
}

func TestMoreThanTheBucketHoldsIsNever(t *testing.T) {
	now := time.Now()
	m := NewMemory(now)
	claims := []Claim{{Buckets: NewBuckets(rateOf(t, 1, time.Second, 3)), N: 4}}
	if m.Take(now, claims) || claims[0].State != (State{Remaining: 3, Wait: Never}) {
		t.Errorf("4 from a bucket of 3: %+v", claims[0].State)
	}
}

func TestFullBucketsAreDropped(t *testing.T) {
	now := time.Now()
	m, b := NewMemory(now), NewBuckets(rateOf(t, 1, time.Minute, 1))
	take := func(key string) {
		m.Take(now, []Claim{{Buckets: b, Key: key, N: 1}})
	}
	for i := range 1000 {
		take(fmt.Sprint(i))
	}
	if got := len(m.Keys(now, b, 2000)); got != 1000 {
		t.Fatalf("%d buckets are not full, want 1000", got)
	}
	now = now.Add(time.Minute)
	take("a")
	if got := m.Keys(now, b, 2000); !slices.Equal(got, []string{"a"}) {
		t.Errorf("after a minute %d buckets are not full, want one", len(got))
	}
	now = now.Add(time.Minute)
	take("b")
	if got := len(b.young) + len(b.old); got != 2 {
		t.Errorf("after two minutes %d entries are kept, want 2", got)
	}
	now = now.Add(time.Hour)
	take("c")
	if got := len(b.young) + len(b.old); got != 1 {
		t.Errorf("after an hour %d entries are kept, want 1", got)
	}
}

func TestKeysAreBounded(t *testing.T) {
	now := time.Now()
	m, b := NewMemory(now), NewBuckets(rateOf(t, 1, time.Minute, 1))
	for i := range 10 {
		m.Take(now, []Claim{{Buckets: b, Key: fmt.Sprint(i), N: 1}})
	}
	if got := len(m.Keys(now, b, 4)); got != 4 {
		t.Errorf("%d keys, want 4", got)
	}
}

// TestTakeIsExactUnderConcurrency has 200 goroutines take from two buckets at
// one instant, of which the smaller decides.
func TestTakeIsExactUnderConcurrency(t *testing.T) {
	now := time.Now()
	m := NewMemory(now)
	small, large := NewBuckets(rateOf(t, 1, time.Minute, 30)), NewBuckets(rateOf(t, 1, time.Minute, 100))
	var taken atomic.Int64
	var wg sync.WaitGroup
	for range 200 {
		wg.Go(func() {
			if m.Take(now, []Claim{
				{Buckets: large, N: 1},
				{Buckets: small, N: 1},
			}) {
				taken.Add(1)
			}
		})
	}
	wg.Wait()
	left := []Claim{{Buckets: large}}
	m.Peek(now, left)
	if taken.Load() != 30 || left[0].State.Remaining != 70 {
		t.Errorf("taken %d, left %d, want 30 and 70", taken.Load(), left[0].State.Remaining)
	}
}
