package upstream

import (
	"sync"
	"time"
)

// quotaSlots is in how many parts a quota counts its period. A request counts
// for up to one of them longer than the period, 1.7 % of it.
const quotaSlots = 60

// A quota bounds how many requests are sent within any period, as providers
// state their limits: never more than that, wherever the period begins. A
// bucket that refills, as of internal/gcra, would let up to twice as many
// through. It is safe for concurrent use.
type quota struct {
	mu     sync.Mutex
	most   int // within period; 0 is without bound
	period time.Duration
	start  time.Time
	latest int64 // the number of the slot that is counted in
	sum    int
	counts [quotaSlots + 1]int
}

// set has the quota go by these numbers from now on. What was counted counts on:
// under another period as if it were from now.
func (q *quota) set(now time.Time, most int, period time.Duration) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.most = most
	if period == q.period {
		return
	}
	if q.period > 0 {
		q.advance(now)
	}
	clear(q.counts[:])
	q.period, q.start, q.latest = period, now, 0
	q.counts[0] = q.sum
}

// take counts a request, if there is room for it.
func (q *quota) take(now time.Time) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.most == 0 {
		return true
	}
	q.advance(now)
	if q.sum >= q.most {
		return false
	}
	q.sum++
	q.counts[q.at(q.latest)]++
	return true
}

// look returns how many requests there is room for, and if there is none, how
// long until there is.
func (q *quota) look(now time.Time) (left int, wait time.Duration) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.most == 0 {
		return 0, 0
	}
	q.advance(now)
	if left = q.most - q.sum; left > 0 {
		return left, 0
	}
	over := 1 - left // so many have to leave first
	for n := q.latest - quotaSlots; n <= q.latest; n++ {
		if over -= q.counts[q.at(n)]; over <= 0 {
			end := q.start.Add(time.Duration(n+quotaSlots+1) * q.slot())
			return 0, max(end.Sub(now), time.Millisecond)
		}
	}
	return 0, q.period
}

// advance makes the slot of now the latest, and forgets those that are older
// than the period. Time never goes back.
func (q *quota) advance(now time.Time) {
	n := int64(now.Sub(q.start) / q.slot())
	for i := q.latest + 1; i <= min(n, q.latest+quotaSlots+1); i++ {
		q.sum -= q.counts[q.at(i)]
		q.counts[q.at(i)] = 0
	}
	q.latest = max(q.latest, n)
}

func (q *quota) slot() time.Duration { return max(q.period/quotaSlots, 1) }

// at returns where the n-th slot is counted; n is negative near the beginning.
func (q *quota) at(n int64) int {
	const all = quotaSlots + 1
	return int((n%all + all) % all)
}
