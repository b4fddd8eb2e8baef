package tape

import "sync/atomic"

// A Room is the memory that all tapes of a process may take together, in bytes.
// It is safe for concurrent use.
type Room struct{ size, used atomic.Int64 }

// NewRoom returns a room of size bytes, of which none is used.
func NewRoom(size int64) *Room {
	r := &Room{}
	r.size.Store(size)
	return r
}

// Resize makes it a room of size bytes. Tapes keep what they have of it.
func (r *Room) Resize(size int64) { r.size.Store(size) }

// Used returns how many bytes tapes have taken: more than the size after a
// Resize, and by the little that a tape is granted even if there is no room.
func (r *Room) Used() int64 { return r.used.Load() }

// take takes n bytes if there is room for them, and reports whether it did. It
// never takes them for a moment only: another tape would be refused by that.
func (r *Room) take(n int64) bool {
	for r != nil {
		used := r.used.Load()
		if used+n > r.size.Load() {
			return false
		}
		if r.used.CompareAndSwap(used, used+n) {
			return true
		}
	}
	return true
}

// force takes n bytes, room or none. A negative n gives them back.
func (r *Room) force(n int64) {
	if r != nil {
		r.used.Add(n)
	}
}
