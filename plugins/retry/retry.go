// Package retry asks an upstream again when it could not be reached or answered
// with a status that passes, and waits in between as the upstream says or ever
// longer. Everything inside it in the chain runs once per attempt, everything
// outside once per request.
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
	return plugins.Link{Fetch: func(next http.RoundTripper) http.RoundTripper {
		return &retrier{settings: s, next: next, log: env.Log, now: env.Now, jitter: fullJitter, metrics: m}
	}}, nil
}

// A retrier is a RoundTripper that asks next, again where that may help.
type retrier struct {
	settings Settings
	next     http.RoundTripper
	log      *slog.Logger
	now      func() time.Time
	jitter   func(most time.Duration) time.Duration
	metrics  *metrics
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
	ctx, out := req.Context(), req
	for n := 1; ; n++ {
		res, err := r.next.RoundTrip(out)
		o := r.judge(ctx, res, err)
		r.metrics.attempts[o].Inc()
		switch o {
		case answered, refused:
			return res, settled(n), err
		case canceled:
			discard(res)
			return nil, left, context.Cause(ctx)
		}
		next, held := r.plan(req, res, call.Trail.Alternatives() > 0, n)
		if held != none {
			return res, held, err
		}
		r.note(ctx, call, res, err)
		discard(res)
		r.metrics.waits.Observe(next.wait.Seconds())
		if err := pause(ctx, next.wait); err != nil {
			next.drop()
			return nil, left, err
		}
		out = next.req
	}
}

// plan prepares the attempt after the n-th, which failed with res or without an
// answer, or tells why there is none. It leaves res as it is, since the client
// gets it if there is none.
func (r *retrier) plan(req *http.Request, res *http.Response, elsewhere bool, n int) (attempt, result) {
	if n >= r.settings.Attempts {
		return attempt{}, exhausted
	}
	wait, ok := r.wait(res, elsewhere, n)
	if !ok {
		return attempt{}, tooLong
	}
	if end, ok := req.Context().Deadline(); ok && wait > 0 && wait >= time.Until(end) {
		return attempt{}, tooLate
	}
	again, ok := resend(req)
	if !ok {
		return attempt{}, bodyGone
	}
	return attempt{req: again, wait: wait}, none
}

// note logs a failure that the client will not see.
func (r *retrier) note(ctx context.Context, call *plugins.Call, res *http.Response, err error) {
	why := slog.Any("err", err)
	if res != nil {
		why = slog.Int("status", res.StatusCode)
	}
	r.log.LogAttrs(ctx, slog.LevelDebug, "asking again",
		slog.String("request_id", call.ID), slog.String("upstream", call.Trail.Last()), why)
}

// tell puts on the client's answer how often an upstream was asked, and which
// one last. Where none was asked, as behind a cache, there is nothing to tell.
func tell(call *plugins.Call) {
	if n := call.Trail.Attempts(); n > 0 {
		call.SetHeader("X-Relay-Attempts", strconv.Itoa(n))
		call.SetHeader("X-Relay-Upstream", call.Trail.Last())
	}
}
