package retry

import (
	"context"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"

	"github.com/holysheep/relay/plugins"
	"github.com/holysheep/relay/plugins/plugintest"
)

func TestMetricsCountAttemptsAndRequests(t *testing.T) {
	tests := []struct {
		name     string
		up       *plugintest.Upstream
		request  func(*http.Request) *http.Request
		attempts map[outcome]float64
		ends     result
	}{
		{name: "settled at once", up: plugintest.Answers(200), attempts: map[outcome]float64{answered: 1}, ends: first},
		{name: "a final answer", up: plugintest.Answers(404), attempts: map[outcome]float64{answered: 1}, ends: first},
		{name: "settled later", up: plugintest.Answers(503, 200), attempts: map[outcome]float64{failed: 1, answered: 1}, ends: retried},
		{name: "never settled", up: upstream().Then(fails(errRefused)), attempts: map[outcome]float64{broken: 3}, ends: exhausted},
		{name: "refused", up: upstream().Then(fails(plugins.ErrAmbiguousBody)), attempts: map[outcome]float64{refused: 1}, ends: first},
		{name: "too long a wait", up: upstream().Then(says(429, "Retry-After", "99")), attempts: map[outcome]float64{failed: 1}, ends: tooLong},
		{name: "no body", up: plugintest.Answers(503), request: withoutGetBody, attempts: map[outcome]float64{failed: 1}, ends: bodyGone},
		{name: "no time", up: plugintest.Answers(503), request: endsIn(50 * time.Millisecond), attempts: map[outcome]float64{failed: 1}, ends: tooLate},
		{name: "time is up in an attempt", up: upstream().Then(endsWith(errTimeUp)), request: cutBy(errTimeUp), attempts: map[outcome]float64{canceled: 1}, ends: left},
		{name: "the reason has a cause of its own", up: upstream().Then(endsWith(errTimeUp.Because(errRefused))), request: cutBy(errTimeUp), attempts: map[outcome]float64{canceled: 1}, ends: left},
		{name: "refused when time is up", up: upstream().Then(endsWith(plugins.ErrAmbiguousBody)), request: cutBy(errTimeUp), attempts: map[outcome]float64{refused: 1}, ends: first},
		{name: "gone in an attempt", up: upstream().Then(endsWith(context.Canceled)), request: cutBy(context.Canceled), attempts: map[outcome]float64{canceled: 1}, ends: left},
		{name: "gone before", up: upstream().Then(stalls), request: endsIn(-1), attempts: map[outcome]float64{canceled: 1}, ends: left},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r, req := build(t, nil, tt.up), plugintest.Request(t, "{}")
				if tt.request != nil {
					req = tt.request(req)
				}
				res, _ := r.RoundTrip(req)
				status(res)
				if diff := cmp.Diff(counts(t, r.metrics.attempts), tt.attempts); diff != "" {
					t.Errorf("attempts (-got +want):\n%s", diff)
				}
				for name, c := range r.metrics.requests {
					if n := value(t, c); (n == 1) != (name == tt.ends) || n > 1 {
						t.Errorf("%s requests: %v, want 1 %s alone", name, n, tt.ends)
					}
				}
			})
		})
	}
}

// counts returns those of counters that are above 0.
func counts[K comparable](t *testing.T, counters map[K]prometheus.Counter) map[K]float64 {
	t.Helper()
	all := map[K]float64{}
	for k, c := range counters {
		if n := value(t, c); n > 0 {
			all[k] = n
		}
	}
	return all
}

func value(t *testing.T, c prometheus.Counter) float64 {
	t.Helper()
	var m dto.Metric
	if err := c.Write(&m); err != nil {
		t.Fatal(err)
	}
	return m.GetCounter().GetValue()
}

func withoutGetBody(req *http.Request) *http.Request {
	req.GetBody = nil
	return req
}

// endsIn bounds a request. The bubble of the test ends only after its timer.
func endsIn(d time.Duration) func(*http.Request) *http.Request {
	return func(req *http.Request) *http.Request {
		ctx, cancel := context.WithTimeout(req.Context(), d)
		context.AfterFunc(ctx, cancel)
		return req.WithContext(ctx)
	}
}

// errTimeUp is the reason of a request that the server ends: an answer for the
// client, as a refusal is.
var errTimeUp = &plugins.Error{Status: http.StatusGatewayTimeout, Code: "upstream_timeout"}

// cutBy ends a request after a second, for the reason cause.
func cutBy(cause error) func(*http.Request) *http.Request {
	return func(req *http.Request) *http.Request {
		ctx, cancel := context.WithCancelCause(req.Context())
		time.AfterFunc(time.Second, func() { cancel(cause) })
		return req.WithContext(ctx)
	}
}

// endsWith fails with err when the request ends.
func endsWith(err error) func(*http.Request) (*http.Response, error) {
	return func(req *http.Request) (*http.Response, error) {
		<-req.Context().Done()
		return nil, err
	}
}

func TestCountersOutliveALink(t *testing.T) {
	env := plugintest.Env(t, nil)
	for range 2 {
		link := plugintest.Link[Settings](t, Plugin, env, nil)
		res, err := link.Fetch(plugintest.Answers(200)).RoundTrip(plugintest.Request(t, "{}"))
		if err != nil {
			t.Fatal(err)
		}
		status(res)
	}
	m, _ := plugins.Keep(env, "metrics", func() (*metrics, error) { return nil, nil })
	if got := value(t, m.requests[first]); got != 2 {
		t.Errorf("counted %v requests over two links, want 2", got)
	}
}
