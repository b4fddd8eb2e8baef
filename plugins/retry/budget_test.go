package retry

import (
	"errors"
	"math/rand/v2"
	"net/http"
	"slices"
	"sort"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/holysheep/relay/plugins"
	"github.com/holysheep/relay/plugins/plugintest"
)

// times are instants that many goroutines note.
type times struct {
	mu sync.Mutex
	at []time.Duration
}

func (s *times) note(at time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.at = append(s.at, at)
}

// within returns how many of them lie after from and not after to. They are
// sorted.
func (s *times) within(from, to time.Duration) int {
	after := func(d time.Duration) int { return sort.Search(len(s.at), func(i int) bool { return s.at[i] > d }) }
	return after(to) - after(from)
}

// TestRetriesDoNotMultiplyAnOutage has every upstream fail from one moment on,
// under 300 requests a second: in any 10s there are at most six attempts for
// five requests, and nearly as many as that.
func TestRetriesDoNotMultiplyAnOutage(t *testing.T) {
	const perSecond, lasts, outage = 300, 40 * time.Second, 15 * time.Second
	synctest.Test(t, func(t *testing.T) {
		start, requests, attempts := time.Now(), &times{}, &times{}
		r := build(t, func(s *Settings) { s.Attempts = 5 }, plugintest.RoundTripFunc(func(req *http.Request) (*http.Response, error) {
			attempts.note(time.Since(start))
			plugins.AttemptOf(req.Context()).Begin("a", "", "", rand.IntN(2))
			if time.Since(start) < outage {
				return plugintest.Response(req, http.StatusOK, "{}"), nil
			}
			return plugintest.Response(req, http.StatusServiceUnavailable, "{}"), nil
		}))
		r.jitter = fullJitter
		var group sync.WaitGroup
		for range perSecond * int(lasts/time.Second) {
			requests.note(time.Since(start))
			group.Go(func() {
				res, err := r.RoundTrip(plugintest.Request(t, "{}"))
				if err != nil {
					t.Error(err)
				}
				status(res)
			})
			time.Sleep(time.Second / perSecond)
		}
		group.Wait()
		most := 0.0
		slices.Sort(attempts.at)
		for _, to := range attempts.at {
			if from := to - 10*time.Second; from >= 0 && to < lasts {
				most = max(most, float64(attempts.within(from, to))/float64(requests.within(from, to)))
			}
		}
		if most > 1.2 || most < 1.19 {
			t.Errorf("%.3f attempts for a request in the worst 10s, want 1.19 to 1.2", most)
		}
		if value(t, r.metrics.requests[overBudget]) == 0 {
			t.Error("no request ended for the budget")
		}
	})
}

// spent returns a retrier whose budget has n retries left of a floor of 10.
func spent(t *testing.T, n int, up http.RoundTripper) *retrier {
	t.Helper()
	r := build(t, func(s *Settings) { s.Budget = Budget{PerSecond: 1} }, up)
	for range 10 - n {
		r.budget.Take()
	}
	return r
}

func TestWhatTheBudgetCounts(t *testing.T) {
	sent := func(answer func(*http.Request) (*http.Response, error)) func(*http.Request) (*http.Response, error) {
		return func(req *http.Request) (*http.Response, error) {
			plugins.AttemptOf(req.Context()).Begin("a", "", "", 0)
			return answer(req)
		}
	}
	unsent := sent(func(req *http.Request) (*http.Response, error) {
		plugins.AttemptOf(req.Context()).SetUnsent()
		return nil, errRefused
	})
	busy, good := sent(says(503)), sent(says(200))
	tests := []struct {
		name   string
		left   int
		up     *plugintest.Upstream
		status int
		err    error
		asked  int
		then   int64 // left
		ends   result
	}{
		{"a first attempt costs nothing", 0, upstream().Then(good), 200, nil, 1, 0, first},
		{"nothing is left for a second", 0, upstream().Then(busy), 503, nil, 1, 0, overBudget},
		{"nor after an error", 0, upstream().Then(sent(fails(errRefused))), 0, errRefused, 1, 0, overBudget},
		{"a retry costs one", 5, upstream().Then(busy).Then(good), 200, nil, 2, 4, retried},
		{"each does", 5, upstream().Then(busy), 503, nil, 3, 3, exhausted},
		{"one is left", 1, upstream().Then(busy), 503, nil, 2, 0, overBudget},
		{"a retry on which nothing was sent is given back", 1, upstream().Then(busy).Then(unsent).Then(busy), 503, nil, 3, 0, exhausted},
		{"one in the place of a first that was not sent costs nothing", 0, upstream().Then(unsent).Then(good), 200, nil, 2, 0, retried},
		{"but the next one does", 0, upstream().Then(unsent).Then(busy), 503, nil, 2, 0, overBudget},
		{"nobody is reached", 0, upstream().Then(unsent), 0, errRefused, 3, 0, exhausted},
		{"a Retry-After that is too long comes before it", 0, upstream().Then(sent(says(429, "Retry-After", "3600"))), 429, nil, 1, 0, tooLong},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := spent(t, tt.left, tt.up)
				start := time.Now()
				res, err := r.RoundTrip(plugintest.Request(t, "{}"))
				if got := status(res); got != tt.status || !errors.Is(err, tt.err) {
					t.Errorf("got %d, %v, want %d, %v", got, err, tt.status, tt.err)
				}
				if got := tt.up.Asked(); got != tt.asked {
					t.Errorf("asked %d times, want %d", got, tt.asked)
				}
				if got := r.budget.Left(); got != tt.then {
					t.Errorf("%d are left, want %d", got, tt.then)
				}
				if value(t, r.metrics.requests[tt.ends]) != 1 {
					t.Errorf("it did not end with %s", tt.ends)
				}
				if tt.asked == 1 && time.Since(start) != 0 {
					t.Errorf("waited %s for nothing", time.Since(start))
				}
			})
		})
	}
}

func TestARetryThatIsNotMadeIsGivenBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := spent(t, 1, pool(plugintest.Answers(503), "a"))
		res, err := r.RoundTrip(endsIn(50 * time.Millisecond)(plugintest.Request(t, "{}")))
		if err != nil || status(res) != http.StatusServiceUnavailable {
			t.Errorf("got %v, %v, want 503", res, err)
		}
		res, err = r.RoundTrip(cutBy(errLeft)(plugintest.Request(t, "{}")))
		if err != nil || status(res) != http.StatusServiceUnavailable || r.budget.Left() != 0 {
			t.Errorf("got %v, %v with %d left, want 503 with none", res, err, r.budget.Left())
		}
	})
	synctest.Test(t, func(t *testing.T) {
		r := spent(t, 1, pool(upstream().Then(says(503, "Retry-After", "5")), "a"))
		if _, err := r.RoundTrip(cutBy(errLeft)(plugintest.Request(t, "{}"))); !errors.Is(err, errLeft) || r.budget.Left() != 1 {
			t.Errorf("got %v with %d left, want %v with 1", err, r.budget.Left(), errLeft)
		}
	})
}

func TestTheBudgetOutlivesALink(t *testing.T) {
	env := plugintest.Env(t, nil)
	link := func(percent int) *retrier {
		l := plugintest.Link(t, Plugin, env, func(s *Settings) { s.Budget = Budget{Percent: percent} })
		return l.Fetch(pool(plugintest.Answers(503), "a")).(*retrier)
	}
	left := func(r *retrier, want float64) {
		t.Helper()
		if got := r.metrics.left(); got != want {
			t.Errorf("%v are left, want %v", got, want)
		}
	}
	old := link(100)
	for range 10 {
		old.budget.Request()
	}
	left(old, 10)
	left(link(50), 5)
	left(old, 5) // the old generation goes by the new numbers

	settings := Defaults()
	if _, err := New(settings, env); err != nil {
		t.Fatal(err)
	}
	left(old, 5) // a link that was not started changes nothing
}
