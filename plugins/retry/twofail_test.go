package retry

import (
	"errors"
	"net/http"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/holysheep/relay/plugins"
	"github.com/holysheep/relay/plugins/plugintest"
)

// TestWhatTwoFailuresComeTo has both attempts of a race fail, where the second
// begins 100ms after the first and there is no third.
func TestWhatTwoFailuresComeTo(t *testing.T) {
	const ms = time.Millisecond
	tests := []struct {
		name          string
		first, second time.Duration // until they fail
		status        int           // of the answer; the first fails with 503
		err           error         // the second fails with errRefused
		by            string
	}{
		{"the later one counts, if it is the first's", 200 * ms, 50 * ms, 503, nil, "a"},
		{"the later one counts, if it is the second's", 200 * ms, 150 * ms, 0, errRefused, "b"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				up := upstream().Then(after(tt.first, nil, says(503))).Then(after(tt.second, nil, fails(errRefused)))
				r, req := hedging(t, func(s *Settings) { s.Attempts = 2 }, pool(up, "a", "b", "c")), embed(t, "{}")
				res, err := r.RoundTrip(req)
				if got := status(res); got != tt.status || !errors.Is(err, tt.err) || up.Asked() != 2 {
					t.Errorf("got %d, %v after %d attempts, want %d, %v after 2", got, err, up.Asked(), tt.status, tt.err)
				}
				if got := plugins.CallOf(req.Context()).Header("X-Relay-Upstream"); got != tt.by {
					t.Errorf("it is the failure of %q, want that of %q", got, tt.by)
				}
				if value(t, r.metrics.requests[exhausted]) != 1 {
					t.Error("it did not end with every attempt failed")
				}
			})
		})
	}
}

func TestASecondAttemptThatAsksNobodyTellsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var n atomic.Int64
		r := hedging(t, func(s *Settings) { s.Attempts = 2 }, plugintest.RoundTripFunc(func(req *http.Request) (*http.Response, error) {
			if n.Add(1) == 2 {
				time.Sleep(100 * time.Millisecond)
				return nil, errBusy
			}
			return pool(upstream().Then(after(150*time.Millisecond, nil, says(503))), "a", "b").RoundTrip(req)
		}))
		before := r.budget.Left()
		res, err := r.RoundTrip(embed(t, "{}"))
		if err != nil || status(res) != http.StatusServiceUnavailable || n.Load() != 2 {
			t.Errorf("got %v, %v after %d attempts, want the first's 503 after 2", res, err, n.Load())
		}
		if got := r.budget.Left(); got != before {
			t.Errorf("%d retries are left of %d, want all", got, before)
		}
	})
}

// TestAfterARaceItWaitsIfNoUpstreamIsNew has the first fail last, of which there is
// no new upstream left, though there was when it began.
func TestAfterARaceItWaitsIfNoUpstreamIsNew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		up := upstream().Then(after(200*time.Millisecond, nil, says(503))).Then(after(50*time.Millisecond, nil, says(503))).Then(says(200))
		start := time.Now()
		res, err := hedging(t, nil, pool(up, "a", "b")).RoundTrip(embed(t, "{}"))
		if err != nil || status(res) != http.StatusOK || up.Asked() != 3 {
			t.Errorf("got %v, %v after %d attempts, want 200 after 3", res, err, up.Asked())
		}
		if got := time.Since(start); got != 400*time.Millisecond {
			t.Errorf("took %s, want 200ms and a wait of 200ms", got)
		}
	})
}

// TestARaceIsCharged counts what is left of the budget after a race that fails
// and a retry, where one of the two attempts sent nothing.
func TestARaceIsCharged(t *testing.T) {
	unsent := func(req *http.Request) (*http.Response, error) {
		plugins.AttemptOf(req.Context()).SetUnsent()
		return nil, errRefused
	}
	tests := []struct {
		name          string
		first, second func(*http.Request) (*http.Response, error)
		costs         int64
	}{
		{"both were sent: hedge and retry", says(503), says(503), 2},
		{"the hedge was not: the retry", says(503), unsent, 1},
		{"the first was not: hedge and retry", unsent, says(503), 2},
		{"neither was: nothing", unsent, unsent, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				up := upstream().Then(after(120*time.Millisecond, nil, tt.first)).Then(after(50*time.Millisecond, nil, tt.second)).Then(says(200))
				r := hedging(t, nil, pool(up, "a", "b", "c"))
				before := r.budget.Left()
				res, err := r.RoundTrip(embed(t, "{}"))
				if err != nil || status(res) != http.StatusOK {
					t.Fatalf("got %v, %v, want 200", res, err)
				}
				if got := before - r.budget.Left(); got != tt.costs {
					t.Errorf("it cost %d retries, want %d", got, tt.costs)
				}
			})
		})
	}
}
