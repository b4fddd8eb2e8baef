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
	q := f.question(req, call)
	p, err := f.ask(&q)
	if err != nil {
		return nil, err
	}
	d := f.decide(req.Context(), p)
	f.tell(call, &d)
	if d.refused() {
		return nil, f.refusal(&d)
	}
	if !d.passed { // the client has left while it waited
		return nil, req.Context().Err()
	}
	res, err := f.fetch(req, p)
	if err == nil {
		f.metrics.upstream(call.Trail.Last(), res.Header)
	}
	return res, err
}

// attempt has p take a slot of this replica and all that it claims, or nothing.
func (l *limiter) attempt(ctx context.Context, p *pass) (d decision) {
	held, ok := l.slots.take(l.replica.size.n)
	if l.replica.size.n > 0 {
		d.flight = standing{part: l.replica, limit: l.replica.size.n, remaining: max(l.replica.size.n-held, 0), reset: l.hint}
	}
	if !ok {
		d.flight.wait = l.hint
		d.refusal = d.flight
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
func (f *fetcher) fetch(req *http.Request, p *pass) (*http.Response, error) {
	watched := false
	defer func() {
		if !watched {
			f.leave(req, p, nil)
		}
	}()
	res, err := f.next.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	p.limiter, p.req, p.res = f.limiter, req, res
	plugins.Watch(res, nil, p.end)
	watched = true
	return res, nil
}

// end settles with the end of the answer.
func (p *pass) end(bool) {
	req, res := p.req, p.res
	p.req, p.res = nil, nil // what waits to be settled keeps neither
	p.limiter.leave(req, p, res)
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
