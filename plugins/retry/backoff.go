package retry

import (
	"context"
	"math"
	"math/rand/v2"
	"net/http"
	"strconv"
	"time"
)

// forever stands for a time that no wait reaches.
const forever time.Duration = math.MaxInt64

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
	asked, most := retryAfter(res.Header, r.now()), r.settings.MaxRetryAfter
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

// retryAfter returns how long the answer with header h wants to be left alone,
// 0 if it does not say so in a form that anybody knows. Retry-After is in
// seconds or a date (RFC 9110 §10.2.3); retry-after-ms is OpenAI's, more exact,
// and comes first, as in its SDKs.
func retryAfter(h http.Header, now time.Time) time.Duration {
	if d, ok := number(h.Get("Retry-After-Ms"), time.Millisecond); ok {
		return d
	}
	text := h.Get("Retry-After")
	if d, ok := number(text, time.Second); ok {
		return d
	}
	at, err := http.ParseTime(text)
	if err != nil {
		return 0
	}
	return max(0, at.Sub(now))
}

// number reads text as a number of units. Fractions are known from servers,
// though not from RFC 9110.
func number(text string, unit time.Duration) (time.Duration, bool) {
	n, err := strconv.ParseFloat(text, 64)
	switch d := n * float64(unit); {
	case err != nil || math.IsNaN(n) || n < 0:
		return 0, false
	case d >= float64(forever):
		return forever, true
	default:
		return time.Duration(math.Ceil(d)), true
	}
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
