package relay

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/holysheep/relay/internal/wire"
	"github.com/holysheep/relay/plugins"
)

// An exchange is one request at the centre. It is the outermost transport: it
// bounds the time to the answer, cleans what comes back, and says on a stream
// what its upstream did not.
type exchange struct {
	*Relay
	client context.Context //nolint:containedctx // of the client's request: its end says that the client left
	call   *plugins.Call
	route  wire.Route
	w      *writer
	err    error     // why there is no answer
	body   io.Closer // of the answer; nil if there is none
	answer answer    // see begin
}

// end closes an answer that was left open, since plugins hold slots until a
// body is closed: the proxy leaves it when a body panics, and when the upstream
// changes to a protocol that the client did not ask for.
func (x *exchange) end() {
	if x.body != nil {
		_ = x.body.Close() // mostly for the second time
	}
}

// failed implements the ErrorHandler of [httputil.ReverseProxy].
func (x *exchange) failed(_ http.ResponseWriter, _ *http.Request, err error) {
	x.err = err
	x.call.SetFault(err)
}

// RoundTrip implements [http.RoundTripper].
func (x *exchange) RoundTrip(req *http.Request) (*http.Response, error) {
	res, err := x.ask(req)
	if err != nil {
		return nil, err
	}
	if x.route.Inspected() && sendsEvents(res) {
		res.Body = &ending{ReadCloser: res.Body, x: x, tail: newTail()}
	}
	x.body = res.Body
	if res.StatusCode == http.StatusSwitchingProtocols {
		x.call.WriteHeaders(res.Header)
	}
	return res, nil
}

// ask asks by way of the chain: from here on if nothing more is wanted, or else
// in a flight.
func (x *exchange) ask(req *http.Request) (*http.Response, error) {
	keep := x.options.Keepalive > 0 && x.streamed(req)
	if keep || x.options.ReadOn != nil && x.route.Inspected() {
		return x.fly(req, keep)
	}
	a := x.begin(req.Context())
	return a.take(x.transport.RoundTrip(req.WithContext(a.ctx)))
}

// left reports whether the client has gone. A relay that stops ends its request
// too, but not before it was told why.
func (x *exchange) left() bool {
	return x.client.Err() != nil && !x.cut()
}

// cut reports whether the relay itself has ended the client's request.
func (x *exchange) cut() bool {
	_, known := plugins.AsError(context.Cause(x.client))
	return known
}

// begin returns the answer of an asking under ctx, which is about to begin. There
// is one asking in an exchange.
func (x *exchange) begin(ctx context.Context) *answer {
	a := &x.answer
	a.call = x.call
	a.ctx, a.cancel = context.WithCancelCause(ctx)
	if timeout := x.options.Timeout; timeout > 0 {
		a.timer = time.AfterFunc(timeout, a.late)
		a.bounded = bounded{a.ctx, time.Now().Add(timeout)}
		a.ctx = &a.bounded
	}
	return a
}

// bounded is a context that says when its answer is due, so that nobody begins
// a wait that would outlast it. A context with a deadline of its own would cut
// a running stream too.
type bounded struct {
	context.Context //nolint:containedctx // it is a context
	due             time.Time
}

// Deadline implements [context.Context].
func (b bounded) Deadline() (time.Time, bool) { return b.due, true }

// An answer is the body of an answer: it holds the exchange's time limit and
// notes on the call when it breaks off.
type answer struct {
	res    *http.Response
	body   io.ReadCloser
	stream bool
	call   *plugins.Call

	ctx    context.Context //nolint:containedctx // of this exchange: its cause says why it ended
	cancel context.CancelCauseFunc
	timer  *time.Timer

	bounded bounded // is ctx, if there is a time limit
}

// late is called when the answer should have begun.
func (a *answer) late() { a.call.Expire(func() { a.cancel(ErrTimeout) }) }

// take makes a the body of what the asking came to.
func (a *answer) take(res *http.Response, err error) (*http.Response, error) {
	switch {
	case err != nil:
		err = a.cause(err)
		a.end()
		return nil, err
	case res.StatusCode < 100:
		_ = res.Body.Close()
		a.end()
		return nil, fmt.Errorf("the upstream answered with status %d, which there is not", res.StatusCode)
	}
	clean(res.Header)
	if res.StatusCode == http.StatusSwitchingProtocols {
		a.stop() // the proxy ends the connection with the request
		return res, nil
	}
	clean(res.Trailer)
	a.res, a.body, a.stream = res, res.Body, streams(res)
	res.Body = a
	return res, nil
}

func (a *answer) Read(p []byte) (int, error) {
	n, err := a.body.Read(p)
	if n > 0 && a.stream {
		a.stop()
		a.stream = false // stop once
	}
	if err == nil || a.whole(err) {
		return n, err
	}
	err = a.cause(err)
	a.call.SetFault(err)
	return n, err
}

// whole reports whether err, with which the body has ended, says that it is
// whole, and cleans what came with that. Of a body whose length is not known it
// does not once the exchange has ended the asking: to a client that hangs up,
// the upstream may still say that this was all.
func (a *answer) whole(err error) bool {
	if err != io.EOF || a.res.ContentLength < 0 && a.cause(err) != io.EOF { //nolint:errorlint // an EOF inside of another error is a body that broke off
		return false
	}
	clean(a.res.Trailer)
	return true
}

func (a *answer) Close() error {
	err := a.body.Close()
	a.end()
	return err
}

// cause returns why err happened, where the exchange itself ended the asking.
func (a *answer) cause(err error) error {
	e, ok := plugins.AsError(context.Cause(a.ctx))
	switch {
	case !ok:
		return err
	case errors.Is(err, e): // net/http says the cause itself
		return e
	}
	return e.Because(err)
}

func (a *answer) stop() {
	if a.timer != nil {
		a.timer.Stop()
	}
}

func (a *answer) end() {
	a.stop()
	a.cancel(nil)
}
