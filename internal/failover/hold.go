package failover

import (
	"time"

	"github.com/holysheep/relay/internal/ledger"
)

// A key is one counter of one subject. Counters of two generations are the same
// if their names are.
type key struct {
	counter string
	subject ledger.Subject
}

func keyOf(c *ledger.Claim) key { return key{counter: c.Counter.Name, subject: c.Subject} }

// A hold is a ticket that has to be renewed at the store, or that this replica
// has decided on by itself.
type hold struct {
	ticket *ledger.Ticket

	// own is what Memory has taken for it, scaled to share. It is nil if the
	// store has taken it.
	own   *ledger.Ticket
	share share
	at    time.Time // when

	// round is that of its debts. Once the ledger is in a later one, the store
	// has been told of them, or will be before it gets what comes later.
	round uint64
}

// Settle implements [ledger.Ledger]. The flights are free in this replica at
// once, and at the store as soon as the goroutine gets to it.
func (l *Ledger) Settle(t *ledger.Ticket) {
	l.mu.Lock()
	defer l.mu.Unlock()
	h, known := l.held[t.Lease]
	delete(l.held, t.Lease)
	switch {
	case !known: // the store took it, and there are no flights
	case h.own == nil:
		l.mem.Settle(t) // its flights: the rest is the store's
	case h.round == l.round:
		l.settleOwn(t, h)
		return
	default:
		l.settleLate(t, h)
	}
	l.push(t)
}

// settleOwn settles a ticket of which the store knows nothing, and will know
// what it came to.
func (l *Ledger) settleOwn(t *ledger.Ticket, h hold) {
	for i, n := range locals(t) {
		c, own := &t.Claims[i], &h.own.Claims[n]
		if !c.Taken {
			continue
		}
		of := max(h.share.of, 1)
		own.Actual = times(c.Actual, of)
		switch c.Counter.Kind {
		case ledger.KindRate:
			l.reopen(c, own, of)
		case ledger.KindBudget:
			l.spend(c, c.Actual-c.Cost, of, l.opts.Now())
		}
	}
	l.mem.Settle(h.own)
}

// settleLate makes a ticket that this replica has decided on by itself one that
// the store can settle, which was told what it cost: as if the store had taken
// it then.
func (l *Ledger) settleLate(t *ledger.Ticket, h hold) {
	for _, n := range locals(t) {
		if own := &h.own.Claims[n]; own.Counter.Kind != ledger.KindFlight {
			own.Taken = false // Memory is told by the store, which gets to know it
		}
	}
	l.mem.Settle(h.own)
	for i := range t.Claims {
		if c := &t.Claims[i]; c.Counter.Kind == ledger.KindRate {
			c.At = l.store.micros(h.at)
		}
	}
}

// flights collects what the tickets hold for which keep is true.
func (l *Ledger) flights(keep func(hold) bool) []ledger.Held {
	l.mu.Lock()
	defer l.mu.Unlock()
	index := map[key]int{}
	var all []ledger.Held
	for lease, h := range l.held {
		if !keep(h) {
			continue
		}
		for i := range h.ticket.Claims {
			c := &h.ticket.Claims[i]
			if !c.Taken || c.Counter.Kind != ledger.KindFlight {
				continue
			}
			n, found := index[keyOf(c)]
			if !found {
				n = len(all)
				index[keyOf(c)] = n
				all = append(all, ledger.Held{Counter: c.Counter, Subject: c.Subject})
			}
			all[n].Leases = append(all[n].Leases, lease)
		}
	}
	return all
}
