// Package gcra limits rates by the generic cell rate algorithm: a bucket that
// holds a burst and gets one request back per interval, kept as one number, the
// instant at which it will be full again (the "theoretical arrival time").
// All arithmetic is in whole microseconds, so that every store decides alike.
//
// It does not wait, refuse or count requests in flight: it says how long until
// there is room.
package gcra

import (
	"errors"
	"fmt"
	"math"
	"time"
)

// Never is the wait of a claim for more than its bucket holds: no wait cures
// that.
const Never time.Duration = math.MaxInt64

// maxDepth bounds how long a bucket may take to fill, in microseconds, far from
// where the arithmetic would overflow.
const maxDepth = int64(366*24*time.Hour) / int64(time.Microsecond)

// coarse is the interval, in microseconds, from which on rounding it up to the
// next microsecond costs less than 1 % of the rate.
const coarse = 100

// A Rate lets a burst through at once and one more request per interval.
// Make one with [NewRate]; the zero Rate is of no use.
type Rate struct {
	interval int64 // microseconds in which the bucket gets one request back
	burst    int64 // requests that the full bucket holds
}

// NewRate returns the rate of n requests per period with a bucket that holds
// burst. The interval period/n is rounded up to the microsecond, so that never
// more than n are let through per period; a rate that would lose more than 1 %
// by that is an error, as is a bucket that takes longer than 366 days to fill.
func NewRate(n int64, period time.Duration, burst int64) (Rate, error) {
	micros := period.Microseconds()
	switch {
	case n < 1:
		return Rate{}, fmt.Errorf("%d requests are less than 1", n)
	case burst < 1:
		return Rate{}, fmt.Errorf("a burst of %d is less than 1", burst)
	case micros < 1:
		return Rate{}, fmt.Errorf("a period of %s is less than 1µs", period)
	case micros/n < coarse && micros%n != 0:
		return Rate{}, fmt.Errorf("%d requests in %s cannot be kept to the microsecond: take at most %d",
			n, period, max(micros/coarse, 1))
	}
	r := Rate{interval: (micros + n - 1) / n, burst: burst}
	if burst > maxDepth/r.interval {
		return Rate{}, errors.New("the bucket would take longer than 366 days to fill")
	}
	return r, nil
}

// Burst returns how many requests the full bucket holds.
func (r Rate) Burst() int64 { return r.burst }

// Interval returns the time in which the bucket gets one request back.
func (r Rate) Interval() time.Duration { return duration(r.interval) }

// A State is how a bucket stands after a decision. After a refusal it is the
// bucket from which nothing was taken.
type State struct {
	Remaining int64         // requests that could be taken now
	Reset     time.Duration // until the bucket is full
	Wait      time.Duration // until the claim could be granted, alone; 0 if it could now
}

// depth is the time in which the empty bucket becomes full, in microseconds.
func (r Rate) depth() int64 { return r.interval * r.burst }

// wait tells how long to wait for n requests from a bucket that is full at the
// instant full, which is not before now.
func (r Rate) wait(full, now, n int64) time.Duration {
	if n > r.burst {
		return Never
	}
	return duration(max(full+n*r.interval-r.depth()-now, 0))
}

// state describes such a bucket.
func (r Rate) state(full, now int64, wait time.Duration) State {
	return State{
		Remaining: (r.depth() - (full - now)) / r.interval,
		Reset:     duration(full - now),
		Wait:      wait,
	}
}

func duration(micros int64) time.Duration { return time.Duration(micros) * time.Microsecond }
