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

// roomFor returns whether one more debt may be remembered. In a long outage many
// are those of subjects that never come again, such as the values of a header, so
// from time to time those are forgotten that time has given back. If there are
// too many still, the store is never told of this one.
func (l *Ledger) roomFor(now time.Time) bool {
	n, most := l.debts.n, l.opts.maxDebts()
	if n >= min(max(l.sweepAt, fewDebts), most) && (n < most || now.Sub(l.swept) >= sweepPause) {
		l.sweep(now)
	}
	if l.debts.n < most {
		return true
	}
	l.drop(1, fmt.Errorf("more than %d counters have debts", most))
	return false
}

// sweep forgets the debts that the store would not be told of, or would not
// count any more. It is due again when there are twice as many as it leaves.
func (l *Ledger) sweep(now time.Time) {
	micros := l.store.micros(now)
	for _, d := range l.debts.counters {
		for c, owed := range d.owed(l.mem) {
			if owed <= 0 {
				l.debts.drop(c)
			}
		}
		counts := func(p *sumDebt) bool { return d.counter.Window.Leaves(p.at) > micros }
		for subject, s := range d.sums {
			l.debts.setSum(&ledger.Claim{Counter: d.counter, Subject: subject}, s.keep(counts), d.of)
		}
	}
	l.sweepAt, l.swept = 2*l.debts.n, now
}

// reopen makes a debt again that was forgotten, or never begun, for a ticket that
// comes to more than it was let pass with: own is that of this replica's share.
func (l *Ledger) reopen(c, own *ledger.Claim, of int64) {
	if c.Actual <= c.Cost {
		return
	}
	if _, found := l.debts.rate(c); found || !l.roomFor(l.opts.Now()) {
		return
	}
	now := []ledger.Claim{{Counter: c.Counter, Subject: c.Subject, Limit: own.Limit}}
	l.mem.Read(now)
	l.debts.setRate(c, rateDebt{
		full: now[0].At + now[0].Used, was: own.Limit,
		limit: c.Limit, depth: own.Limit, of: of,
	})
}
