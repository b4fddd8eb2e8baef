package plugins

import (
	"math"
	"math/bits"
)

// Dollar is a US dollar in nanodollars, the unit of costs.
const Dollar = 1_000_000_000

const (
	// picoToken is what a token costs at one dollar per million, in picodollars:
	// prices are kept to a millionth of a dollar per million tokens.
	picoToken = 1_000_000

	// picoNano is a nanodollar in picodollars.
	picoNano = 1000
)

// Cost returns what a request costs that has used u, in nanodollars, rounded up.
// Of u.Input, Cached and Written have prices of their own. It takes u at its
// word, however that is known: see [Usage.Source].
//
// At 8 dollars per million of either, 1000 tokens of input and 500 of output
// cost 12,000,000 nanodollars, which is 1.2 cents.
func (p Price) Cost(u Usage) int64 {
	if u.Counted {
		return 0
	}
	input := max(u.Input, 0)
	cached := min(max(u.Cached, 0), input)
	written := min(max(u.Written, 0), input-cached)
	var sum pico
	sum.add(input-cached-written, p.Input, picoToken)
	sum.add(cached, either(p.Cached, p.Input), picoToken)
	sum.add(written, either(p.Written, p.Input), picoToken)
	sum.add(max(u.Output, 0), p.Output, picoToken)
	sum.add(picoNano, p.Request, Dollar) // kept to a nanodollar: floats hold no more of thousands of dollars
	return sum.nano()
}

// CostDirect returns what the same would cost at the model's maker, in
// nanodollars, rounded up: see [Price.Direct].
func (p Price) CostDirect(u Usage) int64 {
	if p.Direct == nil {
		return p.Cost(u)
	}
	part := func(price *float64) *float64 {
		if price == nil || p.Input <= 0 {
			return nil
		}
		scaled := min(*price/p.Input*p.Direct.Input, maxPrice)
		return &scaled
	}
	there := Price{
		Input: p.Direct.Input, Output: p.Direct.Output,
		Cached: part(p.Cached), Written: part(p.Written), Request: p.Request,
	}
	return there.Cost(u)
}

// either returns the price that is set, or else the other.
func either(price *float64, other float64) float64 {
	if price == nil {
		return other
	}
	return *price
}

// pico is a sum of picodollars in 128 bits: a thousand million tokens at the
// highest price are 2^70 of them.
type pico struct{ hi, lo uint64 }

// add adds units at so many dollars each, a dollar being so many picodollars.
// What costs anything costs a picodollar at the least.
func (s *pico) add(units int64, dollars, pico float64) {
	if units <= 0 || dollars <= 0 {
		return
	}
	each := uint64(max(math.Round(dollars*pico), 1)) // at most 1e18, by [Prices.Validate]
	hi, lo := bits.Mul64(uint64(units), each)
	var carry uint64
	s.lo, carry = bits.Add64(s.lo, lo, 0)
	s.hi += hi + carry
}

// nano returns the sum in nanodollars, rounded up. What is beyond the largest
// number is that number.
func (s *pico) nano() int64 {
	lo, carry := bits.Add64(s.lo, picoNano-1, 0)
	hi := s.hi + carry
	if hi >= picoNano {
		return math.MaxInt64
	}
	nano, _ := bits.Div64(hi, lo, picoNano)
	return int64(min(nano, math.MaxInt64)) //nolint:gosec // it fits
}
