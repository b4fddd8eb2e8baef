package redisledger

import (
	"fmt"
	"time"

	"github.com/holysheep/relay/internal/ledger"
)

// The most that the scripts are told, so that sums within a limit stay below 2^53,
// where a double is exact. More than that is the same: it is more than any limit.
const (
	// maxMicros is twice the longest that a bucket takes to fill, and what
	// [ledger.Charge] charges at most.
	maxMicros = int64(2 * 366 * 24 * time.Hour / time.Microsecond)

	// maxNano is 9 million dollars. A sum above it is rounded to 2 nanodollars,
	// and is more than any limit all the same.
	maxNano = 1 << 53
)

// The waits that are no time, as the scripts say them.
const (
	never   = -1
	unknown = -2
)

// numbersOfClaim is how many numbers take.lua answers for each claim.
const numbersOfClaim = 5

// describe adds what the scripts must know of a claim: kind, limit, width and
// length; of a rate its pace in place of the width.
func (c *call) describe(claim *ledger.Claim) {
	w := claim.Counter.Window
	c.add(kind(claim.Counter))
	c.addNumber(bound(claim, claim.Limit))
	if claim.Counter.Kind == ledger.KindRate {
		c.addNumber(claim.Pace)
	} else {
		c.addNumber(w.Width())
	}
	c.addNumber(w.Length.Microseconds())
}

// kind returns the kind of a counter, as an argument: constants need no memory.
func kind(c *ledger.Counter) any {
	switch c.Kind {
	case ledger.KindRate:
		return "rate"
	case ledger.KindFlight:
		return "flight"
	case ledger.KindBudget:
		return [...]any{"rolling", "day", "month"}[c.Window.Calendar]
	}
	panic(fmt.Sprintf("counter %s is of no kind", c.Name))
}

// bound returns n, of the unit of a claim, within what the scripts can count.
func bound(c *ledger.Claim, n int64) int64 {
	if c.Counter.Kind == ledger.KindRate {
		return min(n, maxMicros)
	}
	return min(n, maxNano)
}

// actual returns what a claim came to, within what [ledger.Charge] charges.
func actual(c *ledger.Claim) int64 {
	if c.Counter.Kind == ledger.KindRate {
		return min(c.Actual, bound(c, c.Cost)+maxMicros)
	}
	return bound(c, c.Actual)
}

// fill takes the answer of take.lua into a claim.
func fill(c *ledger.Claim, n [numbersOfClaim]int64) {
	c.Mode = ledger.ModeShared
	c.Taken, c.Used, c.Wait, c.Reset, c.At = n[0] == 1, n[1], n[2], n[3], n[4]
	switch c.Wait {
	case never:
		c.Wait = ledger.Never
	case unknown:
		c.Wait = ledger.Unknown
	}
}
