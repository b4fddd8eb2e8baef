package relay

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"

	"github.com/holysheep/relay/internal/credential"
	"github.com/holysheep/relay/plugins"
)

// ErrTooLarge refuses a request whose body is longer than max_body.
var ErrTooLarge = &plugins.Error{
	Status:  http.StatusRequestEntityTooLarge,
	Type:    "invalid_request_error",
	Code:    "request_too_large",
	Message: "the request's body is larger than this relay accepts",
}

// uploadIdle is how long a client may pause in the middle of its body before
// the request is given up: a client that sends a byte an hour would otherwise
// hold a place for ever, and no limit on the whole upload fits every line.
const uploadIdle = time.Minute

// LateRest is how long the server waits, when all is answered, for the rest of
// a body that nobody has read. It reads a little of it to use the connection
// again, and by itself it would wait for ever. What is on its way arrives in
// this time; a client that holds it back loses the connection.
const LateRest = 2 * time.Second

// A Body is a client's request body that can be read again, as long as it is
// not longer than what may be held in memory. It reads from the client only
// when somebody asks, so a request that is refused costs no memory. A body
// above the limit is [ErrTooLarge], also in the middle of a chunked upload.
type Body struct {
	src    io.ReadCloser
	most   int64 // the longest body that passes
	replay int64 // the longest body that can be read again
	size   int64 // as declared; -1 if it was not

	// Deadline, if set, bounds the reading from the client until the given
	// instant; the zero instant is no bound. It is called around every read.
	Deadline func(time.Time) error

	// Due, if set, is when the whole body has to be there.
	Due time.Time

	// Trailer, if set, is where the server puts the request's trailers when the
	// body ends. The client's credential is taken off it then.
	Trailer http.Header

	reading sync.Mutex // held while src is read, which may take long

	mu     sync.Mutex
	head   []byte // what has passed, unless spilled
	passed int64  // how many bytes src has given
	err    error  // what src ended with, io.EOF included
	spill  bool   // more than replay has passed: head is gone
	sealed bool   // src must not be read any more
}

// NewBody returns src as a body of the declared size, -1 if unknown. It returns
// [ErrTooLarge] at once if size says so.
func NewBody(src io.ReadCloser, size int64, most, replay plugins.Size) (*Body, error) {
	if size > int64(most) {
		return nil, tooLarge(most)
	}
	return &Body{src: src, size: size, most: int64(most), replay: int64(replay)}, nil
}

// tooLarge returns [ErrTooLarge] with the bound in it.
func tooLarge(most plugins.Size) error {
	return ErrTooLarge.Saying(fmt.Sprintf("the request's body is larger than %s, which is max_body here", most))
}

// Reader returns a reader of the body from its beginning.
func (b *Body) Reader() io.ReadCloser { return &reader{body: b} }

// Again returns a reader of the body from its beginning, as
// [http.Request.GetBody] does. It returns [plugins.ErrBodyGone] if the
// beginning has passed and is not held, and what broke the body if it is not
// whole: half a request is not sent again.
func (b *Body) Again() (io.ReadCloser, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case b.err != nil && !errors.Is(b.err, io.EOF):
		return nil, b.err
	case b.spill:
		return nil, plugins.ErrBodyGone
	}
	return b.Reader(), nil
}

// Err returns what ended the body too early: [ErrTooLarge], or the fault of a
// client that left or broke the protocol. It is nil as long as all is well.
func (b *Body) Err() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if errors.Is(b.err, io.EOF) {
		return nil
	}
	return b.err
}

// ended reports whether the client has nothing more to send, or nobody takes it.
func (b *Body) ended() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.err != nil || b.passed == b.size
}

// Seal ends the reading from the client, which has little time from then on to
// send the rest. What was held can still be read.
func (b *Body) Seal() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.sealed = true
	if !errors.Is(b.err, io.EOF) {
		b.bound(time.Now().Add(LateRest))
	}
}

// fetch reads the next piece from the client into p.
func (b *Body) fetch(p []byte) (int, error) {
	if err := b.begin(); err != nil {
		return 0, err
	}
	n, err := b.src.Read(p)
	if errors.Is(err, io.EOF) {
		credential.Strip(b.Trailer, "")
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.sealed {
		b.bound(time.Time{}) // or the deadline of Seal holds
	}
	if b.passed+int64(n) > b.most {
		n, err = 0, tooLarge(plugins.Size(b.most))
	}
	b.passed += int64(n)
	b.keep(p[:n])
	if err != nil {
		b.err = err
	}
	return n, err
}

// begin bounds the next read from the client. It fails once the body is
// sealed: the transport may outlive the request, whose connection by then is
// somebody else's.
func (b *Body) begin() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.sealed {
		return http.ErrBodyReadAfterClose
	}
	until := time.Now().Add(uploadIdle)
	if !b.Due.IsZero() && b.Due.Before(until) {
		until = b.Due
	}
	b.bound(until)
	return nil
}

func (b *Body) bound(until time.Time) {
	if b.Deadline != nil {
		_ = b.Deadline(until) // a writer without deadlines has no client either
	}
}

// keep holds what may be read again. b.mu is held.
func (b *Body) keep(p []byte) {
	if b.spill {
		return
	}
	if b.passed > b.replay {
		b.head, b.spill = nil, true
		return
	}
	b.reserve()
	b.head = append(b.head, p...)
}

// A reader is one reading of a Body, by one goroutine.
type reader struct {
	body *Body
	off  int64

	mu     sync.Mutex
	closed bool
}

func (r *reader) Read(p []byte) (int, error) {
	if r.isClosed() {
		return 0, http.ErrBodyReadAfterClose
	}
	if len(p) == 0 {
		return 0, nil
	}
	if n, err := r.held(p); n > 0 || err != nil {
		return n, err
	}
	r.body.reading.Lock()
	defer r.body.reading.Unlock()
	// Another reader may have read on while this one waited.
	if n, err := r.held(p); n > 0 || err != nil {
		return n, err
	}
	n, err := r.body.fetch(p)
	r.off += int64(n)
	return n, err
}

// held reads what needs no client. It returns 0 and nil if the client is next.
func (r *reader) held(p []byte) (int, error) {
	b := r.body
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case r.off < b.passed && b.spill:
		return 0, plugins.ErrBodyGone
	case r.off < int64(len(b.head)):
		n := copy(p, b.head[r.off:])
		r.off += int64(n)
		if r.off == b.passed {
			return n, b.err
		}
		return n, nil
	case b.err != nil:
		return 0, b.err
	case b.sealed:
		return 0, http.ErrBodyReadAfterClose
	}
	return 0, nil
}

// Err returns what ended the body too early; see [Body.Err].
func (r *reader) Err() error { return r.body.Err() }

// Close ends this reading. The body itself is closed by the server.
func (r *reader) Close() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.closed = true
	return nil
}

func (r *reader) isClosed() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.closed
}
