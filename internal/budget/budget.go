// Package budget bounds retries by the requests that they are for: where one
// request in a hundred fails, all may be tried again, and where all fail, few.
// So retries never multiply an outage. The idea is that of Finagle's
// RetryBudget and of Envoy's retry budgets; unlike them it counts over a window
// that slides.
//
// It does not know what is retried, nor when, nor where.
package budget

import (
	"sync"
	"time"
)

// parts is how many buckets a window has. More of them make the window more
// exact, and the ring longer.
const parts = 100

// A Budget allows retries as long as those of the latest window are fewer than
// its share of the requests in it, or than its floor. It is safe for concurrent
// use. Make one with [New].
//
// A retry is held from [Budget.Take] until it is sent, which is when it counts
// as one: however long retries wait and however many of them come to be sent at
// once, those of a window are within what was allowed when the latest of them
// was taken.
type Budget struct {
	now    func() time.Time
	start  time.Time
	window time.Duration

	mu             sync.Mutex
	percent, floor int64
	ring           [parts + 1]bucket
	current        int64 // the number of the bucket that is being filled
	requests       int64 // of the latest parts buckets
	retries        int64 // of the latest parts+1 buckets
	held           int64 // taken and not yet sent
}

// A bucket counts what came in one part of a window. The bucket n holds what
// came from n parts after the start on; it is at n modulo parts+1 in the ring.
type bucket struct{ requests, retries int64 }

// New returns a budget of percent retries for a hundred requests of the latest
// window, and of perSecond for each second of it whatever the requests. now is
// the clock; a window is at least 100ns.
func New(percent, perSecond int, window time.Duration, now func() time.Time) *Budget {
	b := &Budget{now: now, start: now(), window: window}
	b.Set(percent, perSecond)
	return b
}

// Set changes how much is allowed from now on. What has been counted stays.
func (b *Budget) Set(percent, perSecond int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.percent = int64(percent)
	b.floor = int64(float64(perSecond) * b.window.Seconds())
}

// Request counts a request, for which retries may be wanted.
func (b *Budget) Request() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.slide()
	b.bucket(b.current).requests++
	b.requests++
}

// Take holds one retry, or returns false if there is none left. Call
// [Budget.Spend] when it is sent or [Budget.Drop] if it is not.
func (b *Budget) Take() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.slide()
	if b.left() < 1 {
		return false
	}
	b.held++
	return true
}

// Spend counts a retry that is held as sent now, and returns what to call
// [Budget.Refund] with if it turns out that it was not.
func (b *Budget) Spend() (sent int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.slide()
	b.held--
	b.bucket(b.current).retries++
	b.retries++
	return b.current
}

// Drop gives a retry back that is held and will not be sent.
func (b *Budget) Drop() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.held--
}

// Refund gives a retry back that Spend has counted, though nothing was sent. It
// does nothing if that was longer ago than a window.
func (b *Budget) Refund(sent int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.slide()
	if sent >= b.current-parts {
		b.bucket(sent).retries--
		b.retries--
	}
}

// Left returns how many retries could be taken now.
func (b *Budget) Left() int64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.slide()
	return max(b.left(), 0)
}

// left is below 0 where Set has taken away what was held. b.mu is held.
func (b *Budget) left() int64 {
	return max(b.percent*b.requests/100, b.floor) - b.held - b.retries
}

// slide forgets what has left the window. b.mu is held.
//
// The window ends in the middle of a bucket and so begins in one, that of
// parts before. Retries in this one count, requests do not: never are retries
// counted as fewer than they were, nor requests as more, and what is allowed is
// within the share of the exact window.
func (b *Budget) slide() {
	// A clock that was put back stands still until it has caught up.
	at := int64(b.now().Sub(b.start) / (b.window / parts))
	if at > b.current+parts {
		b.ring, b.current, b.requests, b.retries = [parts + 1]bucket{}, at, 0, 0
	}
	for b.current < at {
		b.current++
		next := b.bucket(b.current)
		b.retries -= next.retries // which are those of parts+1 before
		*next = bucket{}
		b.requests -= b.bucket(b.current - parts).requests
	}
}

// bucket returns the bucket of the given number, one of the latest parts+1.
func (b *Budget) bucket(n int64) *bucket {
	return &b.ring[(n+parts+1)%(parts+1)]
}
