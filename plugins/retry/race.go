package retry

import (
	"context"
	"fmt"
	"net/http"
	"runtime/debug"
	"sync"
	"time"

	"github.com/holysheep/relay/internal/quantile"
	"github.com/holysheep/relay/plugins"
)

// A race is the first attempt at a request, in the request's own goroutine,
// and, once that takes long, a second one beside it. The first answer that
// stands wins, and the other attempt is canceled. The goroutine of the second
// is waited for by the request, or by the body of the answer if the first wins.
type race struct {
	*retrier
	req   *http.Request // the client's
	first entrant
	hedge entrant
	done  chan struct{} // closed when there is no second attempt any more

	mu     sync.Mutex
	winner *entrant // nil as long as no answer stands
	latest *entrant // of those that have ended; nil before
}

// An entrant is one of the two attempts. What it came to is for its own
// goroutine, until done is closed.
type entrant struct {
	attempt
	cancel context.CancelFunc // nil if it was not begun; guarded by race.mu
	got    reply
}

// race makes the first attempt at req, and another beside it if it takes longer
// than most of those in took.
func (r *retrier) race(req *http.Request, call *plugins.Call, took *quantile.Window) reply {
	x := &race{retrier: r, req: req, done: make(chan struct{})}
	ctx, cancel := context.WithCancel(req.Context())
	x.first = entrant{attempt: begin(ctx, req), cancel: cancel}
	var timer *time.Timer
	if after, known := r.hedgeAfter(took); known {
		timer = time.AfterFunc(after, x.second)
	}
	start := r.now()
	x.end(&x.first, &x.hedge, r.try(req.Context(), x.first.attempt))
	spent := r.now().Sub(start)
	if timer == nil || timer.Stop() {
		close(x.done)
	}
	got := x.settle()
	// One that was overtaken took at least that long. Without it the slowest
	// would be missing, and ever more would be asked twice.
	came := x.first.got.outcome
	if came == overtaken || came == answered && got.res.StatusCode < http.StatusBadRequest {
		took.Add(spent)
	}
	if got.raced {
		call.Trail.Choose(got.note)
	}
	return got
}

// second makes the attempt beside the first, in a goroutine of its own, unless
// there shall be none.
func (x *race) second() {
	defer close(x.done)
	if !x.enter() {
		return
	}
	last := x.end(&x.hedge, &x.first, x.guarded())
	came := hedgeFailed
	switch x.hedge.got.outcome {
	case answered:
		came = hedgeWon
	case overtaken:
		came = hedgeLost
	case canceled:
		came = hedgeCanceled
	}
	x.metrics.hedges[came].Inc()
	if came == hedgeLost || came != hedgeWon && !last {
		x.hedge.release() // or settle does
	}
}

// enter prepares the second attempt, or returns false if there shall be none.
func (x *race) enter() bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.latest != nil || x.req.Context().Err() != nil {
		return false // the first has just ended
	}
	if !x.budget.Take() {
		x.metrics.hedges[hedgeDenied].Inc()
		return false
	}
	ctx, cancel := context.WithCancel(x.req.Context())
	a, ok := resend(ctx, x.req)
	if !ok {
		cancel()
		x.budget.Drop()
		return false
	}
	a.charged = true
	x.alike(a.req)
	x.hedge = entrant{attempt: a, cancel: cancel}
	return true
}

// alike has the second attempt ask for the model that the first asks for, where
// that is the client's: an upstream that takes long is not out, so there is no
// reason yet to fall back on another model.
func (x *race) alike(second *http.Request) {
	if x.first.note.Model() != plugins.CallOf(x.req.Context()).Ask().Model {
		return
	}
	second.Header = second.Header.Clone() // shared with the first
	second.Header.Set("X-Relay-Fallback", "off")
}

// guarded makes the second attempt. A panic, which nobody above would catch in
// this goroutine, is a failure like others.
func (x *race) guarded() (got reply) {
	ctx := x.req.Context()
	defer func() {
		if p := recover(); p != nil {
			x.log.ErrorContext(ctx, "a second attempt panicked", "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
			got = reply{err: fmt.Errorf("panic: %v", p), outcome: broken, note: x.hedge.note, sent: true}
		}
	}()
	return x.try(ctx, x.hedge.attempt)
}

// end takes down what e has come to, and reports whether the other had ended
// before. If e is the first whose answer stands, the other is canceled.
func (x *race) end(e, other *entrant, got reply) (last bool) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if got.outcome == answered && x.winner == nil {
		x.winner = e
		if other.cancel != nil {
			other.cancel()
		}
	}
	if x.winner == other {
		got.outcome = overtaken
	}
	x.metrics.attempts[got.outcome].Inc()
	e.got, last, x.latest = got, x.latest != nil, e
	return last
}

// begun reports whether there is or was a second attempt.
func (x *race) begun() bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.hedge.cancel != nil
}

// settle returns what the two have come to, once the first has ended and,
// unless that has won, the second too.
func (x *race) settle() reply {
	if x.first.got.outcome != answered {
		<-x.done
	}
	raced := x.begun()
	if !raced || x.first.got.outcome == answered {
		got := x.first.keep(x.done)
		got.raced = raced
		return got
	}
	e, other := &x.first, &x.hedge
	if x.secondCounts() {
		e, other = other, e
	}
	other.release()
	got := e.keep(x.done)
	got.raced, got.sent = true, x.first.got.sent || x.hedge.got.sent
	if got.n = 2; got.outcome == refused {
		got.n = 1
	}
	if x.hedge.note.Upstream() != "" {
		// The second knows that the first has been asked, not the reverse.
		got.elsewhere = x.hedge.note.Alternatives() > 0 || got.note.Fault() == plugins.FaultKey
	}
	return got
}

// secondCounts reports whether the second attempt, and not the first, is what
// the request came to, once both have ended and the first has not won: of two
// failures the later one. A refusal of the first is final as ever. A second
// that was refused, or that found nobody to ask, tells nothing.
func (x *race) secondCounts() bool {
	switch came := x.hedge.got.outcome; {
	case came == answered:
		return true
	case came == refused || x.first.got.outcome == refused || x.hedge.note.Upstream() == "":
		return false
	}
	return x.latest == &x.hedge
}

// keep returns what the attempt came to. Its context ends with the body of the
// answer, which closes only after done.
func (e *entrant) keep(done <-chan struct{}) reply {
	if e.got.res == nil {
		e.cancel()
		return e.got
	}
	e.got.res.Body = &racedBody{ReadCloser: e.got.res.Body, cancel: e.cancel, other: done}
	return e.got
}

// release forgets what the attempt came to.
func (e *entrant) release() {
	discard(e.got.res)
	e.got.res = nil
	e.cancel()
}
