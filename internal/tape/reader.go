package tape

import (
	"io"
)

// A Reader reads a recording from its beginning. It is for one goroutine, but
// for Close.
type Reader struct {
	tape *Tape
	at   int64 // how far it has read
	err  error // why it reads no more; set once, under the tape's lock
	more chan struct{}
}

// Reader returns a reader from the beginning, false if the recording is not
// whole.
func (t *Tape) Reader() (*Reader, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.whole {
		return nil, false
	}
	r := &Reader{tape: t, more: make(chan struct{}, 1)}
	if t.readers == nil {
		t.readers = make(map[*Reader]struct{}, 1)
	}
	t.readers[r] = struct{}{}
	return r, true
}

// Read implements [io.Reader]: it waits for more. It returns [ErrBehind] if what
// comes next is not kept any more, [io.ErrClosedPipe] if the reader is closed,
// and otherwise what the recording has ended with.
func (r *Reader) Read(p []byte) (int, error) {
	for {
		n, err := r.some(p)
		if n > 0 || err != nil || len(p) == 0 {
			return n, err
		}
		<-r.more
	}
}

// some reads what is there.
func (r *Reader) some(p []byte) (n int, err error) {
	t := r.tape
	t.mu.Lock()
	defer t.mu.Unlock()
	if r.err != nil {
		return 0, r.err
	}
	for n < len(p) {
		piece, ok := t.find(r)
		if !ok {
			break
		}
		c := copy(p[n:], piece)
		n, r.at = n+c, r.at+int64(c)
	}
	switch {
	case n > 0 && t.ended && r.at == t.to && t.err == io.EOF: //nolint:errorlint // as End has it
		r.lose(io.EOF) // with the last bytes, so that who hands them on knows that they are
		t.settle()
		return n, io.EOF
	case n > 0:
		if !t.whole {
			t.drop(t.from)
			t.changed.Signal()
		}
	case t.ended && len(p) > 0:
		r.lose(t.err)
		t.settle()
		return 0, r.err
	}
	return n, nil
}

// Close ends the reading. A Read that waits returns.
func (r *Reader) Close() error {
	t := r.tape
	t.mu.Lock()
	defer t.mu.Unlock()
	if r.err == nil {
		r.lose(io.ErrClosedPipe)
		t.settle()
	}
	return nil
}

// lose ends the reading with err.
func (r *Reader) lose(err error) {
	r.err = err
	delete(r.tape.readers, r)
	r.wake()
	r.tape.changed.Signal()
}

// wake wakes a Read that waits.
func (r *Reader) wake() {
	select {
	case r.more <- struct{}{}:
	default:
	}
}
