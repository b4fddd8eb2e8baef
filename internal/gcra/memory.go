package gcra

import (
	"sync"
	"time"
)

// A Claim asks for N requests from one bucket, and tells how the bucket stands
// after the decision.
type Claim struct {
	Buckets *Buckets // the buckets of a rule
	Key     string   // whose bucket
	N       int64    // requests to take; 0 or more

	State State // filled by Take and Peek

	full int64
}

// A Memory decides over buckets in the memory of this process. It is safe for
// concurrent use. One lock guards all its buckets, which makes a decision over
// several of them one step: over five it is held for about 100 ns (see the
// benchmarks), so that finer locks would have little to win.
type Memory struct {
	mu    sync.Mutex
	start time.Time
	last  int64 // the latest instant that anybody came with, in microseconds
}

// NewMemory returns a Memory whose time begins at now. Instants are reckoned
// from there, by the monotonic clock where now carries one, so that setting the
// clock of the machine moves no bucket.
//
// Time never goes back: who comes with an instant from before the latest, for
// having waited for the lock since, is decided on at the latest.
func NewMemory(now time.Time) *Memory { return &Memory{start: now} }

// Take decides on all claims in one step: it takes from every bucket and
// returns true, or takes from none and returns false. Either way it fills in
// the State of each claim; waiting for the longest Wait is exactly enough if
// nobody else takes in the meantime. Each claim names another bucket.
//
// With 10 a second and a burst of 5, six calls at once leave waits of 0, 0, 0,
// 0, 0 and 100ms.
func (m *Memory) Take(now time.Time, claims []Claim) bool { return m.decide(now, claims, true) }

// Peek returns what Take would, and takes nothing.
func (m *Memory) Peek(now time.Time, claims []Claim) bool { return m.decide(now, claims, false) }

func (m *Memory) decide(now time.Time, claims []Claim, take bool) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	t := m.tick(now)
	room := true
	for i := range claims {
		c := &claims[i]
		c.Buckets.turn(t)
		c.full = max(c.Buckets.get(c.Key), t)
		c.State.Wait = c.Buckets.rate.wait(c.full, t, c.N)
		room = room && c.State.Wait == 0
	}
	for i := range claims {
		c := &claims[i]
		if take && room && c.N > 0 {
			c.full += c.N * c.Buckets.rate.interval
			c.Buckets.put(c.Key, c.full)
		}
		c.State = c.Buckets.rate.state(c.full, t, c.State.Wait)
	}
	return room
}

// SetRate has b fill at rate from now on. A bucket is as far from full as it
// was, but at most empty. If the rate is a new one, the lock is held while all
// buckets that are not full are gone through.
func (m *Memory) SetRate(now time.Time, b *Buckets, rate Rate) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if t := m.tick(now); b.rate != rate {
		b.change(t, rate)
	}
}

// Keys returns the keys of at most limit buckets that are not full, in no
// order. The lock is held while it looks.
func (m *Memory) Keys(now time.Time, b *Buckets, limit int) []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	t := m.tick(now)
	var keys []string
	for key, full := range b.all() {
		if len(keys) == limit {
			break
		}
		if full > t {
			keys = append(keys, key)
		}
	}
	return keys
}

// tick returns the instant that now counts as. The memory is locked.
func (m *Memory) tick(now time.Time) int64 {
	m.last = max(m.last, now.Sub(m.start).Microseconds())
	return m.last
}
