package tape

import (
	"io"
	"sync"
)

// A Reader reads a tape from its beginning. One reads at a time.
type Reader struct {
	tape  *Tape
	more  sync.Cond // Read waits here
	index int       // of this reader in the tape's
	pos   int64     // how much it has read
	chunk *chunk    // where it is; nil for the tape's first
	err   error     // that it has ended with, nil as long as it reads
}

// Read waits for more unless it has some, and returns what there is of it. After
// all bytes it returns the error that the tape has ended with, [io.EOF] at a
// good end; that comes with the last bytes where it is known by then. It returns [ErrBehind] as soon as the reader's bytes were dropped,
// and [io.ErrClosedPipe] once it is closed.
func (r *Reader) Read(p []byte) (int, error) {
	t := r.tape
	t.mu.Lock()
	defer t.mu.Unlock()
	for {
		switch {
		case r.err != nil:
			return 0, r.err
		case len(p) == 0:
			return 0, nil
		case r.pos < t.total:
			return r.take(p), r.ended()
		case t.ended:
			r.leave(t.err) // it holds nothing, whether it is closed or not
			return 0, r.err
		}
		t.waiting = append(t.waiting, r)
		r.more.Wait()
	}
}

// ended returns [io.EOF] to a reader that has read all of a tape which has ended
// well: who hands the last bytes on knows that they are.
func (r *Reader) ended() error {
	t := r.tape
	if !t.ended || r.pos < t.total || t.err != io.EOF { //nolint:errorlint // as End has it
		return nil
	}
	r.leave(io.EOF)
	return io.EOF
}

// take reads what there is.
func (r *Reader) take(p []byte) (n int) {
	t := r.tape
	if r.chunk == nil {
		r.chunk = t.first
	}
	for n < len(p) && r.pos < t.total {
		if r.pos == r.chunk.end() {
			r.chunk.readers--
			r.chunk = r.chunk.next
			r.chunk.readers++
		}
		c := copy(p[n:], r.chunk.buf[r.pos-r.chunk.start:])
		n += c
		r.pos += int64(c)
	}
	t.trim()
	if t.fast = max(t.fast, r.pos); t.due > 0 && r.pos >= t.due {
		t.writer.Signal()
	}
	return n
}

// Ready reports whether Read would return without waiting.
func (r *Reader) Ready() bool {
	t := r.tape
	t.mu.Lock()
	defer t.mu.Unlock()
	return r.err != nil || r.pos < t.total || t.ended
}

// Close ends the reader, and a Read that waits. It is safe beside Read, and
// returns nil, however often it is called.
func (r *Reader) Close() error {
	t := r.tape
	t.mu.Lock()
	defer t.mu.Unlock()
	r.leave(io.ErrClosedPipe)
	r.more.Signal()
	t.writer.Signal() // who has waited for this one judges by the others
	return nil
}

// leave takes the reader from the tape, with an error that it reads from now on.
func (r *Reader) leave(err error) {
	t, left := r.tape, r.err != nil
	if r.err = err; left {
		return
	}
	last := len(t.readers) - 1
	t.readers[r.index] = t.readers[last]
	t.readers[r.index].index = r.index
	t.readers[last] = nil
	t.readers = t.readers[:last]
	if r.chunk == nil {
		r.chunk = t.first
	}
	if r.chunk != nil {
		r.chunk.readers--
		r.chunk = nil
	}
	if r.pos == t.fast {
		t.fast = t.fastest(r.pos)
	}
	t.trim()
}

// fastest returns where the fastest reader is, which is known not to be behind
// a place.
func (t *Tape) fastest(most int64) (pos int64) {
	for _, r := range t.readers {
		if pos = max(pos, r.pos); pos == most {
			break
		}
	}
	return pos
}
