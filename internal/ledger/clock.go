package ledger

import "time"

// A clock tells a [Memory] the time, twice over.
//
// Rates and rolling windows go by steady: the first reading and what has
// elapsed since by the monotonic clock, where the readings carry one. Whoever
// sets the clock of the machine so moves no bucket. It never goes back: who has
// waited for a lock since the reading is decided on at the latest.
//
// Windows of the calendar go by the wall clock as it is set: they end when the
// operator's day ends, also after the machine has slept.
type clock struct {
	now   func() time.Time
	start time.Time
	last  int64 // the latest steady instant that anybody came with
}

// An instant is one reading, in microseconds since 1970.
type instant struct {
	steady, wall int64
}

// of returns the one by which the window counts.
func (i instant) of(w Window) int64 {
	if w.Calendar == Rolling {
		return i.steady
	}
	return i.wall
}

// read asks for the time, before the memory is locked.
func (c *clock) read() instant {
	now := c.now()
	return instant{
		steady: c.start.UnixMicro() + now.Sub(c.start).Microseconds(),
		wall:   now.UnixMicro(),
	}
}

// tick returns the instant that a reading counts as. The memory is locked.
func (c *clock) tick(read instant) instant {
	c.last = max(c.last, read.steady)
	read.steady = c.last
	return read
}
