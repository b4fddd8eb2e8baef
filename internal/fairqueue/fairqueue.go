// Package fairqueue is a bounded queue in front of something of which there is
// only so much at a time. Whoever waits belongs to a client, and the clients
// take turns: one that has a hundred waiters gets no more turns than one that
// has two. It can have several lines, each in front of something of its own;
// a client waits in the order in which its requests came.
//
// It does not know what is waited for: whoever has the turn in a line tries to
// get it, again and again, and nobody else in that line does. It has no
// goroutine of its own.
package fairqueue

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"
)

// Errors of a wait that came to nothing.
var (
	// ErrFull says that there was no place in the queue, or that a waiter had to
	// give up its place to a client with fewer of them.
	ErrFull = errors.New("the queue is full")

	// ErrLate says that the turn did not come, or did not bring anything, in
	// time.
	ErrLate = errors.New("the wait took too long")
)

// DefaultPoll is how often whoever has the turn tries without having been
// called, if nothing else is said.
const DefaultPoll = 50 * time.Millisecond

// soon is by how much sooner than usual is tried after a call that brought
// nothing; then it is half as soon each time.
const soon = 16

// Options are what a queue is made of.
type Options struct {
	// Size is how many may wait in all lines together. See [Queue.SetSize].
	Size int

	// Poll is about how often whoever has the turn in a line tries although
	// nobody has called [Queue.Wake]: what is waited for may be given back
	// elsewhere. It is varied by half, so that many queues do not keep step.
	// After a call that brought nothing it tries sooner, for what is given back
	// may be on its way. 0 is [DefaultPoll].
	Poll time.Duration

	// Left, if not nil, is called with what Wait is about to return.
	Left func(Visit)
}

// A Visit is what became of one who waited.
type Visit struct {
	Position int           // how many would have had a turn before it when it came
	Waited   time.Duration // 0 if it did not get into the queue
	Err      error         // nil if it got what it waited for
}

// A Queue is a fair queue with lines of the names L. Make one with [New]. It is
// safe for concurrent use.
type Queue[L comparable] struct {
	options Options
	waiting atomic.Int64 // how many; what stands below is looked at only if there are any

	mu      sync.Mutex
	size    int
	lines   map[L]*line[L]
	clients map[string][]*waiter[L] // all of each client, in the order in which they came
}

// New returns a queue in which nobody waits.
func New[L comparable](o Options) *Queue[L] {
	if o.Poll <= 0 {
		o.Poll = DefaultPoll
	}
	if o.Left == nil {
		o.Left = func(Visit) {}
	}
	return &Queue[L]{options: o, size: o.Size, lines: map[L]*line[L]{}, clients: map[string][]*waiter[L]{}}
}

// Wait waits in a line for the client's turn, and then tries until that brings
// something. try returns whether the wait has come to its end; it is called by
// one waiter of the line at a time, and at once where nobody else waits there.
//
// It returns [ErrFull] if there is no place, [ErrLate] after maxWait, and the
// cause of ctx when that ends. Then try is called no more; where it had just
// returned true, Wait returns nil.
func (q *Queue[L]) Wait(ctx context.Context, name L, client string, maxWait time.Duration, try func() bool) error {
	began := time.Now()
	w, place, err := q.enter(name, client, began)
	if err != nil {
		q.options.Left(Visit{Position: place, Err: err})
		return err
	}
	served := false
	defer func() { q.leave(w, served) }() // be it by a panic of try
	err = q.await(ctx, w, maxWait, try)
	served = err == nil
	q.options.Left(Visit{Position: place, Waited: time.Since(began), Err: err})
	return err
}

// await is [Queue.Wait] for one who is in the queue.
func (q *Queue[L]) await(ctx context.Context, w *waiter[L], maxWait time.Duration, try func() bool) error {
	deadline := time.NewTimer(maxWait)
	defer deadline.Stop()
	pause := q.options.Poll
	for {
		var poll <-chan time.Time
		switch turn, out := q.turn(w); {
		case out:
			return ErrFull
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case turn && try():
			return nil
		case turn:
			poll = time.After(pause/2 + rand.N(pause)) //nolint:gosec // no secret
			pause = min(2*pause, q.options.Poll)
		}
		select {
		case <-w.call:
			pause = max(q.options.Poll/soon, 1)
		case <-poll:
		case <-deadline.C:
			return ErrLate
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// Wake tells that something of what a line is in front of was given back. It
// does not wait.
func (q *Queue[L]) Wake(name L) {
	if q.waiting.Load() == 0 {
		return
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	if l := q.lines[name]; l != nil {
		l.head().wake()
	}
}

// Busy reports whether somebody waits in the line: then nobody who comes may go
// past it.
func (q *Queue[L]) Busy(name L) bool {
	if q.waiting.Load() == 0 {
		return false
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.lines[name] != nil
}

// Len returns how many wait.
func (q *Queue[L]) Len() int { return int(q.waiting.Load()) }

// Oldest returns since when the one waits who has waited longest, 0 if nobody
// waits.
func (q *Queue[L]) Oldest() time.Duration {
	q.mu.Lock()
	defer q.mu.Unlock()
	var oldest time.Duration
	for _, all := range q.clients {
		oldest = max(oldest, time.Since(all[0].came))
	}
	return oldest
}

// SetSize changes how many may wait. Those beyond it who wait already stay.
func (q *Queue[L]) SetSize(size int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.size = size
}
