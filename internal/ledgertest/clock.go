package ledgertest

import (
	"sync/atomic"
	"time"
)

// A Clock stands still until it is moved. It is safe for concurrent use.
type Clock struct {
	micros atomic.Int64 // since 1970
}

// NewClock returns a clock that stands at start.
func NewClock(start time.Time) *Clock {
	c := &Clock{}
	c.micros.Store(start.UnixMicro())
	return c
}

// Now returns its time.
func (c *Clock) Now() time.Time { return time.UnixMicro(c.Micros()).UTC() }

// Micros returns its time in microseconds since 1970.
func (c *Clock) Micros() int64 { return c.micros.Load() }

// Advance moves it on by d, in whole microseconds.
func (c *Clock) Advance(d time.Duration) { c.micros.Add(d.Microseconds()) }

func micros(n int64) time.Duration { return time.Duration(n) * time.Microsecond }
