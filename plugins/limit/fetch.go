package limit

import (
	"context"
	"net/http"

	"github.com/holysheep/relay/plugins"
)

// fetcher asks next for what the limiter lets through.
type fetcher struct {
	*limiter
	next http.RoundTripper
}

// RoundTrip implements [http.RoundTripper]. A request holds what it has taken
// until the body of its answer has ended, in whichever way.
func (f *fetcher) RoundTrip(req *http.Request) (*http.Response, error) {
	call := plugins.CallOf(req.Context())
	p, d, err := f.look(req, call)
	if err != nil {
		return nil, err
	}
	if !d.refused() {
		d = f.decide(req.Context(), p)
	}
	f.tell(call, &d)
	if d.refused() {
		return nil, f.refusal(&d)
	}
	if !d.passed { // the client has left while it waited
		return nil, req.Context().Err()
	}
	res, err := f.fetch(req, p)
	if err == nil {
		name := "" // of a cache
		if answer := answerOf(req); answer != nil {
			name = answer.Upstream()
		}
		f.metrics.upstream(name, res.Header)
	}
	return res, err
}

// look looks at the request, and returns what it claims. Where that means to
// wait for its body, of which much may be held then, it has a slot of this
// replica meanwhile; d is its refusal if there is none. The error is the answer
// to one that cannot be decided on.
func (l *limiter) look(req *http.Request, call *plugins.Call) (p *pass, d decision, err error) {
	if l.byModel || l.byTokens {
		if d = l.enter(); d.refused() {
			d.count(nil)
			return nil, d, nil
		}
		defer l.slots.release()
	}
	q := l.question(req, call)
	p, err = l.ask(&q)
	return p, decision{}, err
}

// enter takes a slot of this replica. If there is none d is refused.
func (l *limiter) enter() (d decision) {
	held, ok := l.slots.take(l.replica.size.n)
	if l.replica.size.n > 0 {
		d.flight = standing{part: l.replica, limit: l.replica.size.n, remaining: max(l.replica.size.n-held, 0), reset: l.hint}
	}
	if !ok {
		d.flight.wait = l.hint
		d.refusal = d.flight
	}
	return d
}

// attempt has p take a slot of this replica and all that it claims, or nothing.
func (l *limiter) attempt(ctx context.Context, p *pass) (d decision) {
	if d = l.enter(); d.refused() {
		return d
	}
	d.passed = l.take(ctx, p)
	d.read(p, l.hint)
	if !d.passed {
		l.slots.release()
		if !d.refused() {
			d.refuse(p, l.hint)
		}
	} else {
		l.replica.rule.meters.admitted().Inc()
		l.replica.rule.meters.inFlight().Inc()
	}
	return d
}

// fetch asks next and settles: at once if there is no answer, be it for a panic,
// and with the end of the answer if there is one.
func (f *fetcher) fetch(req *http.Request, p *pass) (res *http.Response, err error) {
	watched := false
	defer func() {
		if !watched {
			f.leave(req, p, nil)
		}
	}()
	res, err = f.next.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	plugins.Watch(res, nil, func(bool) { f.leave(req, p, res) })
	watched = true
	return res, nil
}

// leave gives back what the request held. res is its answer, nil if it got none.
func (l *limiter) leave(req *http.Request, p *pass, res *http.Response) {
	l.slots.release()
	l.replica.rule.meters.inFlight().Dec()
	if len(p.ticket.Claims) > 0 {
		var held []line
		if l.queues {
			held = p.lines()
		}
		o := l.ended(req, p, res)
		l.settle(p, &o)
		wake(held)
	}
}
