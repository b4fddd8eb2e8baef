package retry

import (
	"context"
	"math/rand/v2"
	"net/http"
	"time"

	"github.com/holysheep/relay/plugins"
)

// wait returns how long to wait after the n-th attempt, which failed with res
// or without an answer. It returns false if the upstream wants longer than it
// may.
func (r *retrier) wait(res *http.Response, elsewhere bool, n int) (time.Duration, bool) {
	if elsewhere {
		// What failed needs the rest, not the upstream that is asked next.
		return 0, true
	}
	wait := r.jitter(r.settings.backoff(n))
	if res == nil {
		return wait, true
	}
	asked, most := plugins.RetryAfter(res.Header, r.now()), r.settings.MaxRetryAfter
	switch {
	case asked > most:
		return 0, false
	case asked > 0:
		// The jitter comes on top, or all that were sent away at once would
		// come back at once.
		return asked + min(wait, most-asked), true
	}
	return wait, true
}

// backoff returns the longest wait after the n-th attempt.
func (s Settings) backoff(n int) time.Duration {
	wait := s.Wait
	for range n - 1 {
		if wait > s.MaxWait/2 {
			return s.MaxWait
		}
		wait *= 2
	}
	return wait
}

// fullJitter returns a random time from 0 to most, so that those that failed
// together do not come back together.
func fullJitter(most time.Duration) time.Duration {
	if most <= 0 {
		return 0
	}
	return rand.N(most)
}

// pause waits for d. It returns the reason at once if ctx ends first.
func pause(ctx context.Context, d time.Duration) error {
	if d > 0 {
		timer := time.NewTimer(d)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-ctx.Done():
		}
	}
	return context.Cause(ctx)
}
