// Package quantile tells how long most of the latest calls of a kind have
// taken.
//
// It is exact over the calls that it holds and knows nothing of those before;
// it does not fit a curve, and it does not forget by time.
package quantile

import (
	"slices"
	"sync"
	"time"
)

// A Window holds the latest durations of a kind. It is safe for concurrent use.
// Make one with [New].
type Window struct {
	least int

	mu     sync.Mutex
	latest []time.Duration // in the order in which they came, from next on once it is full
	next   int             // where the next one goes, in place of the oldest
	sorted []time.Duration // the same, ascending
}

// New returns a window of the latest size durations, which says nothing before
// it has seen least of them.
func New(size, least int) *Window {
	return &Window{least: least, latest: make([]time.Duration, 0, size), sorted: make([]time.Duration, 0, size)}
}

// Add adds a duration, in place of the oldest if the window is full. It moves
// what lies between the two in the order of length, so that [Window.At] has
// nothing to do.
func (w *Window) Add(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.latest) < cap(w.latest) {
		w.latest = append(w.latest, d)
	} else {
		oldest, _ := slices.BinarySearch(w.sorted, w.latest[w.next])
		w.sorted = slices.Delete(w.sorted, oldest, oldest+1)
		w.latest[w.next] = d
		w.next = (w.next + 1) % len(w.latest)
	}
	i, _ := slices.BinarySearch(w.sorted, d)
	w.sorted = slices.Insert(w.sorted, i, d)
}

// At returns the shortest duration that at least percent of a hundred, from 1
// to 100, did not exceed: of 1s, 2s, …, 20s it is 19s at 95. It returns false
// while too few have been seen.
func (w *Window) At(percent int) (time.Duration, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	n := len(w.sorted)
	if n == 0 || n < w.least {
		return 0, false
	}
	return w.sorted[(percent*n+99)/100-1], true
}
