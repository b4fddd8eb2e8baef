package demo

import (
	"net/http"
	"sync"
	"time"
)

// keptBytes bounds the request bodies that the books keep, all records taken
// together; the oldest bodies go first.
const keptBytes = 64 << 20

// Books are what a server has served and is serving. They are safe for
// concurrent use.
type Books struct {
	mu      sync.Mutex
	changed *sync.Cond
	version int // counts changes

	ring   []*Record // the record n is at (n-1) modulo keep
	keep   int
	opened int
	now    int // in flight
	most   int

	bodies   int // bytes of all bodies in the ring
	bodyless int // records up to this one hold no body
}

// A Snapshot is how the books stood at one moment.
type Snapshot struct {
	Len         int      // requests that ever began
	InFlight    int      // those that have not ended
	MaxInFlight int      // the most that ever were in flight at once
	Records     []Record // those that are kept, oldest first
}

func newBooks(keep int) *Books {
	b := &Books{keep: keep}
	b.changed = sync.NewCond(&b.mu)
	return b
}

// Len returns how many requests ever began, those no longer kept included.
func (b *Books) Len() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.opened
}

// InFlight returns how many requests have not ended.
func (b *Books) InFlight() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.now
}

// MaxInFlight returns the most requests that ever were in flight at once.
func (b *Books) MaxInFlight() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.most
}

// Records returns the records that are kept, oldest first.
func (b *Books) Records() []Record { return b.Snapshot().Records }

// Record returns the record with the given ID, and whether it is kept. The
// first request has the ID 1.
func (b *Books) Record(id int) (Record, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.at(id)
}

// Snapshot returns how the books stand.
func (b *Books) Snapshot() Snapshot {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.snapshot()
}

// at returns a copy of the record id. The lock is held.
func (b *Books) at(id int) (Record, bool) {
	if id < 1 || id > b.opened || id <= b.opened-b.keep {
		return Record{}, false
	}
	return *b.ring[(id-1)%b.keep], true
}

func (b *Books) snapshot() Snapshot {
	s := Snapshot{Len: b.opened, InFlight: b.now, MaxInFlight: b.most}
	s.Records = make([]Record, 0, len(b.ring))
	for id := max(1, b.opened-b.keep+1); id <= b.opened; id++ {
		s.Records = append(s.Records, *b.ring[(id-1)%b.keep])
	}
	return s
}

// open begins a record.
func (b *Books) open(r *http.Request, now time.Time) *Record {
	rec := newRecord(r, now)
	b.edit(func() {
		b.opened++
		b.now++
		b.most = max(b.most, b.now)
		rec.ID = b.opened
		if len(b.ring) < b.keep {
			b.ring = append(b.ring, rec)
			return
		}
		slot := &b.ring[(rec.ID-1)%b.keep]
		b.bodies -= len((*slot).Body)
		(*slot).Body = nil
		*slot = rec
	})
	return rec
}

// close ends a record.
func (b *Books) close(rec *Record, end State, now time.Time) {
	b.edit(func() {
		b.now--
		rec.State, rec.Ended = end, now
	})
}

// edit changes the books, or a record in them, and wakes those who wait.
func (b *Books) edit(change func()) {
	b.mu.Lock()
	defer b.mu.Unlock()
	change()
	b.version++
	b.changed.Broadcast()
}

// keepBody gives rec its body, and takes the oldest ones away if that is too
// much. The lock is held.
func (b *Books) keepBody(rec *Record, body []byte) {
	b.bodyless = max(b.bodyless, b.opened-b.keep)
	if rec.ID <= b.bodyless {
		return
	}
	rec.Body = body
	b.bodies += len(body)
	for b.bodies > keptBytes && b.bodyless < b.opened {
		old := b.ring[b.bodyless%b.keep]
		b.bodies -= len(old.Body)
		old.Body = nil
		b.bodyless++
	}
}
