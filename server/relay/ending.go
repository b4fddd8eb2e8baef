package relay

import (
	"bytes"
	"io"

	"github.com/holysheep/relay/internal/wire"
	"github.com/holysheep/relay/plugins"
)

// An ending is the body of a stream of events that says why it breaks off, in
// the wire's own form, before it does: the client of a broken connection alone
// would have to guess. It says so only between two events, and never that the
// stream is whole.
type ending struct {
	io.ReadCloser
	x    *exchange
	tail tail

	err  error  // that the body broke with, once it has
	rest []byte // of the event that says so
}

func (e *ending) Read(p []byte) (int, error) {
	if e.err != nil {
		return e.last(p)
	}
	n, err := e.ReadCloser.Read(p)
	e.tail.add(p[:n])
	if err == nil || err == io.EOF || !e.tail.open() || e.x.left() { //nolint:errorlint // an EOF inside of another error is a body that broke off
		return n, err
	}
	e.rest, e.err = e.x.route.Event(problem(err)), err
	m, err := e.last(p[n:])
	return n + m, err
}

// last reads what is left of the event, and then ends as the body did.
func (e *ending) last(p []byte) (int, error) {
	n := copy(p, e.rest)
	if e.rest = e.rest[n:]; len(e.rest) > 0 {
		return n, nil
	}
	return n, e.err
}

// problem returns what a client is told of a stream that ended with err.
func problem(err error) wire.Problem {
	e, ok := plugins.AsError(err)
	if !ok {
		e = ErrBrokeOff
	}
	return wire.Problem{Status: e.Status, Type: e.Type, Code: e.Code, Message: e.Message}
}

// A tail is the end of a stream so far.
type tail struct {
	last [tailSize]byte
}

// tailSize is as long as the sign of OpenAI's streams that they are whole, with
// the longest line ends.
const tailSize = len("[DONE]\r\n\r\n")

// newTail returns the tail of a stream of which nothing has come: between two
// events, as it were.
func newTail() (t tail) {
	t.add([]byte("\n\n"))
	return t
}

// add notes what has come.
func (t *tail) add(piece []byte) {
	if n := len(piece); n < tailSize {
		copy(t.last[:], t.last[n:])
		copy(t.last[tailSize-n:], piece)
		return
	}
	copy(t.last[:], piece[len(piece)-tailSize:])
}

// open reports whether an event can follow: the last one has ended, by an empty
// line, and was not the sign that all is said.
func (t *tail) open() bool {
	end := t.last[:]
	for _, empty := range [...]string{"\n\n", "\r\r", "\n\r\n", "\n\r", "\r\r\n"} {
		if bytes.HasSuffix(end, []byte(empty)) {
			return !bytes.HasSuffix(bytes.TrimRight(end, "\r\n"), []byte("[DONE]"))
		}
	}
	return false
}
