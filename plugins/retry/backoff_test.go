package retry

import (
	"math"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/holysheep/relay/plugins"
	"github.com/holysheep/relay/plugins/plugintest"
)

// atTen is the time at which tests receive their answers.
func atTen() time.Time { return time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC) }

func TestRetryAfterIsWaitedFor(t *testing.T) {
	tests := []struct {
		name   string
		after  string
		jitter time.Duration
		asked  int
		waits  time.Duration
	}{
		{"the jitter comes on top", "2", 30 * time.Millisecond, 2, 2030 * time.Millisecond},
		{"no wait is longer than the longest", "4", 2 * time.Second, 2, 5 * time.Second},
		{"the longest is still waited for", "5", 2 * time.Second, 2, 5 * time.Second},
		{"a longer one is not", "5.001", 0, 1, 0},
		{"one without end is not", "1e300", 0, 1, 0},
		{"one of zero leaves the jitter", "0", 30 * time.Millisecond, 2, 30 * time.Millisecond},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				up := upstream().Then(says(429, "Retry-After", tt.after)).Then(says(200))
				r := build(t, func(s *Settings) { s.MaxRetryAfter = 5 * time.Second }, up)
				r.jitter = func(time.Duration) time.Duration { return tt.jitter }
				start := time.Now()
				res, err := r.RoundTrip(plugintest.Request(t, "{}"))
				if err != nil {
					t.Fatal(err)
				}
				if got := time.Since(start); got != tt.waits {
					t.Errorf("waited %s, want %s", got, tt.waits)
				}
				if got := up.Asked(); got != tt.asked {
					t.Errorf("asked %d times, want %d", got, tt.asked)
				}
				if got := read(t, res); got != "{}" {
					t.Errorf("body = %q, want it whole", got)
				}
			})
		})
	}
}

func TestBackoffDoublesAndEnds(t *testing.T) {
	tests := []struct {
		name      string
		wait, max time.Duration
		n         int
		want      time.Duration
	}{
		{"the first is the base", 100, 5000, 1, 100},
		{"the second is twice that", 100, 5000, 2, 200},
		{"the fifth", 100, 5000, 5, 1600},
		{"the end", 100, 5000, 9, 5000},
		{"the end, met exactly", 100, 400, 3, 400},
		{"the end, met between", 100, 300, 3, 300},
		{"no wait", 0, 5000, 9, 0},
		{"no overflow", math.MaxInt64/2 + 1, math.MaxInt64, 9, math.MaxInt64},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := (Settings{Wait: tt.wait, MaxWait: tt.max}).backoff(tt.n); got != tt.want {
				t.Errorf("got %d, want %d", got, tt.want)
			}
		})
	}
}

func TestJitterIsFull(t *testing.T) {
	const most = 100 * time.Millisecond
	var low, high int
	for range 1000 {
		switch d := fullJitter(most); {
		case d < 0 || d >= most:
			t.Fatalf("%s is not from 0 to %s", d, most)
		case d < most/2:
			low++
		default:
			high++
		}
	}
	// Of 1000 fair throws, fewer than 300 on one side happen once in 10^37.
	if low < 300 || high < 300 {
		t.Errorf("%d waits in the lower half and %d in the upper, want about as many", low, high)
	}
	if got := fullJitter(0); got != 0 {
		t.Errorf("of nothing: %s, want 0", got)
	}
}

func FuzzRetryAfter(f *testing.F) {
	for _, seed := range []string{"", "7", "0.5", "-1", "1e300", "NaN", "Inf", "0x1p4", "Mon, 23 Nov 2026 10:01:00 GMT"} {
		f.Add(seed, "")
		f.Add("", seed)
	}
	s := Defaults()
	f.Fuzz(func(t *testing.T, after, afterMs string) {
		h := http.Header{"Retry-After": {after}, "Retry-After-Ms": {afterMs}}
		asked := plugins.RetryAfter(h, atTen())
		if asked < 0 {
			t.Errorf("RetryAfter(%q, %q) = %s, which is negative", after, afterMs, asked)
		}
		r := retrier{settings: s, now: atTen, jitter: fullJitter}
		wait, ok := r.wait(&http.Response{Header: h}, false, 1)
		if ok != (asked <= s.MaxRetryAfter) {
			t.Errorf("asked %s, waits: %t", asked, ok)
		}
		if ok && (wait < asked || wait > s.MaxRetryAfter) {
			t.Errorf("asked %s, waits %s, want at least that and at most %s", asked, wait, s.MaxRetryAfter)
		}
	})
}
