package demo

import (
	"context"
	"fmt"
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

// Wait returns nil as soon as met holds. met is asked at once and after
// changes, in this goroutine; it may use the books. The error is that of ctx,
// with how the books stood.
func (b *Books) Wait(ctx context.Context, met func(Snapshot) bool) error {
	var s Snapshot
	err := b.follow(ctx, func() bool {
		s = b.Snapshot()
		return met(s)
	})
	if err != nil {
		return fmt.Errorf("demo books: %d requests, %d in flight: %w", s.Len, s.InFlight, err)
	}
	return nil
}

// Await returns the record with the given ID as soon as met holds for it; the
// request need not have begun. The error is that of ctx.
func (b *Books) Await(ctx context.Context, id int, met func(Record) bool) (Record, error) {
	var rec Record
	err := b.follow(ctx, func() bool {
		var kept bool
		rec, kept = b.Record(id)
		return kept && met(rec)
	})
	if err != nil {
		return rec, fmt.Errorf("demo books: request %d is %q after %d events: %w", id, rec.State, rec.Events, err)
	}
	return rec, nil
}

// follow returns nil as soon as met holds, which it asks after each change.
func (b *Books) follow(ctx context.Context, met func() bool) error {
	stop := context.AfterFunc(ctx, func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		b.changed.Broadcast()
	})
	defer stop()
	for {
		b.mu.Lock()
		seen := b.version
		b.mu.Unlock()
		if met() {
			return nil
		}
		b.mu.Lock()
		for b.version == seen && ctx.Err() == nil {
			b.changed.Wait()
		}
		b.mu.Unlock()
		if err := ctx.Err(); err != nil {
			return err
		}
	}
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
func (b *Books) close(rec *Record, end State) {
	b.edit(func() {
		b.now--
		rec.State = end
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
