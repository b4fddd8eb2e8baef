package budget

import (
	"math/rand/v2"
	"strconv"
	"testing"
	"time"
)

// A model keeps every request and retry, and so knows any window exactly.
type model struct {
	requests, sent []time.Time
	held           int
}

// within counts those of times that are later than from.
func within(times []time.Time, from time.Time) (n int) {
	for _, at := range times {
		if at.After(from) {
			n++
		}
	}
	return n
}

// TestRetriesStayWithinTheirShare throws dice for traffic and holds the budget
// to the exact window at each retry: whatever is taken is within the share of
// the requests in it, and whatever is within the share of a window that is a
// bucket shorter, with the retries of one that is a bucket longer, is taken.
func TestRetriesStayWithinTheirShare(t *testing.T) {
	for seed := range uint64(20) {
		t.Run(strconv.FormatUint(seed, 10), func(t *testing.T) {
			dice := rand.New(rand.NewPCG(seed, 2))
			percent, perSecond := dice.IntN(60), dice.IntN(4)
			c := newClock()
			b, m := New(percent, perSecond, 10*time.Second, c.now), &model{}
			taken := 0
			for range 2000 {
				c.advance(pause(dice))
				taken += step(t, dice, c, b, m, func(requests int) int { return max(percent*requests/100, perSecond*10) })
			}
			if percent > 10 && taken == 0 {
				t.Errorf("took none in all, at %d in a hundred", percent)
			}
		})
	}
}

// pause is mostly short, and at times longer than a window.
func pause(dice *rand.Rand) time.Duration {
	if dice.IntN(300) == 0 {
		return time.Duration(dice.Int64N(int64(12 * time.Second)))
	}
	return time.Duration(dice.Int64N(int64(60 * time.Millisecond)))
}

// step makes a request, a retry, or the end of a wait, and returns how many
// retries were taken.
func step(t *testing.T, dice *rand.Rand, c *clock, b *Budget, m *model, allowed func(requests int) int) (taken int) {
	t.Helper()
	const window, bucket = 10 * time.Second, 100 * time.Millisecond
	switch {
	case m.held > 0 && dice.IntN(2) == 0:
		m.held--
		if dice.IntN(8) == 0 {
			b.Drop()
			return 0
		}
		sent := b.Spend()
		if dice.IntN(8) == 0 {
			b.Refund(sent)
			return 0
		}
		m.sent = append(m.sent, c.at)
	case dice.IntN(3) == 0:
		most := allowed(within(m.requests, c.at.Add(-window)))
		least := allowed(within(m.requests, c.at.Add(bucket-window)))
		got := b.Take()
		if retries := m.held + 1 + within(m.sent, c.at.Add(-window)); got && retries > most {
			t.Fatalf("took the retry %d of a window that allows %d", retries, most)
		}
		if retries := m.held + 1 + within(m.sent, c.at.Add(-window-bucket)); !got && retries <= least {
			t.Fatalf("refused the retry %d of a window that allows %d", retries, least)
		}
		if got {
			m.held++
			return 1
		}
	default:
		b.Request()
		m.requests = append(m.requests, c.at)
	}
	return 0
}

func BenchmarkRequest(b *testing.B) {
	budget := New(20, 10, 10*time.Second, time.Now)
	b.ReportAllocs()
	for b.Loop() {
		budget.Request()
	}
}

func BenchmarkRequestInParallel(b *testing.B) {
	budget := New(20, 10, 10*time.Second, time.Now)
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			budget.Request()
		}
	})
}

func BenchmarkRetry(b *testing.B) {
	budget := New(20, 1_000_000_000, 10*time.Second, time.Now)
	b.ReportAllocs()
	for b.Loop() {
		if budget.Take() {
			budget.Spend()
		}
	}
}
