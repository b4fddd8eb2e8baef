package tape

import (
	"errors"
	"io"
	"math/rand/v2"
	"testing"
	"testing/synctest"
)

// schedules are how many random ones are played of each kind.
const schedules = 3000

// play plays a schedule of its own for each seed, and closes everything.
func play(t *testing.T, options func(*rand.Rand) Options, compare func(*deck)) {
	t.Helper()
	for seed := range uint64(schedules) {
		synctest.Test(t, func(t *testing.T) {
			r := rand.New(rand.NewPCG(seed, 2))
			d := newDeck(t, seed, options(r))
			defer d.over()
			for range 60 {
				d.step()
				compare(d)
				if t.Failed() {
					t.Fatalf("seed %d", seed)
				}
			}
			d.over()
			if got := d.room.Used(); got != 0 {
				t.Fatalf("seed %d: %d bytes are used at the end", seed, got)
			}
		})
	}
}

// over closes everything.
func (d *deck) over() {
	for _, r := range d.readers {
		_ = r.Close()
	}
	d.tape.Release()
}

// checkWrite holds the Write that was begun against what the model says of it.
func (d *deck) checkWrite(want error) {
	d.Helper()
	if d.wrote == nil {
		return
	}
	select {
	case err := <-d.wrote:
		if d.wrote = nil; !errors.Is(err, want) || want == nil && d.total < d.aim {
			d.Fatalf("Write = %v at %d of %d, want %v", err, d.total, d.aim, want)
		}
		d.aim = d.total
	default:
		if want != nil || d.total == d.aim {
			d.Fatalf("Write waits at %d of %d, want %v", d.total, d.aim, want)
		}
	}
}

// TestATapeIsWhatItsModelIs has room for everything: then the model knows of
// each byte whether it is written, and whom it is too much for.
func TestATapeIsWhatItsModelIs(t *testing.T) {
	options := func(r *rand.Rand) Options {
		return Options{Keep: r.IntN(1 << r.IntN(16)), Ahead: r.IntN(1 << r.IntN(16)), Room: NewRoom(1 << 30)}
	}
	behind := 0
	play(t, options, func(d *deck) {
		d.Helper()
		d.check()
		err := d.settle()
		d.checkWrite(err)
		d.checkTape()
		if most := max(d.keep, d.ahead) + 2*most; d.room.Used() > most {
			d.Errorf("%d bytes are used, want at most %d", d.room.Used(), most)
		}
		for _, r := range d.readers {
			if errors.Is(r.err, ErrBehind) {
				behind++
			}
		}
	})
	if behind == 0 {
		t.Error("no reader was ever told off")
	}
}

func (d *deck) checkTape() {
	d.Helper()
	if d.tape.Len() != d.total || d.tape.Whole() != d.whole {
		d.Errorf("%d bytes, whole %t, want %d, %t", d.tape.Len(), d.tape.Whole(), d.total, d.whole)
	}
	b := d.tape.Bytes()
	if d.whole && (string(b) != string(content(0, d.total)) || cap(b) > len(b)) || (b != nil) != d.whole {
		d.Errorf("%d bytes in %d, want all %d if it is whole: %t", len(b), cap(b), d.total, d.whole)
	}
	for i, r := range d.readers {
		if want := r.err != nil || r.pos < d.total || d.end != nil; r.Ready() != want {
			d.Errorf("reader %d at %d of %d: ready %t, want %t", i, r.pos, d.total, !want, want)
		}
	}
}

// TestATapeMakesDoWithoutRoom has a room that is too small, or grows so: then the
// model takes over how far the tape has come, and holds it against the promises.
func TestATapeMakesDoWithoutRoom(t *testing.T) {
	options := func(r *rand.Rand) Options {
		return Options{Keep: 1 << r.IntN(16), Ahead: 1 << r.IntN(16), Room: NewRoom(r.Int64N(1 << (1 + r.IntN(16))))}
	}
	play(t, options, func(d *deck) {
		d.Helper()
		d.near = min(d.ahead, lean) / 2
		d.adopt()
		bound := max(d.room.size.Load(), 2*most, d.used)
		d.used = d.room.Used()
		if d.used > bound {
			d.Errorf("%d bytes are used, want at most %d", d.used, bound)
		}
		if d.rand.IntN(10) == 0 {
			d.room.Resize(d.rand.Int64N(1 << (1 + d.rand.IntN(16))))
		}
	})
}

// adopt takes over from the tape what the model cannot know.
func (d *deck) adopt() {
	d.Helper()
	d.check()
	d.total = d.tape.Len()
	if whole := d.tape.Whole(); whole && !d.whole {
		d.Errorf("it is whole, and must not be")
	} else {
		d.whole = whole
	}
	for i, r := range d.readers {
		d.tape.mu.Lock()
		err := r.Reader.err
		d.tape.mu.Unlock()
		if errors.Is(err, ErrBehind) && r.err == nil {
			if r.err = err; d.whole || d.total-r.pos <= d.near {
				d.Errorf("reader %d was told off at %d of %d", i, r.pos, d.total)
			}
		}
	}
	fast, reads := d.fast()
	switch {
	case d.total == d.aim:
		d.checkWrite(nil)
	case d.end != nil:
		d.checkWrite(io.ErrClosedPipe)
	case !reads && !d.whole:
		d.checkWrite(ErrNobody)
	default:
		d.checkWrite(nil)
		if d.wrote != nil && (d.whole || d.total-fast < d.near) {
			d.Errorf("Write waits at %d of %d, the fastest reader is at %d", d.total, d.aim, fast)
		}
	}
}
