package tape

import (
	"errors"
	"io"
	"math/rand/v2"
	"testing"
	"testing/synctest"
)

// errBroken is what some tapes end with.
var errBroken = errors.New("broken")

// A model is what a tape is, byte by byte and without chunks.
type model struct {
	keep, ahead int64
	total, aim  int64 // what was written, and what it will be once Write is done
	whole       bool
	end         error // nil as long as it has not ended
	readers     []*modelReader
}

// A modelReader is a reader of the model, and of the tape.
type modelReader struct {
	*Reader
	pos  int64
	err  error // that it has ended with
	size int   // of the buffer of a Read that waits; 0 if none does
	got  chan readResult
}

type readResult struct {
	data []byte
	err  error
}

// fast returns where the fastest reader is, and whether there is any.
func (m *model) fast() (pos int64, any bool) {
	for _, r := range m.readers {
		if r.err == nil {
			pos, any = max(pos, r.pos), true
		}
	}
	return pos, any
}

// settle is what Write does, at once and when readers have read some more: each
// byte waits for the fastest reader and tells off those who are too far behind.
func (m *model) settle() error {
	for m.total < m.aim {
		fast, reads := m.fast()
		switch {
		case m.end != nil:
			m.aim = m.total
			return io.ErrClosedPipe
		case m.whole:
		case !reads:
			m.aim = m.total
			return ErrNobody
		case m.total-fast >= m.ahead/2:
			return nil // it waits
		}
		m.total++
		for _, r := range m.readers {
			if !m.whole && r.err == nil && m.total-r.pos > m.ahead {
				r.err = ErrBehind
			}
		}
	}
	return nil
}

// content returns what is written to the tapes of the tests.
func content(from, to int64) []byte {
	b := make([]byte, to-from)
	for i := range b {
		at := from + int64(i)
		b[i] = byte(at) ^ byte(at>>8)*7 ^ byte(at>>16)*31
	}
	return b
}

// A deck plays a random schedule on a tape and on its model, one step after the
// other, and lets the tape come to rest after each. It runs in a bubble.
type deck struct {
	*testing.T
	*model
	tape  *Tape
	room  *Room
	rand  *rand.Rand
	wrote chan error // of a Write that waits, nil if none does
	near  int64      // no reader is told off that is no further behind
	used  int64      // of the room, after the step before
}

func newDeck(t *testing.T, seed uint64, o Options) *deck {
	t.Helper()
	return &deck{
		T: t, near: int64(max(o.Ahead, 2)), tape: New(o), room: o.Room, rand: rand.New(rand.NewPCG(seed, 1)),
		model: &model{keep: int64(o.Keep), ahead: int64(max(o.Ahead, 2)), whole: true},
	}
}

// step does one thing.
func (d *deck) step() {
	d.Helper()
	switch n := d.rand.IntN(100); {
	case n < 35:
		d.write(d.rand.IntN(1 << d.rand.IntN(14)))
	case n < 80 && len(d.readers) > 0:
		d.read(d.readers[d.rand.IntN(len(d.readers))], 1+d.rand.IntN(1<<d.rand.IntN(14)))
	case n < 90:
		d.join()
	case n < 95 && len(d.readers) > 0:
		d.close(d.readers[d.rand.IntN(len(d.readers))])
	case n < 96:
		d.tape.Stop()
		d.whole = false
	case n < 97 && d.rand.IntN(3) == 0:
		d.finish(d.rand.IntN(3))
	}
	synctest.Wait()
}

func (d *deck) write(n int) {
	if d.wrote != nil {
		return // one writes at a time
	}
	p, wrote := content(d.total, d.total+int64(n)), make(chan error, 1)
	go func() {
		wrote <- d.tape.Write(p)
		clear(p) // which the tape must not have kept
	}()
	d.wrote = wrote
	d.aim = d.total + int64(n)
	if d.aim > d.keep && d.end == nil {
		d.whole = false
	}
}

// read begins a Read, unless one waits already.
func (d *deck) read(r *modelReader, size int) {
	if r.size != 0 {
		return
	}
	r.size = size
	go func() {
		p := make([]byte, size)
		n, err := r.Read(p)
		r.got <- readResult{p[:n], err}
	}()
}

func (d *deck) join() {
	d.Helper()
	r, ok := d.tape.Reader()
	if ok != d.tape.Whole() {
		d.Errorf("Reader = %t of a tape that is whole: %t", ok, !ok)
	}
	if ok {
		d.readers = append(d.readers, &modelReader{Reader: r, got: make(chan readResult, 1)})
	}
}

func (d *deck) close(r *modelReader) {
	d.Helper()
	if err := r.Close(); err != nil {
		d.Errorf("Close = %v", err)
	}
	r.err = io.ErrClosedPipe
}

// finish ends the tape in one of three ways.
func (d *deck) finish(how int) {
	end := []error{io.EOF, errBroken, io.ErrUnexpectedEOF}[how]
	switch how {
	case 0:
		d.tape.End(nil)
	case 1:
		d.tape.End(errBroken)
	default:
		d.tape.Release()
		d.whole = false
	}
	if d.end == nil {
		d.end = end
	}
}

// check holds what has come of the reads against the model, and whether those
// that wait have to.
func (d *deck) check() {
	d.Helper()
	for i, r := range d.readers {
		select {
		case got := <-r.got:
			d.checkRead(i, r, got)
			r.size = 0
		default:
			if r.size != 0 && (r.err != nil || d.end != nil || d.tape.Len() > r.pos) {
				d.Fatalf("reader %d waits at %d of %d, its end %v, that of the tape %v", i, r.pos, d.tape.Len(), r.err, d.end)
			}
		}
	}
}

func (d *deck) checkRead(i int, r *modelReader, got readResult) {
	d.Helper()
	to := r.pos + int64(len(got.data))
	if string(got.data) != string(content(r.pos, to)) || to > d.tape.Len() {
		d.Fatalf("reader %d: wrong bytes from %d to %d of %d", i, r.pos, to, d.tape.Len())
	}
	if errors.Is(got.err, ErrBehind) && r.err == nil && d.tape.Len()-r.pos > d.near {
		r.err = ErrBehind // it was woken, and others were that much quicker
	}
	want := r.err
	// A good end comes with the last bytes, any other behind them.
	with := errors.Is(d.end, io.EOF) && to == d.tape.Len()
	if want == nil && (with || r.pos == d.tape.Len() && len(got.data) == 0) {
		want = d.end
		r.err = d.end
	}
	if !errors.Is(got.err, want) || want != nil && got.err == nil || want == nil && len(got.data) == 0 {
		d.Fatalf("reader %d at %d of %d: %d bytes and %v, want %v", i, r.pos, d.tape.Len(), len(got.data), got.err, want)
	}
	r.pos = to
}
