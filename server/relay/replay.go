package relay

import (
	"errors"
	"io"
	"slices"
)

// peekBytes is for how much more of a body of unknown size [Body.Peek] makes room,
// at the least.
const peekBytes = 4096

// Peek returns the beginning of the body, up to the longest that can be read
// again, and whether that is all of it. It reads from the client what has not
// been read yet; the body can be read from its beginning afterwards.
func (b *Body) Peek() (head []byte, whole bool) {
	for {
		b.mu.Lock()
		head, whole = b.head, !b.spill && (errors.Is(b.err, io.EOF) || b.passed == b.size)
		full := whole || int64(len(b.head)) >= b.replay || b.spill || b.err != nil || b.sealed
		b.mu.Unlock()
		if full {
			return head, whole
		}
		b.ahead(len(head))
	}
}

// ahead reads the next piece from the client to where keep has it stand, so that
// it is not copied. It does nothing if more than the given number of bytes is
// held by now.
func (b *Body) ahead(held int) {
	b.reading.Lock()
	defer b.reading.Unlock()
	if room := b.room(held); len(room) > 0 {
		_, _ = b.fetch(room)
	}
}

// room returns the room behind the beginning that is held, none if there is
// more to it than the given number of bytes. It is never past what can be held,
// or the beginning would be lost. b.reading is held.
func (b *Body) room(held int) []byte {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.head) != held || b.spill || b.err != nil {
		return nil
	}
	b.reserve()
	if held == cap(b.head) {
		b.head = slices.Grow(b.head, peekBytes)
	}
	return b.head[held:min(int64(cap(b.head)), b.replay)]
}

// reserve makes room for a body whose size is known and may be held. b.mu is held.
func (b *Body) reserve() {
	if b.head == nil && b.size > 0 && b.size <= b.replay {
		b.head = make([]byte, 0, b.size)
	}
}

// Replayable reports whether the whole body can be read as often as anybody
// likes, whoever has read it before: it is not longer than what may be held in
// memory. Where its size was not declared, that much of it is read from the
// client to find out, and held, so the body can still be sent as it is. Such a
// body cannot be read again if it breaks off then, or fills the memory to the
// last byte, since nobody has seen that it ends there.
//
// [plugins.Detach] asks for it.
func (b *Body) Replayable() bool {
	if b.size >= 0 {
		return b.size <= b.replay
	}
	_, whole := b.Peek()
	return whole
}

// Replayable reports whether the whole body can be read again; see
// [Body.Replayable].
func (r *reader) Replayable() bool { return r.body.Replayable() }
