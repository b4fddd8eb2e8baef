package failover

import (
	"slices"
	"time"

	"github.com/holysheep/relay/internal/ledger"
)

// owe remembers what was let pass: own is what Memory took for t.
func (l *Ledger) owe(t, own *ledger.Ticket, at time.Time) {
	any := false
	of := max(l.share.of, 1)
	for i, n := range locals(t) {
		c, o := &t.Claims[i], &own.Claims[n]
		if !c.Taken {
			continue
		}
		any = true
		if c.Counter.Kind == ledger.KindFlight {
			continue
		}
		l.seen[c.Counter.Name] = seen{counter: c.Counter, limit: c.Limit}
		if c.Counter.Kind == ledger.KindBudget {
			l.spend(c, c.Cost, of, at)
		} else {
			l.charge(c, o, of, at)
		}
	}
	if !any {
		return
	}
	l.fresh = true
	l.held[t.Lease] = hold{ticket: t, own: own, share: l.share, at: at, round: l.round}
	if l.up.Load() {
		l.nudge()
	}
}

// charge notes that a rate was let pass, of which own is what Memory took. What
// costs nothing begins no debt: if it comes to more, that is reopened.
func (l *Ledger) charge(c, own *ledger.Claim, of int64, at time.Time) {
	r, found := l.debts.rate(c)
	switch {
	case !found && (c.Cost == 0 || !l.roomFor(at)):
		return
	case !found:
		r = rateDebt{full: own.At + own.Used - own.Cost, was: own.Limit, of: of}
	case c.Cost > 0:
		r.of = min(r.of, of)
	}
	r.limit, r.depth = c.Limit, own.Limit
	l.debts.setRate(c, r)
}

// spend notes by how much more was spent of a budget in the slice of a claim,
// or less, down to nothing.
func (l *Ledger) spend(c *ledger.Claim, by, of int64, at time.Time) {
	s, _ := l.debts.sum(c)
	for p := range s.slices {
		if p.at == c.At {
			p.amount += by
			l.debts.setSum(c, s.keep(func(p *sumDebt) bool { return p.amount > 0 }), of)
			return
		}
	}
	if by <= 0 || s == nil && !l.roomFor(at) {
		return
	}
	l.debts.setSum(c, &sumDebt{at: c.At, amount: by, older: s}, of)
}

// A handover is what was collected at once.
type handover struct {
	counters int    // of how many there were debts
	flights  bool   // whether any ticket was let pass
	round    uint64 // of those tickets
}

// collect queues the debts as charges and forgets them. From then on the tickets
// that are open are the store's.
func (l *Ledger) collect() handover {
	h := handover{counters: l.debts.n, flights: l.fresh, round: l.round}
	l.fresh = false
	l.round++
	if h.counters == 0 {
		return h
	}
	var charges []ledger.Claim
	charge := func(c ledger.Claim, amount, at int64) {
		if amount > 0 { // be there room or not
			c.Mode, c.Taken, c.Actual, c.At = ledger.ModeShared, true, amount, at
			charges = append(charges, c)
		}
	}
	now := l.store.micros(l.opts.Now())
	for name, d := range l.debts.counters {
		for subject, s := range d.sums {
			for p := range s.slices {
				charge(ledger.Claim{Counter: d.counter, Subject: subject, Limit: l.seen[name].limit}, p.amount, p.at)
			}
		}
		for c, owed := range d.owed(l.mem) {
			r := d.rates[c.Subject]
			charge(ledger.Claim{Counter: d.counter, Subject: c.Subject, Limit: r.limit}, (owed+r.of-1)/r.of, now)
		}
	}
	for some := range slices.Chunk(charges, maxCharges) {
		l.push(&ledger.Ticket{Lease: l.leases.Add(1), Claims: some})
	}
	l.debts = book{}
	l.sweepAt = 0
	return h
}
