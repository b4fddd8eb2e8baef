package tape

import (
	"math/bits"
	"sync"
)

const (
	// least is the size of the smallest chunk: most short answers fit into one.
	least = 512

	// most is the size of the largest. The largest two are what a tape is granted
	// when its room is full, so they must not be much; an event of a chat has 200
	// to 500 bytes.
	most = 4 << 10

	// lean is how far readers may be behind in such a tape. So much, wherever it
	// begins, lies in two chunks: the first is full, if only its end is wanted.
	lean = most
)

// A chunk is a piece of a tape.
type chunk struct {
	next    *chunk
	start   int64  // where in the tape it begins
	readers int    // how many readers are at it: they hold it and all behind it
	buf     []byte // what was written of it
}

// pools hold the chunks that are free, by their sizes, from least to most.
var pools [4]sync.Pool //nolint:gochecknoglobals // a pool is there to be shared

// class returns the index of the smallest size that is no less than n, or of
// the largest.
func class(n int64) int {
	return bits.Len64(uint64(min(max(n, 1), most)-1) / least)
}

// newChunk returns an empty chunk of a class.
func newChunk(class int, start int64) *chunk {
	c, _ := pools[class].Get().(*chunk)
	if c == nil {
		c = &chunk{buf: make([]byte, 0, least<<class)}
	}
	*c = chunk{start: start, buf: c.buf[:0]}
	return c
}

// recycle gives the chunk to whoever needs one next.
func (c *chunk) recycle() {
	c.next = nil
	pools[class(c.size())].Put(c)
}

func (c *chunk) size() int64 { return int64(cap(c.buf)) }

// end returns where in the tape it ends, as far as it was written.
func (c *chunk) end() int64 { return c.start + int64(len(c.buf)) }

// free returns how many bytes can still be written to it.
func (c *chunk) free() int {
	if c == nil {
		return 0
	}
	return cap(c.buf) - len(c.buf)
}
