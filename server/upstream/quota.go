package upstream

import (
	"sync"
	"time"
)

// quotaSlots is in how many parts a throttle counts its period. A request counts
// for up to one of them longer than the period, 1.7 % of it.
const quotaSlots = 60

// A throttle bounds how many requests are sent within any period, as providers
// state their limits: never more than that, wherever the period begins. A
// bucket that refills, as of internal/ledger, would let up to twice as many
// through. It is safe for concurrent use.
type throttle struct {
	mu     sync.Mutex
	most   int // within period; 0 is without bound
	period time.Duration
	start  time.Time
	latest int64 // the number of the slot that is counted in
	sum    int
	counts [quotaSlots + 1]int
}

// set has it go by these numbers from now on. What was counted counts on:
// under another period as if it were from now.
func (t *throttle) set(now time.Time, most int, period time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.most = most
	if period == t.period {
		return
	}
	if t.period > 0 {
		t.advance(now)
	}
	clear(t.counts[:])
	t.period, t.start, t.latest = period, now, 0
	t.counts[0] = t.sum
}

// take counts a request, if there is room for it.
func (t *throttle) take(now time.Time) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.most == 0 {
		return true
	}
	t.advance(now)
	if t.sum >= t.most {
		return false
	}
	t.sum++
	t.counts[t.at(t.latest)]++
	return true
}

// look returns how many requests there is room for, and if there is none, how
// long until there is.
func (t *throttle) look(now time.Time) (left int, wait time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.most == 0 {
		return 0, 0
	}
	t.advance(now)
	if left = t.most - t.sum; left > 0 {
		return left, 0
	}
	over := 1 - left // so many have to leave first
	for n := t.latest - quotaSlots; n <= t.latest; n++ {
		if over -= t.counts[t.at(n)]; over <= 0 {
			end := t.start.Add(time.Duration(n+quotaSlots+1) * t.slot())
			return 0, max(end.Sub(now), time.Millisecond)
		}
	}
	return 0, t.period
}

// advance makes the slot of now the latest, and forgets those that are older
// than the period. Time never goes back.
func (t *throttle) advance(now time.Time) {
	n := int64(now.Sub(t.start) / t.slot())
	for i := t.latest + 1; i <= min(n, t.latest+quotaSlots+1); i++ {
		t.sum -= t.counts[t.at(i)]
		t.counts[t.at(i)] = 0
	}
	t.latest = max(t.latest, n)
}

func (t *throttle) slot() time.Duration { return max(t.period/quotaSlots, 1) }

// at returns where the n-th slot is counted; n is negative near the beginning.
func (t *throttle) at(n int64) int {
	const all = quotaSlots + 1
	return int((n%all + all) % all)
}
