package tape

import (
	"bytes"
	"errors"
	"io"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

const (
	events = 10_000 // of a long stream
	event  = 300    // bytes, as an event of a chat has
	every  = 20 * time.Millisecond
)

// stream writes the events of a long stream at its pace, and shows the room to
// see after each.
func stream(t *testing.T, tape *Tape, see func()) {
	t.Helper()
	for range events {
		write(t, tape, event)
		see()
		time.Sleep(every)
	}
	tape.End(nil)
}

// TestASlowReaderSlowsNobody has one reader that takes 100 times as long for an
// event as the stream does, one that is as quick as it, and one quicker.
func TestASlowReaderSlowsNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const keep, ahead = 64 << 10, 32 << 10
		room := NewRoom(1 << 20)
		tape := New(Options{Keep: keep, Ahead: ahead, Room: room})
		defer tape.Release()
		var all sync.WaitGroup
		ends := map[time.Duration]error{}
		var mu sync.Mutex
		for _, pause := range []time.Duration{0, every, 100 * every} {
			r := join(t, tape)
			all.Go(func() {
				var got bytes.Buffer
				err := error(nil)
				for n := int64(1); n > 0; time.Sleep(pause) {
					if n, err = io.CopyN(&got, r, event); errors.Is(err, io.EOF) && n == 0 {
						err = nil
					}
				}
				if !bytes.Equal(got.Bytes(), content(0, int64(got.Len()))) {
					t.Errorf("a pause of %s: wrong bytes", pause)
				}
				if whole := got.Len() == events*event; whole != (err == nil) {
					t.Errorf("a pause of %s: %d bytes, %v", pause, got.Len(), err)
				}
				mu.Lock()
				defer mu.Unlock()
				ends[pause] = err
			})
		}
		most, begin := int64(0), time.Now()
		stream(t, tape, func() { most = max(most, room.Used()) })
		if took := time.Since(begin); took != events*every {
			t.Errorf("the stream took %s, want %s", took, events*every)
		}
		all.Wait()
		if ends[0] != nil || ends[every] != nil || !errors.Is(ends[100*every], ErrBehind) {
			t.Errorf("the readers ended with %v, want that the slow one alone is behind", ends)
		}
		if limit := int64(keep + 2*4096); most > limit || most < keep/2 {
			t.Errorf("it took up to %d bytes, want at most %d", most, limit)
		}
	})
}

// TestAReaderAsQuickAsTheStreamTakesTwoChunks counts what a tape holds of which
// nobody wants the beginning.
func TestAReaderAsQuickAsTheStreamTakesTwoChunks(t *testing.T) {
	room := NewRoom(1 << 20)
	tape := New(Options{Keep: 1 << 20, Ahead: 64 << 10, Room: room})
	r := join(t, tape)
	tape.Stop()
	for range events {
		if write(t, tape, event); room.Used() > 2*4096 {
			t.Fatalf("it takes %d bytes", room.Used())
		}
		read(t, r, event)
	}
}

// TestTheOldestChunkGoesFirst fills the room, so that the reader at the
// beginning has to go, and shows that this makes place for one in the middle.
func TestTheOldestChunkGoesFirst(t *testing.T) {
	room := NewRoom(40 << 10)
	tape := New(Options{Keep: 1 << 20, Ahead: 1 << 20, Room: room})
	old, middle, fast := join(t, tape), join(t, tape), join(t, tape)
	write(t, tape, 32<<10)
	read(t, middle, 16<<10)
	read(t, fast, 32<<10)
	room.Resize(0)
	room.Resize(room.Used())
	for range 8 {
		write(t, tape, 1<<10)
		read(t, fast, 1<<10)
	}
	if _, err := old.Read(make([]byte, 1)); !errors.Is(err, ErrBehind) || tape.Whole() {
		t.Errorf("Read at the beginning = %v, whole %t, want %v", err, tape.Whole(), ErrBehind)
	}
	read(t, middle, 24<<10)
}

func TestARoomIsUsedToItsLastByte(t *testing.T) {
	room := NewRoom(1024)
	tapes := []*Tape{New(Options{Keep: 512, Room: room}), New(Options{Keep: 512, Room: room}), New(Options{Keep: 512, Room: room})}
	for i, tape := range tapes {
		if err := tape.Write(make([]byte, 512)); (err == nil) != (i < 2) || tape.Whole() != (i < 2) {
			t.Errorf("tape %d: %v, whole %t", i, err, tape.Whole())
		}
	}
	tapes[0].Release()
	if next := New(Options{Keep: 512, Room: room}); next.Write([]byte("x")) != nil {
		t.Error("what one has given back is not there for the next")
	}
	if got := room.Used(); got != 1024 {
		t.Errorf("%d bytes are used, want 1024", got)
	}
}

// TestManyTapesShareARoom has too many of them for it, each with its writer and
// its readers, some of which leave.
func TestManyTapesShareARoom(t *testing.T) {
	const size, tapes, length = 256 << 10, 24, 100_000
	room := NewRoom(size)
	var all sync.WaitGroup
	for i := range tapes {
		tape := New(Options{Keep: 64 << 10, Ahead: 16 << 10, Room: room})
		for j := range 4 {
			r := join(t, tape)
			all.Go(func() { follow(t, r, i+j, length) })
		}
		all.Go(func() {
			defer tape.Release()
			for tape.Len() < length {
				err := tape.Write(content(tape.Len(), min(tape.Len()+700, length)))
				if errors.Is(err, ErrNobody) {
					return // the fastest has left, and the others were too far behind it
				} else if err != nil {
					t.Errorf("Write = %v", err)
				}
				if used := room.Used(); used > size+tapes*2*4096 {
					t.Errorf("%d bytes are used", used)
				}
			}
			tape.End(nil)
		})
	}
	all.Wait()
	if got := room.Used(); got != 0 {
		t.Errorf("%d bytes are used at the end", got)
	}
}

// follow reads a tape as the nth of its kind does: each fourth closes early.
func follow(t *testing.T, r *Reader, nth int, length int64) {
	t.Helper()
	defer func() { _ = r.Close() }()
	limit := length
	if nth%4 == 3 {
		limit /= 2
	}
	got, err := io.ReadAll(io.LimitReader(r, limit))
	if !bytes.Equal(got, content(0, int64(len(got)))) {
		t.Errorf("wrong bytes among %d", len(got))
	}
	if int64(len(got)) < limit && !errors.Is(err, ErrBehind) {
		t.Errorf("%d bytes and %v, want %d", len(got), err, limit)
	}
}

// TestEverythingAtOnce has all that may be called at once called at once, where
// only the race detector and the room know what is right.
func TestEverythingAtOnce(t *testing.T) {
	room := NewRoom(64 << 10)
	for i := range 200 {
		tape := New(Options{Keep: 8 << 10, Ahead: 4 << 10, Room: room})
		var all sync.WaitGroup
		for j := range 4 {
			r := join(t, tape)
			all.Go(func() { _, _ = io.CopyN(io.Discard, r, int64(i*j*10)) })
			all.Go(func() { _ = r.Ready(); _ = r.Close() })
		}
		all.Go(func() {
			for tape.Write(content(tape.Len(), tape.Len()+300)) == nil {
				continue
			}
		})
		all.Go(func() { _, _ = tape.Bytes(), tape.Whole() })
		all.Go(func() { late, ok := tape.Reader(); _ = ok && late.Close() == nil })
		all.Go(func() { room.Resize(int64(i) << 9) })
		all.Go([]func(){tape.Stop, tape.Release, func() { tape.End(errBroken) }}[i%3])
		all.Wait()
		tape.Release()
	}
	if got := room.Used(); got != 0 {
		t.Errorf("%d bytes are used at the end", got)
	}
}
