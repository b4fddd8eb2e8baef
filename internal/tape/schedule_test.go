package tape

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"
)

// TestSchedules lets readers of random speeds join and leave at random. Each
// gets the recording from its beginning without a gap, and all of it unless it
// closed or was left behind by another; memory stays within its bound.
func TestSchedules(t *testing.T) {
	seeds := uint64(2000)
	if testing.Short() {
		seeds = 200
	}
	for seed := range seeds {
		synctest.Test(t, func(t *testing.T) { schedule(t, rand.New(rand.NewPCG(seed, 1))) })
	}
}

func schedule(t *testing.T, r *rand.Rand) {
	t.Helper()
	text := numbered(1 + r.IntN(60_000))
	room := NewRoom(int64(r.IntN(100_000)))
	keep, ahead := r.IntN(40_000), r.IntN(40_000)
	tp := New(Options{Keep: keep, Ahead: ahead, Room: room})
	readers := 1 + r.IntN(4)
	results := make(chan error, readers)
	for i := range readers {
		go func(pace time.Duration, late time.Duration, size, leave int) {
			time.Sleep(late)
			results <- read(t, tp, text, pace, size, leave)
		}(time.Duration(r.IntN(1000)), time.Duration(i*r.IntN(5000)), 1+r.IntN(5000), r.IntN(120_000))
	}
	bound := int64(max(keep, ahead, smallest)) + 2*largest
	synctest.Wait()
	left := text
	for len(left) > 0 {
		n := min(1+r.IntN(3000), len(left))
		if err := tp.Write(left[:n]); err != nil {
			break // all have left
		}
		left = left[n:]
		time.Sleep(time.Duration(r.IntN(1000)))
		if used := room.Used(); used > bound {
			t.Fatalf("%d bytes are taken, want %d at most", used, bound)
		}
	}
	whole := tp.Whole()
	if whole && !bytes.Equal(tp.Bytes(), text[:len(text)-len(left)]) {
		t.Error("the recording is not what was written")
	}
	tp.End(nil)
	tp.Release()
	for range readers {
		if err := <-results; err != nil && (readers == 1 || whole) {
			t.Errorf("a reader got %v, whole %t, %d readers", err, whole, readers)
		}
	}
	if room.Used() != 0 {
		t.Errorf("%d bytes are still taken", room.Used())
	}
}

// read reads with a pause before each piece, and leaves after so many bytes.
func read(t *testing.T, tp *Tape, text []byte, pace time.Duration, size, leave int) error {
	t.Helper()
	r, ok := tp.Reader()
	if !ok {
		return nil
	}
	defer func() { _ = r.Close() }()
	buf, at := make([]byte, size), 0
	for at < leave {
		time.Sleep(pace)
		n, err := r.Read(buf)
		if !bytes.Equal(buf[:n], text[at:at+n]) {
			t.Errorf("what was read from %d on is not what was written", at)
		}
		at += n
		switch {
		case errors.Is(err, io.EOF):
			if int64(at) != tp.Len() {
				t.Errorf("it ended at %d of %d", at, tp.Len())
			}
			return nil
		case err != nil:
			return err
		}
	}
	return nil
}

// BenchmarkEvent is the price of an event of 300 bytes, written and read.
func BenchmarkEvent(b *testing.B) {
	room := NewRoom(1 << 30)
	event, buf := numbered(300), make([]byte, 512)
	b.ReportAllocs()
	var tp *Tape
	var r *Reader
	i := 0
	for b.Loop() {
		if i%100 == 0 {
			tp = New(Options{Keep: 1 << 20, Ahead: 1 << 20, Room: room})
			r, _ = tp.Reader()
		}
		i++
		_ = tp.Write(event)
		_, _ = r.Read(buf)
		if i%100 == 0 {
			tp.End(nil)
			_, _ = r.Read(buf)
			tp.Release()
		}
	}
}
