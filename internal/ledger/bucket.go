package ledger

import "math"

// A Bucket is what a store keeps of a rate for one subject.
type Bucket struct {
	Full  int64 // the instant, in microseconds, at which it is full again
	Depth int64 // the time in which it fills, of the claim that wrote it
	Pace  int64 // that of this claim
}

// Used returns for how long, at now, the bucket is from full, by the numbers that
// a claim brings. If they are others than those it was written by, a rule has
// changed, and for a while some replicas may have the old numbers and some the
// new ones:
//
//   - If either the depth or the pace is the same, that time is too: another
//     burst at the same pace finds the same units taken, and another pace that
//     fills the bucket in the same time the same part of it. Nobody gets more
//     than the larger numbers let through, however often both come.
//   - If both are others the bucket stays as full as it was, in parts of what it
//     holds, rounded up: a bucket that was filled in a day is filled in a minute
//     from then on. As long as both come it fills as by the faster of them. A
//     debt does not grow by that beyond a bucket that is quite empty.
//
// Every decision writes a bucket that it finds with another depth as it stands
// by the depth of the claim, even if it takes nothing: from then on the bucket
// fills at the new speed, and the wait that a refusal tells is exact.
//
// Every store does this in 64-bit floating point, in this order, so that all
// round alike.
func (b Bucket) Used(now, depth, pace int64) int64 {
	used := b.Full - now
	switch {
	case used <= 0:
		return 0
	case b.Depth == depth || b.Depth <= 0 || b.Pace == pace && pace > 0:
		return used
	}
	ratio := float64(depth) / float64(b.Depth)
	if most := max(used, depth); math.Ceil(float64(used)*ratio) > float64(most) {
		return most
	}
	return int64(math.Ceil(float64(used) * ratio))
}

// WaitForRate returns how long, in microseconds, a claim waits that asks for
// cost of a bucket with so much used: 0 if there is room, [Never] if the bucket
// never holds so much.
func WaitForRate(used, cost, depth int64) int64 {
	switch {
	case cost == 0:
		return 0
	case cost > depth:
		return Never
	}
	return max(used+cost-depth, 0)
}

// maxCharge is the most, in microseconds, that one settlement charges beyond
// what was reserved: no [Rate.Cost] but [Never] is more.
const maxCharge = 2 * maxDepth

// Charge returns by how much the settlement of a rate changes what is used of
// its bucket. The request was charged cost at the instant at, and came to
// actual.
//
// What it used beyond is charged now, be there room or not: it becomes debt.
// What it did not use is given back, less what time has given back already: of
// the cost, at most now-at has come back since, whether other requests were
// before it or not, so no more than the rest of it is refunded. A bucket is so
// never fuller than one that was charged with actual alone at the instant at.
func Charge(cost, actual, at, now int64) int64 {
	if actual >= cost {
		return min(actual-cost, maxCharge)
	}
	elapsed := max(now-at, 0)
	return -max(min(cost-actual, cost-elapsed), 0)
}
