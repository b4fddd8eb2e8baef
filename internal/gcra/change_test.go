package gcra

import (
	"testing"
	"time"
)

// TestAFasterRateEndsOldWaits empties a bucket that takes ten days to fill and
// then makes it a fast one, at once or later: it counts as just emptied, and
// fills from there.
func TestAFasterRateEndsOldWaits(t *testing.T) {
	for name, after := range map[string]time.Duration{"at once": 0, "a day later": 25 * time.Hour} {
		t.Run(name, func(t *testing.T) {
			now := time.Now()
			m, b := NewMemory(now), NewBuckets(rateOf(t, 20, 10*24*time.Hour, 20))
			if !m.Take(now, []Claim{{Buckets: b, N: 20}}) {
				t.Fatal("the full bucket is empty")
			}
			now = now.Add(after)
			m.SetRate(now, b, rateOf(t, 10, time.Second, 10))
			claims := []Claim{{Buckets: b, N: 1}}
			if m.Take(now, claims) || claims[0].State.Wait != 100*time.Millisecond {
				t.Fatalf("after the change: %+v", claims[0].State)
			}
			if !m.Take(now.Add(100*time.Millisecond), claims) {
				t.Errorf("100ms later: %+v", claims[0].State)
			}
			if !m.Take(now.Add(1100*time.Millisecond), []Claim{{Buckets: b, N: 10}}) {
				t.Error("a second later the bucket is not full")
			}
		})
	}
}

// TestASlowerRateKeepsWhatWasTaken makes a bucket that fills in a second one
// that takes an hour: the second that it lacks is less than one request.
func TestASlowerRateKeepsWhatWasTaken(t *testing.T) {
	now := time.Now()
	m, b := NewMemory(now), NewBuckets(rateOf(t, 10, time.Second, 10))
	m.Take(now, []Claim{{Buckets: b, N: 10}})
	m.SetRate(now, b, rateOf(t, 6, time.Hour, 6))
	claims := []Claim{{Buckets: b}}
	m.Peek(now, claims)
	if want := (State{Remaining: 5, Reset: time.Second}); claims[0].State != want {
		t.Errorf("after the change %+v, want %+v", claims[0].State, want)
	}
}

// TestTheSameRateAgainChangesNothing sets it in each of many reloads, from
// before the buckets begin a generation to long after.
func TestTheSameRateAgainChangesNothing(t *testing.T) {
	now := time.Now()
	rate := rateOf(t, 1, time.Hour, 2)
	m, b := NewMemory(now), NewBuckets(rate)
	m.Take(now, []Claim{{Buckets: b, N: 2}})
	for i := range 59 {
		now = now.Add(time.Minute)
		m.SetRate(now, b, rate)
		if m.Take(now, []Claim{{Buckets: b, N: 1}}) {
			t.Fatalf("a request passed after %d reloads", i+1)
		}
	}
}

// TestFullBucketsAreDroppedByAChange keeps those that are not.
func TestFullBucketsAreDroppedByAChange(t *testing.T) {
	now := time.Now()
	m, b := NewMemory(now), NewBuckets(rateOf(t, 1, time.Second, 9))
	m.Take(now, []Claim{{Buckets: b, Key: "a", N: 1}})
	m.Take(now, []Claim{{Buckets: b, Key: "b", N: 9}})
	now = now.Add(2 * time.Second)
	m.SetRate(now, b, rateOf(t, 2, time.Second, 9))
	if got := m.Keys(now, b, 9); len(got) != 1 || len(b.young)+len(b.old) != 1 {
		t.Errorf("%q are not full of %d, want b of 1", got, len(b.young)+len(b.old))
	}
}
