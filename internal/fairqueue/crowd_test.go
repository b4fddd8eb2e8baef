package fairqueue

import (
	"context"
	"errors"
	"math/rand/v2"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// TestACrowd has many clients come, wait, be served and leave at random over
// three lines of two slots each. Nobody is forgotten: though nobody polls, all
// who stay are served, and nobody is left in the queue.
func TestACrowd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := New[int](Options{Size: 60, Poll: 24 * time.Hour})
		var held [3]atomic.Int64
		var served, refused atomic.Int64
		visit := func(line int, client string, patience time.Duration) {
			ctx, cancel := context.WithTimeout(t.Context(), patience)
			defer cancel()
			take := func() bool {
				if held[line].Add(1) <= 2 {
					return true
				}
				held[line].Add(-1)
				return false
			}
			if err := q.Wait(ctx, line, client, time.Minute, take); err != nil {
				if refused.Add(1); errors.Is(err, ErrLate) {
					t.Error("one was forgotten")
				}
				return
			}
			served.Add(1)
			time.Sleep(rand.N(20 * time.Millisecond)) //nolint:gosec // no secret
			held[line].Add(-1)
			q.Wake(line)
		}
		var wg sync.WaitGroup
		for i := range 2000 {
			patience := time.Hour
			if i%3 == 0 {
				patience = rand.N(50 * time.Millisecond) //nolint:gosec // no secret
			}
			wg.Go(func() { visit(i%3, strconv.Itoa(i%7), patience) })
			time.Sleep(rand.N(4 * time.Millisecond)) //nolint:gosec // no secret
		}
		wg.Wait()
		if served.Load()+refused.Load() != 2000 || served.Load() < 500 || refused.Load() < 20 {
			t.Errorf("%d served, %d refused, want 2000 of either kind", served.Load(), refused.Load())
		}
		if q.Len() != 0 || len(q.lines) != 0 || len(q.clients) != 0 {
			t.Errorf("%d wait, %d lines and %d clients are left", q.Len(), len(q.lines), len(q.clients))
		}
	})
}

// BenchmarkNobodyWaits is what a queue costs a request that need not wait.
func BenchmarkNobodyWaits(b *testing.B) {
	q := New[string](Options{Size: 9})
	b.ReportAllocs()
	for b.Loop() {
		if !q.Busy("a") {
			q.Wake("a")
		}
	}
}
