package tape

const (
	// smallest is the size of the first piece, and what a recording may have where
	// there is no room: an upstream's event has 200 to 500 bytes.
	smallest = 4 << 10

	// largest is the size of a piece at most.
	largest = 32 << 10
)

// append records as much of p as the room allows, and returns how much that is.
// A tape that is not whole is always allowed what it may be ahead.
func (t *Tape) append(p []byte) (n int) {
	for n < len(p) {
		last := len(t.pieces) - 1
		if last < 0 || len(t.pieces[last]) == cap(t.pieces[last]) {
			if !t.grow(len(p) - n) {
				break
			}
			last++
		}
		piece := t.pieces[last]
		c := copy(piece[len(piece):cap(piece)], p[n:])
		t.pieces[last] = piece[:len(piece)+c]
		n += c
	}
	t.to += int64(n)
	for r := range t.readers {
		r.wake()
	}
	return n
}

// grow adds an empty piece for so many bytes, and reports whether there is room.
func (t *Tape) grow(want int) bool {
	size := smallest
	switch {
	case len(t.pieces) > 0:
		size = min(2*cap(t.pieces[len(t.pieces)-1]), largest)
	case want > smallest:
		size = min(want, largest)
	}
	if !t.whole { // what is dropped early is free early
		size = smallest
	}
	if !t.room.take(int64(size), !t.whole) {
		return false
	}
	t.pieces = append(t.pieces, make([]byte, 0, size))
	return true
}

// forget drops the pieces that end before at.
func (t *Tape) forget(at int64) {
	n := 0
	for n < len(t.pieces) {
		p := t.pieces[n]
		if t.from+int64(len(p)) > at {
			break
		}
		t.from += int64(len(p))
		if n == len(t.pieces)-1 && !t.ended {
			t.pieces[n] = p[:0] // what comes next has it
			break
		}
		t.room.give(int64(cap(p)))
		t.pieces[n] = nil
		n++
	}
	t.pieces = t.pieces[n:]
}

// find returns the piece that holds the byte at, and where it stands in it.
func (t *Tape) find(r *Reader) (piece []byte, ok bool) {
	if r.at >= t.to {
		return nil, false
	}
	at := t.from
	for _, p := range t.pieces {
		if next := at + int64(len(p)); r.at >= next {
			at = next
			continue
		}
		return p[r.at-at:], true
	}
	return nil, false
}
