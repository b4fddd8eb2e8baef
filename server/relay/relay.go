// Package relay is the centre of the relay: it sends a client's request by way
// of the chain's transport and copies the answer back as it comes, streams,
// informational answers, trailers and upgrades included.
//
// It names no upstream, which is for the innermost transport, and it retries
// nothing.
package relay

import (
	"context"
	"errors"
	"io"
	"log"
	"net/http"
	"net/http/httputil"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/holysheep/relay/internal/credential"
	"github.com/holysheep/relay/plugins"
)

// A Relay sends requests through a transport.
type Relay struct {
	transport http.RoundTripper
	timeout   time.Duration
	buffers   bufferPool  // in which answers are copied
	silent    *log.Logger // for the proxy's own lines: the access line tells what happened
}

// New returns a relay through rt, which is the chain around the pool of
// upstreams. timeout bounds a unary answer and a stream's first byte, never a
// running stream; 0 is no bound.
func New(rt http.RoundTripper, timeout time.Duration) *Relay {
	return &Relay{transport: rt, timeout: timeout, silent: log.New(io.Discard, "", 0)}
}

// Serve answers the client of c. The request's body is a [Body], if it has one.
// An error is returned only as long as nothing has been sent; a break after
// that aborts the connection by panicking with [http.ErrAbortHandler].
func (r *Relay) Serve(c echo.Context) error {
	req := c.Request()
	if req.ProtoMajor == 2 && plugins.Upgrades(req) {
		return ErrUpgrade
	}
	call := plugins.CallOf(req.Context())
	x := &exchange{next: r.transport, timeout: r.timeout, call: call}
	defer x.end()
	w := newWriter(c, call)
	proxy := httputil.ReverseProxy{
		Transport:    x,
		Rewrite:      outbound,
		ErrorHandler: x.failed,
		BufferPool:   &r.buffers,
		ErrorLog:     r.silent,
	}
	proxy.ServeHTTP(w, req)
	if x.err == nil {
		return nil
	}
	if w.done {
		panic(http.ErrAbortHandler)
	}
	return answerFor(x.err, req)
}

// outbound makes the request that the chain sees: the client's, less what is
// between the client and the relay. The pool adds the rest.
func outbound(p *httputil.ProxyRequest) {
	out := p.Out
	// As sent, even where Go cannot parse it, less the client's credential.
	out.URL.RawQuery = credential.Strip(out.Header, p.In.URL.RawQuery)
	// The server fills this map when the body ends: a copy would stay empty.
	// The Body takes the credential off what comes then.
	out.Trailer = p.In.Trailer
	credential.Strip(out.Trailer, "")
	out.RequestURI, out.Host = "", ""
	if !strings.EqualFold(out.Header.Get("Upgrade"), "websocket") {
		// Anything else, h2c above all, would be a tunnel past the chain.
		out.Header.Del("Connection")
		out.Header.Del("Upgrade")
		out.Header.Del("Http2-Settings")
	}
	if inspected(out.URL.Path) {
		// An encoded answer cannot be inspected: ask for a plain one.
		out.Header.Set("Accept-Encoding", "identity")
	}
}

// inspected reports whether answers under the path are looked into by plugins,
// for tokens and for the cache.
func inspected(path string) bool {
	switch path {
	case "/v1/chat/completions", "/v1/completions", "/v1/responses", "/v1/embeddings",
		"/v1/messages", "/v1/moderations", "/v1/rerank":
		return true
	}
	return false
}

// answerFor returns the client's answer for what went wrong before any answer
// was sent.
func answerFor(err error, req *http.Request) error {
	if e, ok := plugins.AsError(err); ok {
		return e
	}
	switch {
	case req.Context().Err() != nil:
		return ErrClientGone.Because(err)
	case errors.Is(err, context.DeadlineExceeded):
		return ErrTimeout.Because(err)
	}
	return ErrUnreachable.Because(err)
}

// BrokenBody returns the client's answer for a body that ended with broken: it
// is the cause of whatever else went wrong with a request that read it.
// The server ends ctx too when it cannot read on, and closes the connection
// when something else ends ctx.
func BrokenBody(ctx context.Context, broken error) error {
	if e, ok := plugins.AsError(broken); ok {
		return e
	}
	if e, ok := plugins.AsError(context.Cause(ctx)); ok {
		return e.Because(broken)
	}
	switch {
	case errors.Is(broken, os.ErrDeadlineExceeded):
		return ErrBodySlow.Because(broken)
	case ctx.Err() != nil:
		return ErrClientGone.Because(broken)
	}
	return ErrBodyBroken.Because(broken)
}

// A bufferPool lends pieces of 32 KiB, the size that io.Copy takes.
type bufferPool struct{ pool sync.Pool }

func (b *bufferPool) Get() []byte {
	if p, ok := b.pool.Get().(*[]byte); ok {
		return *p
	}
	return make([]byte, 32<<10)
}

func (b *bufferPool) Put(p []byte) { b.pool.Put(&p) }
