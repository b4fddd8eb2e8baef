package tape

import "sync/atomic"

// A Room is the memory that several recordings may take together. A nil Room is
// without bound. A recording that is not whole takes what it needs all the same,
// which is little.
type Room struct{ size, used atomic.Int64 }

// NewRoom returns a room of so many bytes.
func NewRoom(size int64) *Room {
	r := &Room{}
	r.size.Store(size)
	return r
}

// Resize changes the room's size. What is taken stays.
func (r *Room) Resize(size int64) { r.size.Store(size) }

// Used returns how many bytes are taken.
func (r *Room) Used() int64 { return r.used.Load() }

// take takes n bytes, if there are so many or if it must.
func (r *Room) take(n int64, must bool) bool {
	if r == nil {
		return true
	}
	if r.used.Add(n) > r.size.Load() && !must {
		r.used.Add(-n)
		return false
	}
	return true
}

// give gives n bytes back.
func (r *Room) give(n int64) {
	if r != nil {
		r.used.Add(-n)
	}
}

// full reports whether there is not even the smallest piece left.
func (r *Room) full() bool { return r != nil && r.used.Load()+largest > r.size.Load() }
