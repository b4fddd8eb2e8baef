// Package tape records the bytes of one answer while it passes: one writes, and
// many read, each from the beginning and each at its own pace.
//
// A recording is whole for as long as it is short enough and there is memory for
// it. From then on it keeps only what its readers have not read yet, and no more
// than a bound: whoever writes waits for the fastest reader, and a reader that is
// further behind than the bound loses the recording. So one reader alone slows
// down whoever writes, as a connection does, and of several none slows the
// others.
//
// It has no goroutine of its own and knows nothing of what it records.
package tape

import (
	"errors"
	"io"
	"sync"
)

// Why a recording cannot go on.
var (
	ErrNobody = errors.New("nobody reads the recording any more")
	ErrBehind = errors.New("too far behind the recording")
)

// Options are the bounds of a tape.
type Options struct {
	Keep  int   // up to how many bytes it is whole
	Ahead int   // how far the writer may be ahead of a reader once it is not, in bytes
	Room  *Room // the memory of all recordings; nil is without bound
}

// A Tape is a recording. Make one with [New]. It is safe for concurrent use by
// one writer and any number of readers.
type Tape struct {
	keep int64
	room *Room

	mu      sync.Mutex
	changed sync.Cond // a reader has read or left
	ahead   int64
	pieces  [][]byte // what is kept
	from    int64    // where in the recording pieces begin
	to      int64    // where it ends
	whole   bool
	owned   bool // it has not been released
	ended   bool
	err     error // with which it has ended; nil is well
	readers map[*Reader]struct{}
}

// New returns an empty tape that is whole.
func New(o Options) *Tape {
	t := &Tape{keep: int64(o.Keep), ahead: int64(max(o.Ahead, smallest)), room: o.Room, whole: true, owned: true}
	t.changed.L = &t.mu
	return t
}

// Write records p, which it copies. It waits while even the fastest reader is
// too far behind. It returns [ErrNobody] where the recording is not whole and
// has no reader.
func (t *Tape) Write(p []byte) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.whole && t.to+int64(len(p)) > t.keep {
		t.cut()
	}
	for len(p) > 0 {
		n, err := t.some(p)
		if err != nil {
			return err
		}
		p = p[n:]
	}
	return nil
}

// some records a part of p, and returns how much.
func (t *Tape) some(p []byte) (int, error) {
	if t.whole {
		if n := t.append(p); n > 0 {
			return n, nil
		}
		t.cut() // there is no more room
	}
	n := int(min(int64(len(p)), t.ahead))
	for {
		fastest, found := t.fastest()
		if !found {
			return 0, ErrNobody
		}
		if t.to+int64(n)-fastest <= t.ahead {
			break
		}
		t.changed.Wait()
	}
	t.drop(t.to + int64(n) - t.ahead)
	n = t.append(p[:n])
	return n, nil
}

// cut ends that the recording is whole.
func (t *Tape) cut() {
	if !t.whole {
		return
	}
	t.whole = false
	if t.room.full() {
		t.ahead = smallest
	}
	fastest, _ := t.fastest()
	t.drop(min(t.to-t.ahead, fastest)) // the fastest is waited for
}

// drop forgets what all have read, and all that stands before at: who has not
// read that loses the recording.
func (t *Tape) drop(at int64) {
	least := t.to
	for r := range t.readers {
		if r.at < at {
			r.lose(ErrBehind)
			continue
		}
		least = min(least, r.at)
	}
	t.forget(least)
}

// fastest returns how far the reader has read that has read the most.
func (t *Tape) fastest() (at int64, found bool) {
	for r := range t.readers {
		at, found = max(at, r.at), true
	}
	return at, found
}

// End ends the recording: with err, or well where that is nil or [io.EOF].
// Readers learn of it behind the last byte.
func (t *Tape) End(err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.ended {
		return
	}
	if err == nil {
		err = io.EOF
	}
	t.ended, t.err = true, err
	for r := range t.readers {
		r.wake()
	}
	t.settle()
}

// Whole reports whether all of the recording is there from its beginning.
func (t *Tape) Whole() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.whole
}

// Len returns how many bytes were written.
func (t *Tape) Len() int64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.to
}

// Bytes returns all of the recording, as the caller's own, or nil if it is not
// whole.
func (t *Tape) Bytes() []byte {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.whole {
		return nil
	}
	b := make([]byte, 0, t.to)
	for _, p := range t.pieces {
		b = append(b, p...)
	}
	return b
}

// Stop ends that the recording is whole: nobody can join it any more.
func (t *Tape) Stop() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.cut()
}

// Release says that whoever made the tape needs no Bytes of it any more. Its
// memory is free once nobody reads it.
func (t *Tape) Release() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.owned = false
	t.settle()
}

// settle forgets what nobody can want any more.
func (t *Tape) settle() {
	switch {
	case !t.whole:
		t.drop(t.from)
	case t.ended && !t.owned && len(t.readers) == 0:
		t.whole = false
		t.forget(t.to)
	}
}
