package limit

import (
	"time"

	"github.com/holysheep/relay/internal/ledger"
)

// A kind is what a limit counts.
type kind uint8

// The kinds of limits, in the order in which a rule names them.
const (
	kindRequests kind = iota
	kindTokens
	kindInput
	kindOutput
	kindFlight
	kindBudget
	kinds // how many there are
)

// String returns the kind as the settings spell it.
func (k kind) String() string {
	return [...]string{"requests", "tokens", "input_tokens", "output_tokens", "in_flight", "budget"}[k]
}

// counts reports whether the limit counts tokens.
func (k kind) counts() bool { return k == kindTokens || k == kindInput || k == kindOutput }

// settles reports whether the limit is settled by what the answer has used.
func (k kind) settles() bool { return k.counts() || k == kindBudget }

// A size is what one limit lets through, of the rule itself or of an override
// of it. The zero size is no limit.
type size struct {
	n      int64 // units in the period, in flight, or nanodollars in the window
	period time.Duration
	burst  int64 // units at once
	rate   ledger.Rate
	limit  int64 // as a claim has it
	unit   int64 // as a claim has it
	pace   int64 // as a claim has it
}

// sizes are those of one rule, by kind.
type sizes [kinds]size

// newSizes returns the sizes of a rule, without its overrides.
func newSizes(r Rule) (s sizes, err error) {
	if r.Requests > 0 {
		one := size{n: r.Requests, period: orMinute(r.Period), burst: orAll(r.Burst, r.Requests)}
		if one.rate, one.limit, err = ledger.NewWholeRate(one.n, one.period, one.burst); err != nil {
			return s, err
		}
		one.unit, one.pace = one.rate.Unit(), one.rate.Pace()
		s[kindRequests] = one
	}
	for k, t := range map[kind]Tokens{kindTokens: r.Tokens, kindInput: r.InputTokens, kindOutput: r.OutputTokens} {
		if t.Limit == 0 {
			continue
		}
		one := size{n: t.Limit, period: orMinute(t.Period), burst: orAll(t.Burst, t.Limit)}
		if one.rate, one.limit, err = ledger.NewRate(one.n, one.period, one.burst); err != nil {
			return s, err
		}
		one.pace = one.rate.Pace()
		s[k] = one
	}
	s[kindFlight] = size{n: r.InFlight, burst: r.InFlight, limit: r.InFlight}
	money := nano(r.Budget.USD)
	s[kindBudget] = size{n: money, burst: money, limit: money}
	return s, nil
}

// cost returns what so many units of the kind cost, as a claim has it.
func (s *size) cost(k kind, units int64) int64 {
	if k == kindFlight || k == kindBudget {
		return units
	}
	return s.rate.Cost(units)
}

// left returns how many units are left of the limit when so much, as a claim
// has it, is used.
func (s *size) left(k kind, used int64) int64 {
	rest := max(s.limit-used, 0)
	if k == kindFlight || k == kindBudget {
		return rest
	}
	return min(s.rate.Units(rest), s.burst) // a burst may be no whole number of microseconds
}
