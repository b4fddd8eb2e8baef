// Package retry asks an upstream again when it could not be reached or answered
// with a status that passes, and waits in between as the upstream says or ever
// longer. A call that takes long it may ask for a second time beside the first.
// Everything inside it in the chain runs once per attempt, everything outside
// once per request.
//
// It does not choose upstreams: the pool does, and prefers those that the
// request has not asked yet. It never asks again once an answer has begun, nor
// after the client has left, and it holds no body: it asks again only while the
// server does.
package retry

import (
	"context"
	"log/slog"
	"net/http"
	"strconv"
	"time"

	"github.com/holysheep/relay/internal/budget"
	"github.com/holysheep/relay/internal/quantile"
	"github.com/holysheep/relay/plugins"
)

// Plugin is the plugin retry.
var Plugin = plugins.Define("retry", Defaults, New)

// New returns a link that asks again as s says.
func New(s Settings, env plugins.Env) (plugins.Link, error) {
	m, err := plugins.Keep(env, "metrics", func() (*metrics, error) { return newMetrics(env.Metrics), nil })
	if err != nil {
		return plugins.Link{}, err
	}
	b, err := plugins.Keep(env, "budget", func() (*budget.Budget, error) {
		return budget.New(s.Budget.Percent, s.Budget.PerSecond, budgetWindow, env.Now), nil
	})
	if err != nil {
		return plugins.Link{}, err
	}
	took, err := latencies(s, env)
	if err != nil {
		return plugins.Link{}, err
	}
	return plugins.Link{
		Fetch: func(next http.RoundTripper) http.RoundTripper {
			return &retrier{
				settings: s, next: next, log: env.Log, now: env.Now,
				jitter: fullJitter, metrics: m, budget: b, took: took,
			}
		},
		Start: func() {
			b.Set(s.Budget.Percent, s.Budget.PerSecond)
			m.budget.Store(b)
		},
	}, nil
}

// A retrier is a RoundTripper that asks next, again where that may help.
type retrier struct {
	settings Settings
	next     http.RoundTripper
	log      *slog.Logger
	now      func() time.Time
	jitter   func(most time.Duration) time.Duration
	metrics  *metrics
	budget   *budget.Budget
	took     map[string]*quantile.Window // by endpoint that is hedged; see latencies
}

// RoundTrip implements [http.RoundTripper]. It returns what the last attempt
// came to: an answer of an earlier one is gone by then.
func (r *retrier) RoundTrip(req *http.Request) (*http.Response, error) {
	call := plugins.CallOf(req.Context())
	res, end, err := r.ask(req, call)
	r.metrics.requests[end].Inc()
	if r.settings.Headers {
		tell(call)
	}
	return res, err
}

// ask makes attempts until one of them settles the request, and tells how it
// ended.
func (r *retrier) ask(req *http.Request, call *plugins.Call) (*http.Response, result, error) {
	r.budget.Request()
	ctx, got := req.Context(), r.open(req, call)
	for {
		switch got.outcome {
		case answered, refused:
			return got.res, settled(got.n), got.err
		case canceled:
			discard(got.res)
			return nil, left, context.Cause(ctx)
		}
		next, held := r.plan(req, got)
		if held != none {
			return got.res, held, got.err
		}
		r.note(ctx, call, got)
		discard(got.res)
		r.metrics.waits.Observe(next.wait.Seconds())
		if err := pause(ctx, next.wait); err != nil {
			r.drop(next)
			return nil, left, err
		}
		if got.raced {
			call.Trail.Choose(nil) // neither of the two, but the latest
		}
		n, sent := got.n, got.sent
		got = r.try(ctx, next)
		r.metrics.attempts[got.outcome].Inc()
		got.n, got.sent = n+1, got.sent || sent
	}
}

// open makes the first attempt, and another beside it where that is wanted.
func (r *retrier) open(req *http.Request, call *plugins.Call) reply {
	if len(r.took) > 0 {
		if took := r.hedged(req, call); took != nil {
			return r.race(req, call, took)
		}
	}
	got := r.try(req.Context(), begin(req.Context(), req))
	r.metrics.attempts[got.outcome].Inc()
	return got
}

// plan prepares the attempt after the one that came to got, or tells why there
// is none. It leaves the answer as it is, since the client gets it if there is
// none.
func (r *retrier) plan(req *http.Request, got reply) (attempt, result) {
	if got.n >= r.settings.Attempts {
		return attempt{}, exhausted
	}
	wait, ok := r.wait(got.says(), got.elsewhere, got.n) //nolint:bodyclose // ask closes it
	if !ok {
		return attempt{}, tooLong
	}
	if end, ok := req.Context().Deadline(); ok && wait >= time.Until(end) {
		return attempt{}, tooLate
	}
	next, ok := resend(req.Context(), req)
	if !ok {
		return attempt{}, bodyGone
	}
	// Where nothing was sent so far, the next attempt takes the place of the
	// first, which the request stands for.
	if next.charged = got.sent; next.charged && !r.budget.Take() {
		next.charged = false
		r.drop(next)
		return attempt{}, overBudget
	}
	next.wait = wait
	return next, none
}

// note logs a failure that the client will not see.
func (r *retrier) note(ctx context.Context, call *plugins.Call, got reply) {
	why := slog.Any("err", got.err)
	if got.res != nil {
		why = slog.Int("status", got.res.StatusCode)
	}
	r.log.LogAttrs(ctx, slog.LevelDebug, "asking again",
		slog.String("request_id", call.ID), slog.String("upstream", got.note.Upstream()), why)
}

// tell puts on the client's answer how often an upstream was asked, and whose
// answer it is. Where none was asked, as behind a cache, there is nothing to
// tell.
func tell(call *plugins.Call) {
	if n := call.Trail.Attempts(); n > 0 {
		call.SetHeader("X-Relay-Attempts", strconv.Itoa(n))
		call.SetHeader("X-Relay-Upstream", call.Trail.Last())
	}
}
