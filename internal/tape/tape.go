// Package tape records the bytes of one answer as they pass: one writes, many
// read, each from the beginning and each at its own pace. As long as a tape is
// whole, whoever comes late gets everything. One that has grown too long for
// that keeps only what its readers have still to read: it holds its writer back
// for the fastest of them, and lets go of those that fall too far behind.
//
// It knows nothing of what the bytes mean, stores nothing, and starts no
// goroutine.
package tape

import (
	"errors"
	"io"
	"sync"
)

// ErrNobody is what [Tape.Write] returns if the tape is not whole and has no
// reader left: nobody will ever read what is written.
var ErrNobody = errors.New("nobody reads the tape")

// ErrBehind is what [Reader.Read] returns once its reader was so far behind the
// writer that what it had still to read was dropped.
var ErrBehind = errors.New("too far behind the writer of the tape")

// Options are the bounds of a tape. It never holds more than the larger of Keep
// and Ahead, and two chunks of 4 KiB.
type Options struct {
	// Keep is up to how many bytes the tape stays whole.
	Keep int

	// Ahead is how many bytes a reader may be behind the writer once the tape is
	// not whole any more. The writer waits for the fastest reader at half of it,
	// so that the others may be slower by the other half.
	Ahead int

	// Room is what the tape shares its memory with, nil for a tape that has
	// memory without bound. A tape that gets no more of it is not whole any more,
	// and lets go of the readers that hold its oldest bytes, but of none that is
	// less than 4 KiB behind: for those it is granted up to 8 KiB all the same.
	Room *Room
}

// A Tape is a recording that may be read while it is written. Make one with
// [New]. It is safe for concurrent use, but for Write: one writes at a time.
type Tape struct {
	mu    sync.Mutex
	room  *Room
	keep  int64
	ahead int64

	first, last *chunk // nil if nothing is kept
	total       int64  // how much was written
	whole       bool
	ended       bool
	err         error // that it has ended with

	readers []*Reader // those that read: each counts in the chunk that it is at
	waiting []*Reader // those of them that wait for more; and some that have gone
	fast    int64     // where the fastest reader is
	slow    int64     // no reader is before this

	writer sync.Cond // the writer waits here
	due    int64     // until the fastest reader is there; 0 if it does not wait
}

// New returns an empty tape, which is whole.
func New(o Options) *Tape {
	t := &Tape{room: o.Room, keep: int64(o.Keep), ahead: int64(max(o.Ahead, 2)), whole: true}
	t.writer.L = &t.mu
	return t
}

// End says that nothing more will be written, and why: nil and [io.EOF] are a
// good end. Readers get the error, or [io.EOF], when they have read everything
// before it. Only the first End counts.
func (t *Tape) End(err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.end(err)
}

func (t *Tape) end(err error) {
	if t.ended {
		return
	}
	if err == nil {
		err = io.EOF
	}
	t.ended, t.err = true, err
	t.wake()
	t.writer.Signal()
}

// Whole reports whether everything from the beginning is still there, ended or
// not: readers may join, and Bytes has it.
func (t *Tape) Whole() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.whole
}

// Len returns how many bytes were written so far.
func (t *Tape) Len() int64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.total
}

// Bytes returns a copy of everything written so far, which is the caller's and
// no larger than it has to be. It is nil if the tape is not whole.
func (t *Tape) Bytes() []byte {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.whole {
		return nil
	}
	b := make([]byte, 0, t.total)
	for c := t.first; c != nil; c = c.next {
		b = append(b, c.buf...)
	}
	return b
}

// Reader returns a reader from the beginning, false if the tape is not whole.
// Close it.
func (t *Tape) Reader() (*Reader, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.whole {
		return nil, false
	}
	r := &Reader{tape: t, chunk: t.first, index: len(t.readers)}
	r.more.L = &t.mu
	t.readers = append(t.readers, r)
	if t.first != nil {
		t.first.readers++
	}
	return r, true
}

// Stop says that nobody will join any more or want Bytes: the tape is not whole
// from now on, and what all readers have read is dropped.
func (t *Tape) Stop() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.loosen()
}

// Release says that the owner is done with the tape: it stops it, and ends it
// with [io.ErrUnexpectedEOF] if it has not ended. The memory goes back as the
// readers end or close. Calls after the first do nothing.
func (t *Tape) Release() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.end(io.ErrUnexpectedEOF)
	t.loosen()
}

// loosen makes the tape one that is not whole.
func (t *Tape) loosen() {
	t.whole = false
	t.trim()
}

// trim drops what all readers have read, unless the tape is whole.
func (t *Tape) trim() {
	for !t.whole && t.first != nil && t.first.readers == 0 {
		c := t.first
		t.first = c.next
		if t.first == nil {
			t.last = nil
		}
		t.room.force(-c.size())
		c.recycle()
	}
}
