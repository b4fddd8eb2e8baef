// Package relay is the centre of the relay: it sends a client's request by way
// of the chain's transport and copies the answer back as it comes, streams,
// informational answers, trailers and upgrades included.
//
// It names no upstream, which is for the innermost transport, and it retries
// nothing.
package relay

import (
	"io"
	"log"
	"net/http"
	"net/http/httputil"
	"strings"
	"sync"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/holysheep/relay/internal/credential"
	"github.com/holysheep/relay/internal/wire"
	"github.com/holysheep/relay/plugins"
)

// Options say how a relay asks, and what it makes of the answers.
type Options struct {
	// Timeout bounds a unary answer and a stream's first byte, never a running
	// stream; 0 is no bound.
	Timeout time.Duration

	// Keepalive is how long a stream may be silent before its first event until
	// a comment goes out, and then from one comment to the next; 0 sends none.
	Keepalive time.Duration

	// ReadOn says how an answer is read on when its client has left; nil is not
	// at all.
	ReadOn *ReadOn
}

// A Relay sends requests through a transport.
type Relay struct {
	transport http.RoundTripper
	options   Options
	buffers   bufferPool  // in which answers are copied
	silent    *log.Logger // for the proxy's own lines: the access line tells what happened
}

// New returns a relay through rt, which is the chain around the pool of
// upstreams.
func New(rt http.RoundTripper, o Options) *Relay {
	return &Relay{transport: rt, options: o, silent: log.New(io.Discard, "", 0)}
}

// Serve answers the client of c. The request's body is a [Body], if it has one.
// An error is returned only as long as nothing has been sent; a break after
// that aborts the connection by panicking with [http.ErrAbortHandler].
func (r *Relay) Serve(c echo.Context) error {
	req := c.Request()
	if req.ProtoMajor == 2 && plugins.Upgrades(req) {
		return ErrUpgrade
	}
	x := &exchange{Relay: r, client: req.Context(), call: plugins.CallOf(req.Context())}
	x.route, _ = wire.OfURL(req.URL)
	x.w = newWriter(c, x.call)
	defer x.end()
	proxy := httputil.ReverseProxy{
		Transport:    x,
		Rewrite:      outbound,
		ErrorHandler: x.failed,
		BufferPool:   &r.buffers,
		ErrorLog:     r.silent,
	}
	proxy.ServeHTTP(x.w, req)
	if x.err == nil {
		return nil
	}
	if x.w.done {
		panic(http.ErrAbortHandler)
	}
	return answerFor(x.client, x.err)
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
	if route, _ := wire.OfURL(out.URL); route.Inspected() {
		// An encoded answer cannot be inspected: ask for a plain one.
		out.Header.Set("Accept-Encoding", "identity")
	}
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
