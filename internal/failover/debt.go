package failover

import (
	"iter"
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
	claim ledger.Claim  // the latest, as it was asked
	depth int64         // of the bucket of this replica's share
	of    int64         // among how many replicas
	known ledger.Bucket // the bucket of this replica's share without the debt
	spent map[int64]int64
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
		d := l.debts[keyOf(&c)]
		if d == nil {
			if d = l.open(keyOf(&c), at); d == nil {
				continue
			}
			d.known = ledger.Bucket{Full: o.At + o.Used - o.Cost, Depth: o.Limit}
		}
		d.claim, d.depth, d.of = c, o.Limit, max(l.share.of, 1)
		if c.Counter.Kind == ledger.KindBudget {
			if d.spent == nil {
				d.spent = map[int64]int64{}
			}
			d.spent[c.At] += c.Cost
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

// A handover is what was collected at once.
type handover struct {
	counters int    // of how many there were debts
	flights  bool   // whether any ticket was let pass
	round    uint64 // of those tickets
}

// collect queues the debts as charges and forgets them. From then on the tickets
// that are open are the store's.
func (l *Ledger) collect() handover {
	h := handover{counters: len(l.debts), flights: l.fresh, round: l.round}
	l.fresh = false
	l.round++
	if h.counters == 0 {
		return h
	}
	var charges []ledger.Claim
	charge := func(c ledger.Claim, amount, at int64) {
		if amount > 0 { // be there room or not
			c.Mode, c.Taken, c.Cost, c.Actual, c.At = ledger.ModeShared, true, 0, amount, at
			charges = append(charges, c)
		}
	}
	for _, d := range l.debts {
		for at, amount := range d.spent {
			charge(d.claim, amount, at)
		}
	}
	now := l.store.micros(l.opts.Now())
	for d, owed := range l.owed() {
		charge(d.claim, (owed+d.of-1)/d.of, now)
	}
	for some := range slices.Chunk(charges, maxCharges) {
		l.push(&ledger.Ticket{Lease: l.leases.Add(1), Claims: some})
	}
	clear(l.debts)
	l.sweepAt = 0
	return h
}

// owed yields the debts of rates, and what of each time has not given back, as
// the bucket of this replica's share has it.
func (l *Ledger) owed() iter.Seq2[*debt, int64] {
	var rates []ledger.Claim
	for _, d := range l.debts {
		if d.claim.Counter.Kind == ledger.KindRate {
			rates = append(rates, ledger.Claim{Counter: d.claim.Counter, Subject: d.claim.Subject, Limit: d.depth})
		}
	}
	l.mem.Read(rates)
	return func(yield func(*debt, int64) bool) {
		for i := range rates {
			r := &rates[i]
			d := l.debts[keyOf(r)]
			if !yield(d, r.Used-d.known.Used(r.At, d.depth)) {
				return
			}
		}
	}
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
