// Package sse reads server-sent events as they were received: each with its
// bytes, so that it can be passed on unchanged, and with its name and data, so
// that it can be looked into. Memory is bounded, whatever the events are.
//
// It does not follow the ids and retry times of events, nor does it check that
// they are UTF-8.
package sse

import (
	"io"
	"sync"
)

// Bound is how long an event may be to be handed out whole, in bytes. Of the
// known APIs only the events that repeat a long question or answer are longer.
const Bound = 64 << 10

const (
	// small is the size of a reader's buffer at first: an upstream's events
	// have 200 to 500 bytes, and a few of them come at once.
	small = 4 << 10

	// telling is how much of a line tells for certain which field it is: six
	// bytes of "data: " and three of a byte order mark.
	telling = 9
)

// A Shape says what of an event was read.
type Shape uint8

// The shapes of events.
const (
	Whole Shape = iota // an event with the blank line that ends it, or a comment ahead of one
	Piece              // a part of an event longer than [Bound], of which more follows
	Last               // the last part of such an event
	Rest               // what stood behind the last blank line when the source ended
	Tail               // the line feed that completes the event before
)

// An Event is an event, or a part of it. Its bytes are the caller's until the
// next call of [Reader.Next].
type Event struct {
	Shape Shape
	Raw   []byte // as received; one after the other they are what came
	Name  string // of the event line, "" without one
	Data  []byte // of the data lines, joined by line feeds; nil without one
	At    int    // where in Raw Data stands, -1 where it was joined
}

// A Reader reads events.
//
// A line ends in LF, CR LF or CR. As soon as the CR of a blank line is there,
// so is the event: a LF that comes later is handed out as a [Tail]. A comment
// that no other line of an event stands before is handed out by itself, for it
// is sent to be seen at once.
type Reader struct {
	src   io.Reader
	err   error // that the source has ended with
	bound int

	buf  []byte
	from int // the event at hand begins here
	line int // its line at hand begins here
	seen int // there is no line end from line up to here
	feed int // there is no LF from line up to here
	to   int // nothing has been read from here on

	ready bool  // buf[from:line] is an event that Next has not handed out
	shape Shape // of it
	cr    bool  // a CR came last: a LF would belong to it
	begun bool  // the event at hand has a line that is no comment
	first bool  // no line has ended yet: a byte order mark may begin it
	parts bool  // a part of the event at hand was handed out
	cut   bool  // a part of the line at hand was handed out
	long  bool  // that part is of a data line

	name, data span
	lines      int    // how many data lines there are
	joined     []byte // several of them
	latest     string // the name that was made last: most events share it
	held       string // the name of the parts before
}

// A span is a part of a reader's buffer.
type span struct{ from, to int }

// readers are those that were released.
var readers = sync.Pool{ //nolint:gochecknoglobals // a pool is there to be shared
	New: func() any { return &Reader{buf: make([]byte, small)} },
}

// NewReader returns a reader of the events that come from src.
func NewReader(src io.Reader) *Reader {
	r := readers.Get().(*Reader)
	*r = Reader{src: src, bound: Bound, buf: r.buf, joined: r.joined[:0], first: true, latest: r.latest}
	return r
}

// Release gives the reader's memory back. Neither it nor an event of it may be
// used any more.
func (r *Reader) Release() {
	r.src = nil
	if len(r.buf) > small {
		r.buf = make([]byte, small) // a long event is rare, and the memory of one too
	}
	if cap(r.joined) > small {
		r.joined = nil
	}
	readers.Put(r)
}

// Next returns the next event, and reads until it has come. It returns the
// source's error when all events before it have been handed out. Where that is
// [io.EOF] the rest of the source comes first, as the last event; after any other
// error the rest, half an event, is not handed out.
func (r *Reader) Next() (Event, error) {
	for !r.scan() {
		switch {
		case r.to-r.from >= r.bound:
			return r.part(), nil
		case r.err == io.EOF && r.from < r.to: //nolint:errorlint // as readers return it
			return r.rest(), nil
		case r.err != nil:
			return Event{}, r.err
		}
		r.fill()
	}
	return r.hand(r.shape), nil
}

// Ready reports whether Next would return an event without reading.
func (r *Reader) Ready() bool {
	return r.scan() || r.to-r.from >= r.bound ||
		r.err == io.EOF && r.from < r.to //nolint:errorlint // as above
}

// hand hands out buf[from:line].
func (r *Reader) hand(shape Shape) Event {
	e := Event{Shape: shape, Raw: r.buf[r.from:r.line:r.line], Name: r.label(), At: -1}
	switch {
	case r.lines == 1:
		e.Data, e.At = r.buf[r.data.from:r.data.to:r.data.to], r.data.from-r.from
	case r.lines > 1:
		e.Data = r.join()
	}
	r.from, r.lines, r.ready, r.name = r.line, 0, false, span{}
	switch shape {
	case Tail:
	case Piece:
		r.parts, r.held = true, e.Name
	default:
		r.parts, r.begun, r.held = false, false, ""
	}
	return e
}

// label returns the event's name.
func (r *Reader) label() string {
	if r.name.from == r.name.to {
		return r.held
	}
	if name := r.buf[r.name.from:r.name.to]; string(name) != r.latest {
		r.latest = string(name)
	}
	return r.latest
}

// rest hands out what the source has ended in.
func (r *Reader) rest() Event {
	if r.line < r.to {
		r.field(r.line, r.to)
	}
	r.line, r.seen = r.to, r.to
	return r.hand(Rest)
}

// fill reads once more.
func (r *Reader) fill() {
	if r.from > 0 && (r.from == r.to || r.to == len(r.buf)) {
		r.move(r.buf)
	}
	if r.to == len(r.buf) {
		r.move(make([]byte, min(2*len(r.buf), r.bound)))
	}
	const patience = 100 // as bufio has it
	for range patience {
		n, err := r.src.Read(r.buf[r.to:])
		r.to += n
		if r.err = err; n > 0 || err != nil {
			return
		}
	}
	r.err = io.ErrNoProgress
}

// move moves the event at hand to the beginning of buf.
func (r *Reader) move(buf []byte) {
	copy(buf, r.buf[r.from:r.to])
	r.buf = buf
	for _, at := range []*int{&r.line, &r.seen, &r.feed, &r.to, &r.name.from, &r.name.to, &r.data.from, &r.data.to} {
		*at -= r.from
	}
	r.from = 0
}
