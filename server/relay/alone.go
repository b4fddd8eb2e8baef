package relay

import (
	"context"
	"errors"
	"io"
	"net/http"
	"sync"
	"time"

	"github.com/holysheep/relay/plugins"
)

// ReadOn says how an answer is read on when its client has left, so that what
// it has used is known. It is for answers that are looked into: of any other
// nothing would be learnt.
type ReadOn struct {
	Time  time.Duration // from the client's leaving, the most that it takes
	Bytes plugins.Size  // the most that is read after it

	// Base ends what goes on without a client, with the cause that its plugins
	// are to hear.
	Base context.Context //nolint:containedctx // of the server's life, not of a call

	// Hold has the server wait for what goes on. It is called while the request
	// is still there.
	Hold func() (release func())

	// Done is called when an answer has been read on.
	Done func(Left)
}

// Left is an answer that was read on after its client had left.
type Left struct {
	Call  *plugins.Call
	Bytes int64 // that were read after it
	Whole bool  // whether the answer was read to its end
	Err   error // why it was not; a [*Panic] if somebody panicked
}

// errEnough ends the reading of an answer that takes too long, or is too long.
var errEnough = errors.New("the client has left, and enough was read")

// Guard returns next for the innermost place of the chain. It asks nobody on
// behalf of a client that has left: what was asked before is read on, but
// nothing is asked again.
func Guard(next http.RoundTripper) http.RoundTripper { return guard{next} }

type guard struct{ next http.RoundTripper }

type aloneKey struct{}

// RoundTrip implements [http.RoundTripper].
func (g guard) RoundTrip(req *http.Request) (*http.Response, error) {
	if l, ok := req.Context().Value(aloneKey{}).(*alone); ok && l.left() {
		return nil, ErrClientGone
	}
	return g.next.RoundTrip(req)
}

// alone is the part of a flight that can outlive its client: the answer goes to
// the client through a pipe, and to nobody once the client has left.
type alone struct {
	*ReadOn
	x   *exchange
	in  *io.PipeReader
	out *io.PipeWriter

	cancel context.CancelCauseFunc // of the asking
	over   chan struct{}           // closed when nothing more is read

	mu       sync.Mutex
	finished bool        // nothing more is read
	release  func()      // set once the client has left, as is
	timer    *time.Timer // the most that is waited
}

// detach returns the request that is sent: where answers are read on, one that
// outlives its client. Its informational answers are not passed on. A body that
// is too long to be held passes once, and ends with its client.
func (f *flight) detach(req *http.Request) (*http.Request, error) {
	on := f.x.options.ReadOn
	if on == nil || !f.x.route.Inspected() {
		return req, nil
	}
	out, drop, err := plugins.Detach(req)
	switch {
	case errors.Is(err, plugins.ErrBodyGone):
		return req, nil
	case err != nil:
		return nil, err
	}
	drop() // its context gives way to one with the call itself, which ends with the relay
	l := &alone{ReadOn: on, x: f.x, over: make(chan struct{})}
	l.in, l.out = io.Pipe()
	ctx, cancel := context.WithCancelCause(on.Base)
	f.alone, l.cancel = l, cancel
	out.Trailer = req.Trailer
	return out.WithContext(context.WithValue(plugins.WithCall(ctx, f.x.call), aloneKey{}, l)), nil
}

// run hands over the answer of the flight, and reads it for the client, or for
// nobody.
func (l *alone) run(f *flight) {
	defer close(l.over)
	defer l.cancel(nil)
	if f.err != nil {
		l.finish(0, f.err)
		close(f.landed)
		return
	}
	body := f.res.Body
	f.res.Body = &piped{l, context.AfterFunc(l.x.client, l.watch)}
	close(f.landed)
	l.finish(l.pump(body))
}

// pump reads the body to its end. What the client does not take any more is
// counted, and dropped. Plugins have seen the end when the client sees it.
func (l *alone) pump(body io.ReadCloser) (dropped int64, err error) {
	defer recovered(&err)
	defer func() { _ = body.Close() }()
	buf := l.x.buffers.Get()
	defer l.x.buffers.Put(buf)
	for {
		n, err := body.Read(buf)
		if n > 0 {
			taken, _ := l.out.Write(buf[:n])
			dropped += int64(n - taken)
		}
		switch {
		case err != nil:
			return dropped, err
		case dropped >= int64(l.Bytes) && l.left():
			return dropped, errEnough
		}
	}
}

// finish ends the answer for its client, or tells what became of it.
func (l *alone) finish(dropped int64, err error) {
	l.mu.Lock()
	l.finished = true
	release := l.release
	l.mu.Unlock()
	_ = l.out.CloseWithError(err)
	if release == nil {
		return
	}
	l.timer.Stop()
	l.Done(Left{l.x.call, dropped, err == io.EOF, err}) //nolint:errorlint // an EOF inside of another error is a body that broke off
	release()
}

// leave has the asking go on without its client, unless it is over.
func (l *alone) leave() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.finished || l.release != nil {
		return
	}
	l.x.call.SetFault(context.Canceled)
	l.release = l.Hold()
	l.timer = time.AfterFunc(l.Time, func() { l.cancel(errEnough) })
	_ = l.out.CloseWithError(context.Canceled)
}

// watch is called when the client's request ends, by the client or by a relay
// that stops.
func (l *alone) watch() {
	if l.x.left() {
		l.leave()
	}
}

// left reports whether the client has left.
func (l *alone) left() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.release != nil
}

// drop ends the asking, whose answer nobody wants, and waits until it is over.
func (l *alone) drop() {
	l.cancel(nil)
	_ = l.out.CloseWithError(context.Canceled)
	<-l.over
}

// piped is the client's end of the pipe.
type piped struct {
	*alone
	stop func() bool // watching the client
}

func (p *piped) Read(b []byte) (int, error) {
	n, err := p.in.Read(b)
	raise(err)
	return n, err
}

func (p *piped) Close() error {
	p.stop()
	p.leave()
	return nil
}
