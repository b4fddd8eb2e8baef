package relay

import (
	"context"
	"errors"
	"net/http"
	"runtime/debug"
	"time"
)

// A Panic is what somebody in a goroutine of the relay's panicked with. It is
// raised anew in that of the request, if there still is one.
type Panic struct {
	Value any
	Stack []byte // of the goroutine that panicked
}

// Error implements error. What the panic said may be anybody's secret.
func (p *Panic) Error() string { return "panic" }

// raise panics if err is a [*Panic].
func raise(err error) {
	if p, ok := errors.AsType[*Panic](err); ok {
		panic(p)
	}
}

// recovered makes err the panic that is going on, if there is one. It is
// deferred.
func recovered(err *error) {
	if v := recover(); v != nil {
		*err = &Panic{v, debug.Stack()}
	}
}

// A flight is an asking in a goroutine of its own, so that the client can be
// kept waiting with comments, or the asking go on without it.
type flight struct {
	x    *exchange
	a    *answer
	keep bool // the client is kept waiting

	landed chan struct{} // closed when there is an answer or an error
	res    *http.Response
	err    error // a *Panic if there was one

	alone *alone // nil if the asking ends with the client
}

// fly begins a flight and waits until there is something for the client.
func (x *exchange) fly(req *http.Request, keep bool) (*http.Response, error) {
	f := &flight{x: x, keep: keep, landed: make(chan struct{})}
	out, err := f.detach(req)
	if err != nil {
		return nil, err
	}
	f.a = x.begin(out.Context())
	go f.run(out.WithContext(f.a.ctx))
	return f.wait(req)
}

// run asks, and reads the answer too if the asking does not end with the
// client.
func (f *flight) run(req *http.Request) {
	f.res, f.err = f.ask(req) //nolint:bodyclose // whoever lands the flight closes it
	if f.alone != nil {
		f.alone.run(f)
		return
	}
	close(f.landed)
}

// ask asks by way of the chain.
func (f *flight) ask(req *http.Request) (res *http.Response, err error) {
	defer recovered(&err)
	res, err = f.a.take(f.x.transport.RoundTrip(req))
	if err == nil && res.StatusCode == http.StatusSwitchingProtocols {
		_ = res.Body.Close()
		f.a.end()
		return nil, errors.New("the upstream changed the protocol, which nobody had asked for")
	}
	return res, err
}

// wait returns what there is for the client first: the answer, or the
// beginning of one.
func (f *flight) wait(req *http.Request) (*http.Response, error) {
	var late <-chan time.Time
	if f.keep {
		timer := time.NewTimer(f.x.options.Keepalive)
		defer timer.Stop()
		late = timer.C
	}
	var left <-chan struct{}
	if f.alone != nil {
		left = f.x.client.Done()
	}
	select {
	case <-f.landed:
	case <-late:
		return f.early(req), nil
	case <-left:
		if !f.x.cut() {
			f.alone.leave()
			return nil, context.Canceled
		}
		<-f.landed // soon: the asking is cut too
	}
	return f.result()
}

// result returns what the asking came to, once the flight has landed.
func (f *flight) result() (*http.Response, error) {
	raise(f.err)
	return f.res, f.err
}

// Close ends the asking, or lets it go on alone.
func (f *flight) Close() error {
	select {
	case <-f.landed:
	default:
		if f.alone != nil {
			f.alone.leave()
			return nil
		}
		f.a.cancel(nil)
		<-f.landed
	}
	if f.res != nil {
		return f.res.Body.Close()
	}
	return nil
}

// drop ends the asking, whose answer nobody wants, and waits until it is over.
func (f *flight) drop() {
	if f.alone != nil {
		f.alone.drop()
		return
	}
	_ = f.res.Body.Close()
}
