package tape

import (
	"io"
	"slices"
)

// Write appends a copy of p. It never waits while the tape is whole; afterwards
// it waits for the fastest reader, and returns [ErrNobody] if there is none. It
// returns [io.ErrClosedPipe] if the tape has ended.
func (t *Tape) Write(p []byte) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.whole && !t.ended && t.total+int64(len(p)) > t.keep {
		t.loosen()
	}
	for len(p) > 0 {
		n, err := t.admit(len(p))
		if err != nil {
			return err
		}
		t.last.buf = append(t.last.buf, p[:n]...)
		t.total += int64(n)
		p = p[n:]
	}
	t.wake()
	return nil
}

// admit makes the last chunk fit for the beginning of n bytes, and returns how
// many it fits.
func (t *Tape) admit(n int) (int, error) {
	for !t.ended {
		piece := min(n, t.last.free())
		if piece == 0 {
			piece = min(n, most)
		}
		if !t.whole {
			if len(t.readers) == 0 {
				return 0, ErrNobody
			}
			if piece = t.lead(piece, t.ahead); piece == 0 {
				continue
			}
			t.tellOff(t.total + int64(piece) - t.ahead)
		}
		if t.last.free() == 0 && !t.grow() {
			if piece = t.squeeze(piece); piece == 0 {
				continue
			}
		}
		return min(piece, t.last.free()), nil
	}
	return 0, io.ErrClosedPipe
}

// lead returns how many of n bytes can be written until the fastest reader is
// half of ahead behind. If it is, lead waits until it has read some more and
// returns 0, for meanwhile everything may have changed.
func (t *Tape) lead(n int, ahead int64) int {
	if left := t.fast + ahead/2 - t.total; left > 0 {
		return int(min(int64(n), left))
	}
	t.wake()
	t.due = t.total + 1 - ahead/2
	t.writer.Wait()
	t.due = 0
	return 0
}

// tellOff ends the readers that are before a place, which must not be behind the
// fastest of them.
func (t *Tape) tellOff(before int64) {
	if before <= t.slow {
		return
	}
	t.slow = t.total
	for _, r := range slices.Backward(t.readers) { // where one leaves, the last takes its place
		if r.pos < before {
			r.leave(ErrBehind)
		} else {
			t.slow = min(t.slow, r.pos)
		}
	}
}

// grow adds a chunk if there is room for one, and reports whether it did.
func (t *Tape) grow() bool {
	if !t.room.take(least << class(t.total)) {
		return false
	}
	t.add()
	return true
}

// add adds a chunk for which room was taken: as large as the tape is long, up to
// a bound. All readers are at the first chunk before they have read.
func (t *Tape) add() {
	c := newChunk(class(t.total), t.total)
	if t.first == nil {
		t.first, c.readers = c, len(t.readers)
	} else {
		t.last.next = c
	}
	t.last = c
}

// squeeze makes place for some of n bytes where there is no room, and returns
// for how many. If that is 0 something has changed, and there may be room: the
// tape was whole, the fastest reader has read some more, or those who hold the
// oldest chunk were told off. Once all readers are close behind it takes a chunk
// all the same, for a stream must go on.
func (t *Tape) squeeze(n int) int {
	if t.whole {
		t.loosen()
		return 0
	}
	ahead := min(t.ahead, lean)
	if n = t.lead(n, ahead); n == 0 {
		return 0
	}
	if readers := len(t.readers); t.first != nil {
		t.tellOff(min(t.total+int64(n)-ahead, t.first.end()+1))
		if len(t.readers) < readers {
			return 0
		}
	}
	t.room.force(least << class(t.total))
	t.add()
	return n
}

// wake wakes the readers that wait for more.
func (t *Tape) wake() {
	for _, r := range t.waiting {
		r.more.Signal()
	}
	clear(t.waiting)
	t.waiting = t.waiting[:0]
}
