package retry

import (
	"errors"
	"math/rand/v2"
	"net/http"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/holysheep/relay/plugins"
	"github.com/holysheep/relay/plugins/plugintest"
)

// pool returns a RoundTripper that asks up and notes on the attempt and the
// request's trail whom it asked: names in order, the last one again and again.
func pool(up http.RoundTripper, names ...string) http.RoundTripper {
	return plugintest.RoundTripFunc(func(req *http.Request) (*http.Response, error) {
		trail := &plugins.CallOf(req.Context()).Trail
		n := trail.Attempts()
		a := plugins.AttemptOf(req.Context())
		a.Begin(names[min(n, len(names)-1)], "", "", max(0, len(names)-1-n))
		trail.Begin(a)
		return up.RoundTrip(req)
	})
}

func TestAnUntriedUpstreamIsAskedAtOnce(t *testing.T) {
	tests := []struct {
		name  string
		fails func(*http.Request) (*http.Response, error)
		waits time.Duration // before the third attempt, which has nobody new to ask
	}{
		{"no connection", fails(errRefused), 200 * time.Millisecond},
		{"an answer that passes", says(503), 200 * time.Millisecond},
		{"an answer that wants a wait", says(429, "Retry-After", "1"), 1200 * time.Millisecond},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				up := upstream().Then(tt.fails).Then(tt.fails).Then(says(200))
				start := time.Now()
				res, err := build(t, nil, pool(up, "a", "b")).RoundTrip(plugintest.Request(t, "{}"))
				if err != nil || status(res) != http.StatusOK || up.Asked() != 3 {
					t.Errorf("got %v, %v after %d attempts, want 200 after 3", res, err, up.Asked())
				}
				if got := time.Since(start); got != tt.waits {
					t.Errorf("waited %s, want %s", got, tt.waits)
				}
			})
		})
	}
}

func TestALongRetryAfterGoesElsewhere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		long := says(429, "Retry-After", "3600")
		up := upstream().Then(long)
		start := time.Now()
		res, err := build(t, nil, pool(up, "a", "b")).RoundTrip(plugintest.Request(t, "{}"))
		if err != nil || status(res) != http.StatusTooManyRequests || up.Asked() != 2 {
			t.Errorf("got %v, %v after %d attempts, want the second's 429", res, err, up.Asked())
		}
		if got := res.Header.Get("Retry-After"); got != "3600" {
			t.Errorf("Retry-After = %q, want the upstream's", got)
		}
		if got := time.Since(start); got != 0 {
			t.Errorf("waited %s, want no wait", got)
		}
	})
}

func TestHeadersTellWhoWasAsked(t *testing.T) {
	tests := []struct {
		name   string
		change func(*Settings)
		next   http.RoundTripper
		want   http.Header
	}{
		{
			"the first attempt", nil, pool(plugintest.Answers(200), "a"),
			http.Header{"X-Relay-Attempts": {"1"}, "X-Relay-Upstream": {"a"}},
		},
		{
			"a later one", nil, pool(plugintest.Answers(503, 200), "a", "b"),
			http.Header{"X-Relay-Attempts": {"2"}, "X-Relay-Upstream": {"b"}},
		},
		{
			"an error", nil, pool(upstream().Then(fails(errRefused)), "a"),
			http.Header{"X-Relay-Attempts": {"3"}, "X-Relay-Upstream": {"a"}},
		},
		{"nobody was asked", nil, plugintest.Answers(200), http.Header{}},
		{"not wanted", func(s *Settings) { s.Headers = false }, pool(plugintest.Answers(200), "a"), http.Header{}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				req := plugintest.Request(t, "{}")
				res, _ := build(t, tt.change, tt.next).RoundTrip(req)
				status(res)
				got := http.Header{}
				plugins.CallOf(req.Context()).WriteHeaders(got)
				if diff := cmp.Diff(got, tt.want); diff != "" {
					t.Errorf("headers (-got +want):\n%s", diff)
				}
			})
		})
	}
}

// TestWhateverUpstreamsDo throws dice for upstreams and settings and holds the
// plugin to what it promises in every case.
func TestWhateverUpstreamsDo(t *testing.T) {
	for seed := range uint64(300) {
		t.Run(strconv.FormatUint(seed, 10), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { oneOf(t, rand.New(rand.NewPCG(seed, 1))) })
		})
	}
}

func oneOf(t *testing.T, dice *rand.Rand) {
	t.Helper()
	attempts, up := 1+dice.IntN(10), upstream()
	for range 10 {
		if dice.IntN(4) == 0 {
			up.Then(fails(errRefused))
			continue
		}
		up.Then(says(200+dice.IntN(400), "Retry-After", strconv.Itoa(dice.IntN(20))))
	}
	names := []string{"a", "b", "c"}[:1+dice.IntN(3)]
	r := build(t, func(s *Settings) { s.Attempts = attempts }, pool(up, names...))
	r.jitter = fullJitter
	start := time.Now()
	res, err := r.RoundTrip(plugintest.Request(t, "{}"))
	if (res == nil) == (err == nil) || err != nil && !errors.Is(err, errRefused) {
		t.Errorf("got %v, %v, want an answer or the upstream's error", res, err)
	}
	if res != nil && read(t, res) != "{}" {
		t.Error("the answer is not whole")
	}
	if got := up.Asked(); got < 1 || got > attempts {
		t.Errorf("asked %d times, want 1 to %d", got, attempts)
	}
	longest := time.Duration(up.Asked()-1) * r.settings.MaxRetryAfter
	if got := time.Since(start); got > longest {
		t.Errorf("waited %s, want at most %s", got, longest)
	}
	for i, b := range up.Bodies() {
		if b != "{}" {
			t.Errorf("body of attempt %d = %q, want the client's", i+1, b)
		}
	}
}
