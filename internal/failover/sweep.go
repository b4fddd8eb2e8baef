package failover

import (
	"fmt"
	"time"

	"github.com/holysheep/relay/internal/ledger"
)

const (
	// maxCharges is how many debts are charged in one step of the store.
	maxCharges = 10

	// fewDebts are so few that they are not looked through before the handover.
	fewDebts = 1000

	// sweepPause is the least time between two looks through all that there may
	// be.
	sweepPause = time.Second
)

// maxDebts is the most debts that are remembered.
func (o Options) maxDebts() int { return 4 * o.Backlog }

// open makes a debt. In a long outage many are those of subjects that never
// come again, such as the values of a header, so from time to time those are
// forgotten that time has given back. It returns nil if there are too many still:
// then the store is never told of this one.
func (l *Ledger) open(k key, now time.Time) *debt {
	n, most := len(l.debts), l.opts.maxDebts()
	if n >= min(max(l.sweepAt, fewDebts), most) && (n < most || now.Sub(l.swept) >= sweepPause) {
		l.sweep(now)
	}
	if len(l.debts) >= most {
		l.drop(1, fmt.Errorf("more than %d counters have debts", most))
		return nil
	}
	d := &debt{}
	l.debts[k] = d
	return d
}

// sweep forgets the debts that the store would not be told of, or would not
// count any more. It is due again when there are twice as many as it leaves.
func (l *Ledger) sweep(now time.Time) {
	for d, owed := range l.owed() {
		if owed <= 0 {
			delete(l.debts, keyOf(&d.claim))
		}
	}
	micros := l.store.micros(now)
	for k, d := range l.debts {
		for at, amount := range d.spent {
			if amount <= 0 || d.claim.Counter.Window.Leaves(at) <= micros {
				delete(d.spent, at)
			}
		}
		if d.claim.Counter.Kind == ledger.KindBudget && len(d.spent) == 0 {
			delete(l.debts, k)
		}
	}
	l.sweepAt, l.swept = 2*len(l.debts), now
}

// reopen makes a debt again that was forgotten, for a ticket that comes to more
// than it was let pass with: own is that of this replica's share.
func (l *Ledger) reopen(c, own *ledger.Claim, of int64) {
	if c.Counter.Kind != ledger.KindRate || c.Actual <= c.Cost || l.debts[keyOf(c)] != nil {
		return
	}
	d := l.open(keyOf(c), l.opts.Now())
	if d == nil {
		return
	}
	now := []ledger.Claim{{Counter: c.Counter, Subject: c.Subject, Limit: own.Limit}}
	l.mem.Read(now)
	d.claim, d.depth, d.of = *c, own.Limit, of
	d.known = ledger.Bucket{Full: now[0].At + now[0].Used, Depth: own.Limit}
}
