package failover

import (
	"slices"
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

// seen is a counter that something was asked of, and the limit of the latest
// claim.
type seen struct {
	counter *ledger.Counter
	limit   int64
}

// maxCharges is how many debts are one ticket: all that wait for the store are
// tickets, and a batch of them has to be done in good time.
const maxCharges = 10

// A debt is what this replica has let pass of one counter of one subject and has
// not told the store yet.
//
// Of a budget that is a sum for each slice of the window. Of a rate it is by how
// much the bucket is further from full than it would be without: time gives back
// first what was known to be used when the debt began, for that comes back in
// the store's bucket too, and then the debt. So if the replicas let pass alike
// the store's bucket ends as if it had been asked, and otherwise a little
// emptier, as those of the busier replicas are.
//
// With the 4 replicas of [share], a bucket known to be used by 5 s of 10, and one
// request let pass by each: the buckets of the ranks 0 and 1 are used by
// 6 + 4 = 10 s, the other two by 4 + 4 = 8 s. After 8 s that is 2, 2, 0 and 0 s,
// all of it debt, and the store is told of 2 ÷ 4 + 2 ÷ 4 = 1 s. Had it been
// asked, its bucket would be used by 5 + 4 × 1 - 8 = 1 s.
type debt struct {
	*terms
	known ledger.Bucket // the bucket of this replica's share without the debt
}

// A sum is the debt of a budget in one slice of its window.
type sum struct {
	*terms
	amount int64
}

// owe remembers what was let pass: own is what Memory took for t.
func (l *Ledger) owe(t, own *ledger.Ticket, at time.Time) {
	any := false
	for i, n := range locals(t) {
		c, o := t.Claims[i], own.Claims[n]
		if !c.Taken {
			continue
		}
		any = true
		if c.Counter.Kind == ledger.KindFlight {
			continue
		}
		l.seen[c.Counter.Name] = seen{counter: c.Counter, limit: c.Limit}
		d := l.debts[c.Counter.Name]
		if d == nil {
			d = newDebts()
			l.debts[c.Counter.Name] = d
		}
		d.add(&c, &o, max(l.share.of, 1))
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

// A handover is what was collected at once.
type handover struct {
	counters int    // of how many there were debts
	flights  bool   // whether any ticket was let pass
	round    uint64 // of those tickets
}

// collect queues the debts as charges and forgets them. From then on the tickets
// that are open are the store's.
func (l *Ledger) collect() handover {
	h := handover{flights: l.fresh, round: l.round}
	l.fresh = false
	l.round++
	now := l.store.micros(l.opts.Now())
	var owed []ledger.Claim
	for _, d := range l.debts {
		h.counters += len(d.rates) + len(d.sums)
		for at, s := range d.sums {
			owed = charge(owed, d.counter, at.subject, s.limit, s.amount, at.at)
		}
		rates := make([]ledger.Claim, 0, len(d.rates))
		for subject, debt := range d.rates {
			rates = append(rates, ledger.Claim{Counter: d.counter, Subject: subject, Limit: debt.depth})
		}
		l.mem.Read(rates)
		for i := range rates {
			r := &rates[i]
			debt := d.rates[r.Subject]
			amount := r.Used - debt.known.Used(r.At, debt.depth)
			owed = charge(owed, d.counter, r.Subject, debt.limit, (amount+debt.of-1)/debt.of, now)
		}
	}
	clear(l.debts)
	for some := range slices.Chunk(owed, maxCharges) {
		l.push(&ledger.Ticket{Lease: l.leases.Add(1), Claims: some})
	}
	return h
}

// charge adds a claim that was taken of nothing and came to amount, be there
// room or not.
func charge(to []ledger.Claim, c *ledger.Counter, s ledger.Subject, limit, amount, at int64) []ledger.Claim {
	if amount <= 0 {
		return to
	}
	return append(to, ledger.Claim{
		Counter: c, Subject: s, Limit: limit, Mode: ledger.ModeShared, Taken: true, Actual: amount, At: at,
	})
}

// A clock knows the store's time by the latest beat.
type clock struct {
	store, here time.Time
}

// micros returns the store's time at an instant of ours, in microseconds since
// 1970; ours, as long as the store's is not known.
func (k clock) micros(at time.Time) int64 {
	if k.here.IsZero() {
		return at.UnixMicro()
	}
	return k.store.Add(at.Sub(k.here)).UnixMicro()
}
