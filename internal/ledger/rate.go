package ledger

import (
	"errors"
	"fmt"
	"math"
	"math/bits"
	"time"
)

// maxDepth bounds how long a bucket may take to fill, in microseconds, far from
// where the arithmetic of any store (2^53 in Lua) would become inexact.
const maxDepth = int64(366*24*time.Hour) / int64(time.Microsecond)

// coarse is the interval, in microseconds, from which on rounding it up to the
// next microsecond costs less than 1 % of the rate.
const coarse = 100

// A Rate turns units, such as requests or tokens, into the time in which a
// bucket gets them back: n per period.
type Rate struct {
	n, period int64 // units, microseconds
	whole     bool  // each unit is rounded up by itself
}

// NewRate returns the rate of n units per period whose claims are of many units
// at once, as tokens: what a claim costs is rounded up to the microsecond as a
// whole, so that never more passes than n per period. depth is the cost of the
// bucket that holds burst.
func NewRate(n int64, period time.Duration, burst int64) (r Rate, depth int64, err error) {
	r = Rate{n: n, period: period.Microseconds()}
	switch {
	case n < 1:
		return r, 0, fmt.Errorf("%d is less than 1", n)
	case burst < 1:
		return r, 0, fmt.Errorf("a burst of %d is less than 1", burst)
	case r.period < 1:
		return r, 0, fmt.Errorf("a period of %s is less than 1µs", period)
	}
	if depth = r.Cost(burst); depth > maxDepth {
		return r, 0, errors.New("the bucket would take longer than 366 days to fill")
	}
	return r, depth, nil
}

// NewWholeRate is [NewRate] for claims of single units, as requests: the
// interval period/n is rounded up to the microsecond, and the depth is a whole
// number of intervals, so that a burst of single units fits exactly. A rate
// that would lose more than 1 % by that is an error.
func NewWholeRate(n int64, period time.Duration, burst int64) (r Rate, depth int64, err error) {
	if r, _, err = NewRate(n, period, burst); err != nil {
		return r, 0, err
	}
	if r.period/n < coarse && r.period%n != 0 {
		return r, 0, fmt.Errorf("%d in %s cannot be kept to the microsecond: take at most %d", n, period, max(r.period/coarse, 1))
	}
	r.whole = true
	if burst > maxDepth/r.Unit() {
		return r, 0, errors.New("the bucket would take longer than 366 days to fill")
	}
	return r, r.Cost(burst), nil
}

// Unit returns the cost of one whole unit, 0 if the rate has none.
func (r Rate) Unit() int64 {
	if !r.whole {
		return 0
	}
	return (r.period + r.n - 1) / r.n
}

// Pace returns in how many nanoseconds the bucket gets one unit back, rounded
// down: it tells rates apart, and is not reckoned with.
func (r Rate) Pace() int64 {
	if r.whole {
		return r.Unit() * 1000
	}
	hi, lo := bits.Mul64(uint64(r.period), 1000) //nolint:gosec // not negative
	if hi >= uint64(r.n) {                       //nolint:gosec // as above
		return 0
	}
	q, _ := bits.Div64(hi, lo, uint64(r.n)) //nolint:gosec // as above
	return int64(min(q, uint64(Never)))     //nolint:gosec // as above
}

// Cost returns the time, in microseconds, in which a bucket gets units back,
// rounded up; [Never] if that is more than any bucket holds.
func (r Rate) Cost(units int64) int64 {
	period, n := r.period, r.n
	if r.whole {
		period, n = r.Unit(), 1
	}
	hi, lo := bits.Mul64(uint64(units), uint64(period)) //nolint:gosec // neither is negative
	lo, carry := bits.Add64(lo, uint64(n)-1, 0)         //nolint:gosec // as above
	if hi += carry; hi >= uint64(n) {                   //nolint:gosec // as above
		return Never
	}
	if q, _ := bits.Div64(hi, lo, uint64(n)); q <= uint64(maxCharge) { //nolint:gosec // as above
		return int64(q) //nolint:gosec // as above
	}
	return Never
}

// Units returns how many units micros are the cost of, rounded down; [Never] if
// that is more than can be counted.
func (r Rate) Units(micros int64) int64 {
	if micros <= 0 {
		return 0
	}
	if r.whole {
		return micros / r.Unit()
	}
	hi, lo := bits.Mul64(uint64(micros), uint64(r.n)) //nolint:gosec // neither is negative
	if hi >= uint64(r.period) {                       //nolint:gosec // as above
		return Never
	}
	q, _ := bits.Div64(hi, lo, uint64(r.period)) //nolint:gosec // as above
	return int64(min(q, math.MaxInt64))          //nolint:gosec // as above
}
