package upstream

import (
	"sync/atomic"
	"time"
)

// A keyState is what is known of a key, in all generations that use it.
type keyState struct {
	upstream string
	now      func() time.Time
	metrics  *keyMetrics
	ejection atomic.Pointer[ejection] // nil if it never was
}

// An ejection is the time for which a key is left alone, and why.
type ejection struct {
	until  time.Time
	reason reason
}

// until returns the end of the key's ejection, which may be past. Upstreams
// without a key are never ejected.
func (s *keyState) until() time.Time {
	if s == nil {
		return time.Time{}
	}
	if e := s.ejection.Load(); e != nil {
		return e.until
	}
	return time.Time{}
}

// eject leaves the key alone until then. It reports whether it was not so
// before: of many requests that are refused at once, one tells of it.
func (s *keyState) eject(now, until time.Time, why reason) bool {
	before := s.ejection.Load()
	if !s.ejection.CompareAndSwap(before, &ejection{until, why}) {
		return false
	}
	if before != nil && before.until.After(now) {
		return false
	}
	s.metrics.ejections.WithLabelValues(s.upstream, string(why)).Inc()
	return true
}

// pardon ends an ejection for the given reason, if there is one.
func (s *keyState) pardon(now time.Time, why reason) bool {
	e := s.ejection.Load()
	return e != nil && e.reason == why && e.until.After(now) && s.ejection.CompareAndSwap(e, nil)
}

// Close implements [io.Closer]: nobody has the key any more.
func (s *keyState) Close() error {
	s.metrics.forget(s)
	return nil
}
