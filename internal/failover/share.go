package failover

import (
	"math"
	"math/bits"

	"github.com/holysheep/relay/internal/ledger"
)

// A share is the part of each limit that this replica gives out by itself: that
// of rank among the replicas, from 0. The zero share is nothing.
//
// Of n whole units, each of k replicas gets ⌊n/k⌋, and those of the lowest ranks
// one more until none is left: of 10 among 4, 3, 3, 2 and 2. So n units are n in
// sum, and who has no unit refuses. Who is unranked gets ⌊n/k⌋.
//
// # Worked example
//
// A rule lets 60 requests pass in a minute, with a burst of 10: a request costs
// a second, the bucket is 10 s deep, and 4 replicas live. The replica of rank 0
// has 3 of the 10, and a quarter of the rate. A request costs its own bucket
// 4 s, and that is 3 × 4 s = 12 s deep: when it is empty, it holds one request
// again after 4 s, and is full after 12 s. The ranks 2 and 3 have 2 of the 10:
// buckets that are 8 s deep. All four together hold 10 requests, and get back
// one a second.
//
// What is known of the counter is carried over in parts of what it holds: if the
// store's bucket was used by 5 s of 10, the one of rank 0 begins with 6 s of 12
// used, that of rank 2 with 4 s of 8, and so there are 5 requests left in sum
// (1.5 + 1.5 + 1 + 1; halves come later). Rates of what can be divided, such as
// tokens, cost 4 times as much too, and the depth stays: a quarter for each.
//
// Of a budget, what costs c counts as 4 × c upon what was known to be spent. If
// 20 of 50 dollars are, each replica spends 7.50 until it is full, and all four
// 30. What is left over of a nanodollar nobody spends.
//
// Requests in flight: a limit of 10 is 3, 3, 2 and 2, and each replica counts
// its own, those included that the store had let through.
type share struct {
	of, rank int64
}

// unranked is the rank of a replica that does not know its own.
const unranked = math.MaxInt64

// whole returns how many of n units are this replica's.
func (s share) whole(n int64) int64 {
	if s.of == 0 {
		return 0
	}
	if part := n / s.of; s.rank >= n%s.of {
		return part
	}
	return n/s.of + 1
}

// scaled returns the claim by which this replica decides on c alone. Its Memory
// keeps the counters by such claims during an outage.
func (s share) scaled(c ledger.Claim) ledger.Claim {
	if free(&c) {
		return c // it changes nothing, not even how the bucket fills
	}
	switch {
	case s.of == 0:
		c.Limit = 0
	case c.Counter.Kind == ledger.KindFlight:
		c.Limit = s.whole(c.Limit)
	case c.Counter.Kind == ledger.KindRate && c.Unit > 0:
		c.Limit = times(s.whole(c.Limit/c.Unit)*c.Unit, s.of)
		c.Cost, c.Pace = times(c.Cost, s.of), times(c.Pace, s.of)
	default:
		c.Cost, c.Pace = times(c.Cost, s.of), times(c.Pace, s.of)
	}
	return c
}

// tell fills in c by what was decided on own, which is c scaled. Used is such
// that what is left of c's Limit is what this replica still gives out. A claim
// of which this replica's share is nothing at all is closed, and not full.
func (s share) tell(c *ledger.Claim, own ledger.Claim) {
	left := max(own.Limit-own.Used, 0)
	if c.Counter.Kind != ledger.KindFlight {
		left /= max(s.of, 1)
	}
	if s.of == 0 {
		left = 0
	}
	c.Mode, c.Taken, c.At = ledger.ModeLocal, own.Taken, own.At
	c.Used, c.Wait, c.Reset = max(c.Limit-left, 0), own.Wait, own.Reset
	if c.Wait == ledger.Never && c.Cost <= c.Limit {
		c.Wait = ledger.Unknown // it is too much for the share only
	}
	if own.Limit == 0 && c.Limit > 0 && !free(c) {
		c.Mode, c.Wait = ledger.ModeClosed, ledger.Unknown // no wait makes a share of nothing
	}
}

// free returns whether the claim always has room.
func free(c *ledger.Claim) bool { return c.Cost == 0 && c.Counter.Kind != ledger.KindFlight }

// times is n × k, or the most there is.
func times(n, k int64) int64 {
	hi, lo := bits.Mul64(uint64(n), uint64(k)) //nolint:gosec // neither is negative
	if hi > 0 || lo > math.MaxInt64 {
		return math.MaxInt64
	}
	return int64(lo) //nolint:gosec // as above
}
