package ledger

import (
	"cmp"
	"slices"
	"time"
)

// grace is how long a window of the calendar is remembered after its end, in
// microseconds: a clock that is set back by less finds what was spent in it.
const grace = int64(time.Hour) / int64(time.Microsecond)

// budgets are what was spent of one counter.
type budgets struct {
	spendings generations[*spending]
}

// A spending is what one subject has spent, by slices of the window, the oldest
// first. None of them is 0.
type spending struct {
	slices []slice
}

type slice struct {
	at, amount int64
}

// in returns what was spent in the window that now is in, and the instant at
// which the last of it leaves the window, 0 if nothing was spent.
func (s *spending) in(w Window, now int64) (sum, leaves int64) {
	if s == nil {
		return 0, 0
	}
	for _, p := range s.slices {
		if w.Holds(p.at, now) {
			sum += p.amount
			leaves = w.Leaves(p.at)
		}
	}
	return sum, leaves
}

// wait returns how long until so much of it has left the window.
func (s *spending) wait(w Window, now, excess int64) int64 {
	for _, p := range s.slices {
		if !w.Holds(p.at, now) {
			continue
		}
		if excess -= p.amount; excess <= 0 {
			return w.Leaves(p.at) - now
		}
	}
	return Unknown // cannot be: of nothing spent there is no excess
}

// add spends amount in the slice at, or takes it back, down to nothing.
func (s *spending) add(at, amount int64) {
	i, found := slices.BinarySearchFunc(s.slices, at, func(p slice, at int64) int { return cmp.Compare(p.at, at) })
	if found {
		amount += s.slices[i].amount
	}
	switch {
	case amount > 0 && found:
		s.slices[i].amount = amount
	case amount > 0:
		s.slices = slices.Insert(s.slices, i, slice{at: at, amount: amount})
	case found:
		s.slices = slices.Delete(s.slices, i, i+1)
	}
}

// prune forgets slices that have left the window.
func (s *spending) prune(w Window, now int64) {
	old := 0
	for old < len(s.slices) && remembered(w, s.slices[old].at) <= now {
		old++
	}
	s.slices = slices.Delete(s.slices, 0, old)
}

// remembered is until when what was spent in a slice is kept.
func remembered(w Window, at int64) int64 {
	if w.Calendar == Rolling {
		return w.Leaves(at)
	}
	return w.Leaves(at) + grace
}

func (b *budgets) get(s Subject) *spending {
	p, _ := b.spendings.get(s)
	return p
}

// change adds amount to what was spent in the slice at, unless that is
// forgotten by now.
func (b *budgets) change(c *Claim, now, at, amount int64) {
	w := c.Counter.Window
	b.spendings.turn(now)
	p := b.get(c.Subject)
	if p == nil {
		if amount <= 0 {
			return
		}
		p = &spending{}
	}
	p.add(at, amount)
	p.prune(w, now)
	if len(p.slices) == 0 {
		b.spendings.drop(c.Subject)
		return
	}
	b.spendings.put(c.Subject, p, remembered(w, p.slices[len(p.slices)-1].at))
}

// look fills in how the claim stands.
func (b *budgets) look(c *Claim, now int64) {
	w := c.Counter.Window
	c.At = w.Slice(now)
	p := b.get(c.Subject)
	sum, leaves := p.in(w, now)
	if w.Calendar != Rolling {
		leaves = w.Leaves(c.At)
	}
	c.Used, c.Reset = sum, max(leaves-now, 0)
	switch {
	case c.Cost == 0:
		c.Wait = 0
	case c.Cost > c.Limit:
		c.Wait = Never
	case c.Used+c.Cost <= c.Limit:
		c.Wait = 0
	default:
		c.Wait = p.wait(w, now, c.Used+c.Cost-c.Limit)
	}
}

func (b *budgets) take(c *Claim, now int64) {
	if c.Cost == 0 {
		return
	}
	b.change(c, now, c.At, c.Cost)
	c.Used += c.Cost
	c.Reset = c.Counter.Window.Leaves(c.At) - now
}

func (b *budgets) settle(c *Claim, now int64) {
	if c.Actual != c.Cost {
		b.change(c, now, c.At, c.Actual-c.Cost)
	}
}
