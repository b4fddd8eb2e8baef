package relay

import (
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strings"
	"time"

	"github.com/holysheep/relay/plugins"
)

// An exchange is one request at the centre. It is the outermost transport: it
// bounds the time to the answer, and cleans what comes back.
type exchange struct {
	next    http.RoundTripper
	timeout time.Duration
	call    *plugins.Call
	err     error     // why there is no answer
	body    io.Closer // of the answer; nil if there is none
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
	ctx, cancel := context.WithCancelCause(req.Context())
	a := &answer{ctx: ctx, cancel: cancel, call: x.call}
	if x.timeout > 0 {
		a.timer = time.AfterFunc(x.timeout, func() { cancel(ErrTimeout) })
		ctx = bounded{ctx, time.Now().Add(x.timeout)}
	}
	res, err := x.next.RoundTrip(req.WithContext(ctx))
	if err != nil {
		err = a.cause(err)
		a.end()
		return nil, err
	}
	if x.body = res.Body; res.StatusCode < 100 {
		x.end()
		a.end()
		return nil, fmt.Errorf("the upstream answered with status %d, which there is not", res.StatusCode)
	}
	clean(res.Header)
	if res.StatusCode == http.StatusSwitchingProtocols {
		a.stop() // the proxy ends the connection with the request
		x.call.WriteHeaders(res.Header)
		return res, nil
	}
	clean(res.Trailer)
	a.res, a.body, a.stream = res, res.Body, streams(res)
	res.Body, x.body = a, a
	return res, nil
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

// streams reports whether the answer is a stream, which may run for long once
// it has begun: events, or bytes whose number the upstream does not know. JSON
// of unknown length is still one answer.
func streams(res *http.Response) bool {
	kind, _, _ := mime.ParseMediaType(res.Header.Get("Content-Type"))
	return kind == "text/event-stream" || res.ContentLength < 0 && kind != "application/json"
}

// clean removes what belongs to the upstream's account or to the connection
// with the upstream, and would be wrong or a leak on the relay's own.
func clean(h http.Header) {
	for k := range h {
		if private(k) {
			delete(h, k)
		}
	}
}

// private reports whether a response header never reaches the client.
func private(key string) bool {
	switch key {
	case "Set-Cookie", "Set-Cookie2", "Authorization", "X-Api-Key", "Api-Key", "X-Goog-Api-Key",
		"Www-Authenticate", "Authentication-Info":
		return true // credentials and cookies are between relay and upstream
	case "Openai-Organization", "Openai-Project", "Anthropic-Organization-Id":
		return true // whose account the operator uses is not the client's business
	case "Alt-Svc", "Strict-Transport-Security", "Report-To", "Nel", "Clear-Site-Data":
		return true // they speak for the upstream's host: Alt-Svc would lead clients past the relay
	case "X-Request-Id":
		return true // the client's own takes its place
	}
	return strings.HasPrefix(key, "Access-Control-") // the upstream does not open the relay to browsers
}

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
}

func (a *answer) Read(p []byte) (int, error) {
	n, err := a.body.Read(p)
	if n > 0 && a.stream {
		a.stop()
		a.stream = false // stop once
	}
	switch {
	case errors.Is(err, io.EOF):
		clean(a.res.Trailer) // which came with the end
	case err != nil:
		err = a.cause(err)
		a.call.SetFault(err)
	}
	return n, err
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
