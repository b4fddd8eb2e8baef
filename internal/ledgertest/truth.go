package ledgertest

import (
	"testing"

	"pgregory.net/rapid"

	"github.com/holysheep/relay/internal/ledger"
)

// A used is one request that was let through, and what it really used.
type used struct {
	at, cost, actual int64
}

// under is by how much it was underestimated.
func (u used) under() int64 { return max(u.actual-u.cost, 0) }

// truth counts in what requests really used, after everything was settled:
// in any window of time that is no more than the limit lets through, and what
// was underestimated in it.
func (s suite) truth(t *testing.T) {
	t.Run("rates", func(t *testing.T) {
		const depth = 1_000_000
		c := ledger.Claim{Counter: &ledger.Counter{Name: "each.tokens", Kind: ledger.KindRate}, Limit: depth}
		rapid.Check(t, func(rt *rapid.T) {
			inAnyWindow(rt, s.history(t, rt, c), func(w int64) int64 { return depth + w })
		})
	})
	t.Run("rates let through what they may", s.greedy)
	t.Run("rolling budgets", func(t *testing.T) {
		const length, limit = 10_000_000, 1_000_000
		window := ledger.Window{Length: micros(length)}
		c := ledger.Claim{Counter: &ledger.Counter{Name: "each.budget", Kind: ledger.KindBudget, Window: window}, Limit: limit}
		rapid.Check(t, func(rt *rapid.T) {
			inAnyWindow(rt, s.history(t, rt, c), func(w int64) int64 { return limit * (1 + w/length) })
		})
	})
	t.Run("budgets of a day", func(t *testing.T) {
		const limit = 1_000_000
		window := ledger.Window{Calendar: ledger.Day}
		c := ledger.Claim{Counter: &ledger.Counter{Name: "each.budget", Kind: ledger.KindBudget, Window: window}, Limit: limit}
		rapid.Check(t, func(rt *rapid.T) {
			days, under := map[int64]int64{}, map[int64]int64{}
			for _, u := range s.history(t, rt, c) {
				day := sliceOf(window, u.at)
				days[day] += u.actual
				under[day] += u.under()
				if days[day] > limit+under[day] {
					rt.Fatalf("%d on one day, of %d and %d underestimated", days[day], limit, under[day])
				}
			}
		})
	})
}

// inAnyWindow holds every window, from one request to another, to the most that
// may be let through in it.
func inAnyWindow(rt *rapid.T, all []used, most func(w int64) int64) {
	for i, from := range all {
		var sum, under int64
		for _, u := range all[i:] {
			sum, under = sum+u.actual, under+u.under()
			if w := u.at - from.at; sum > most(w)+under {
				rt.Fatalf("%d in %dµs, at most %d and the %d underestimated are allowed", sum, w, most(w), under)
			}
		}
	}
}

// history draws requests that take of one claim and settle at some time, and
// returns those that were let through.
func (s suite) history(t *testing.T, rt *rapid.T, c ledger.Claim) (all []used) {
	t.Helper()
	b := s.bench(t, noon())
	type pending struct {
		ticket *ledger.Ticket
		index  int
	}
	var open []pending
	settle := func(i int) {
		b.settle(open[i].ticket, all[open[i].index].actual)
		open = append(open[:i], open[i+1:]...)
	}
	for range rapid.IntRange(30, 150).Draw(rt, "steps") {
		b.clock.Advance(micros(rapid.OneOf(rapid.Just(int64(0)), rapid.Int64Range(0, 400_000)).Draw(rt, "pause")))
		if len(open) > 0 && rapid.Bool().Draw(rt, "settle") {
			settle(rapid.IntRange(0, len(open)-1).Draw(rt, "ticket"))
			continue
		}
		c.Cost = rapid.Int64Range(0, c.Limit).Draw(rt, "cost")
		ticket, taken := b.take(c)
		if !taken {
			continue
		}
		u := used{at: b.clock.Micros(), cost: c.Cost, actual: rapid.Int64Range(0, c.Limit*3/2).Draw(rt, "actual")}
		open = append(open, pending{ticket, len(all)})
		all = append(all, u)
	}
	for len(open) > 0 {
		settle(0)
	}
	return all
}

// greedy asks at random instants, and just when it was told to come again: no
// less than 99 % of what may pass does.
func (s suite) greedy(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		b, burst := s.bench(t, noon()), rapid.Int64Range(1, 10).Draw(rt, "burst")
		c := perSecond(1, burst)
		var all []used
		for range 100 {
			if ticket, taken := b.take(c); !taken {
				b.clock.Advance(micros(ticket.Claims[0].Wait))
				continue
			}
			all = append(all, used{at: b.clock.Micros(), cost: c.Cost, actual: c.Cost})
			b.clock.Advance(micros(rapid.Int64Range(0, c.Unit/2).Draw(rt, "pause")))
		}
		inAnyWindow(rt, all, func(w int64) int64 { return c.Limit + w })
		if least := (b.clock.Micros() - noon().UnixMicro()) / c.Unit * 99 / 100; int64(len(all)) < least {
			rt.Errorf("%d passed, want at least %d", len(all), least)
		}
	})
}
