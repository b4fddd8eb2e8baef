package limit

import "sync/atomic"

// slots are the requests in flight in this replica, of every generation.
type slots struct{ held atomic.Int64 }

// take takes a slot if fewer than limit are held, 0 being no limit. It returns
// how many are held by then.
func (s *slots) take(limit int64) (held int64, ok bool) {
	for {
		held = s.held.Load()
		if limit > 0 && held >= limit {
			return held, false
		}
		if s.held.CompareAndSwap(held, held+1) {
			return held + 1, true
		}
	}
}

// release gives a slot back.
func (s *slots) release() { s.held.Add(-1) }
