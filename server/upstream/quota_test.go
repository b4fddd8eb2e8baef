package upstream

import (
	"math/rand/v2"
	"testing"
	"time"
)

// TestNeverMoreThanTheQuotaWithinAnyPeriod comes at random instants, and also
// exactly when it was told to come again.
func TestNeverMoreThanTheQuotaWithinAnyPeriod(t *testing.T) {
	for seed := range uint64(100) {
		random := rand.New(rand.NewPCG(seed, 1))
		most, period := 1+random.IntN(20), time.Duration(1+random.IntN(120))*time.Second
		now := time.Unix(0, 0)
		var q throttle
		q.set(now, most, period)
		var taken []time.Time
		for range 500 {
			left, wait := q.look(now)
			if (left > 0) != (wait == 0) || wait > period+period/quotaSlots {
				t.Fatalf("seed %d: room for %d, and a wait of %s", seed, left, wait)
			}
			if wait > 0 && random.IntN(2) == 0 {
				now = now.Add(wait)
				if left, _ := q.look(now); left == 0 {
					t.Fatalf("seed %d: no room after the wait of %s", seed, wait)
				}
			}
			if got := q.take(now); got {
				taken = append(taken, now)
			}
			now = now.Add(time.Duration(random.Int64N(int64(period) / int64(most))))
		}
		for i, at := range taken {
			if i >= most && at.Sub(taken[i-most]) < period {
				t.Fatalf("seed %d: %d requests within %s, want at most %d in %s", seed, most+1, at.Sub(taken[i-most]), most, period)
			}
		}
		// In the long run a period and a sixtieth of it brings as many as may be.
		if full := int(now.Sub(time.Unix(0, 0)) / (period + period/quotaSlots)); len(taken) < full*most/2 {
			t.Errorf("seed %d: %d taken, want about %d", seed, len(taken), full*most)
		}
	}
}

func TestAQuotaThatChangesForgetsNothing(t *testing.T) {
	now := time.Unix(0, 0)
	var q throttle
	q.set(now, 5, time.Minute)
	for range 3 {
		q.take(now)
	}
	for _, step := range []struct {
		most   int
		period time.Duration
		left   int
	}{{5, time.Minute, 2}, {10, time.Minute, 7}, {10, time.Second, 7}, {2, time.Second, 0}, {0, time.Second, 0}} {
		q.set(now, step.most, step.period)
		if left, _ := q.look(now); left != step.left {
			t.Errorf("at most %d in %s: room for %d, want %d", step.most, step.period, left, step.left)
		}
	}
	if !q.take(now) {
		t.Error("without a bound there is no room")
	}
}

func TestTheWaitIsUntilEnoughHaveLeft(t *testing.T) {
	now := time.Unix(0, 0)
	var q throttle
	q.set(now, 3, time.Minute)
	for range 3 {
		q.take(now)
		now = now.Add(10 * time.Second)
	}
	q.set(now, 2, time.Minute) // two of the three have to leave
	if left, wait := q.look(now); left != 0 || wait != 41*time.Second {
		t.Errorf("room for %d, a wait of %s, want none and 41s", left, wait)
	}
}
