package retry

import (
	"context"
	"io"
	"net/http"
	"time"

	"github.com/holysheep/relay/plugins"
)

const (
	// drainBytes is how much of an answer that nobody wants is read, so that
	// its connection can be used again. Error bodies of upstreams are shorter.
	drainBytes = 4 << 10

	// drainTime bounds that reading: a new connection costs about as much.
	drainTime = 50 * time.Millisecond
)

// An attempt is a request that is about to be sent, and the wait before it.
type attempt struct {
	req     *http.Request
	note    *plugins.Attempt // which the pool fills
	wait    time.Duration
	charged bool // it has taken a retry from the budget
}

// A reply is what the attempts of a request have come to so far.
type reply struct {
	res       *http.Response // nil if there is none
	err       error
	outcome   outcome
	note      *plugins.Attempt // of the attempt that it is about
	n         int              // attempts, this one included
	sent      bool             // an upstream may have seen one of them
	elsewhere bool             // the next one asks whom none of them has asked
	raced     bool             // two of them ran beside each other
}

// says returns where a failure may say when to come back: the answer, or the
// header of an error that stands for one. It is nil if there is neither.
func (r reply) says() *http.Response {
	if e, ok := plugins.AsError(r.err); ok {
		return &http.Response{Header: e.Header}
	}
	return r.res
}

// try makes an attempt of a request that ends with ctx.
func (r *retrier) try(ctx context.Context, a attempt) reply {
	var when int64
	if a.charged {
		when = r.budget.Spend()
	}
	res, err := r.next.RoundTrip(a.req) //nolint:bodyclose // the client closes it, or discard
	got := reply{res: res, err: err, note: a.note, n: 1, sent: !a.note.Unsent()}
	got.outcome = r.judge(ctx, a.note.Fault(), res, err)
	got.elsewhere = a.note.Alternatives() > 0 || a.note.Fault() == plugins.FaultKey
	if a.charged && !got.sent {
		r.budget.Refund(when)
	}
	return got
}

// drop forgets an attempt that is not made.
func (r *retrier) drop(a attempt) {
	if a.charged {
		r.budget.Drop()
	}
	if a.req.Body != nil {
		_ = a.req.Body.Close()
	}
}

// begin returns an attempt at req that ends with ctx. It shares Header and
// Trailer with req: nobody in a chain changes the former, and the latter is
// filled while the client's body is read.
func begin(ctx context.Context, req *http.Request) attempt {
	note := &plugins.Attempt{}
	return attempt{req: req.WithContext(plugins.WithAttempt(ctx, note)), note: note}
}

// resend returns an attempt at req with the body at the beginning, or false if
// the body cannot be had again.
func resend(ctx context.Context, req *http.Request) (attempt, bool) {
	if req.Body == nil || req.Body == http.NoBody {
		return begin(ctx, req), true
	}
	if req.GetBody == nil {
		return attempt{}, false
	}
	body, err := req.GetBody()
	if err != nil {
		return attempt{}, false
	}
	a := begin(ctx, req)
	a.req.Body = body
	return a, true
}

// discard closes res, which may be nil, and reads a little of it before.
func discard(res *http.Response) {
	if res == nil {
		return
	}
	// Close interrupts a Read, as it does in all of net/http.
	timer := time.AfterFunc(drainTime, func() { _ = res.Body.Close() })
	defer timer.Stop()
	_, _ = io.CopyN(io.Discard, res.Body, drainBytes)
	_ = res.Body.Close()
}
