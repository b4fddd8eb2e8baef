package failover

import (
	"iter"
	"slices"

	"github.com/holysheep/relay/internal/ledger"
)

// seen is a counter that something was asked of, and the limit of the latest
// claim.
type seen struct {
	counter *ledger.Counter
	limit   int64
}

// remember keeps how counters stood before the first answer about them since
// the latest beat. A store that loses its data, and goes on answering, says that
// nothing is taken: what was known must not be lost by that before the next beat
// tells of it.
//
// Of what nothing was taken nothing is kept, for the store would not be raised
// to it. The next answer about such a counter is then taken for the first. If
// the store had its data until then, what is kept is later and as true; if not,
// what it has counted since is what it still knows.
//
// It is on the path of every request, and allocates nothing where nothing is new.
func (l *Ledger) remember(claims []ledger.Claim) {
	fresh := l.asked
	for i := range claims {
		if c := &claims[i]; c.Counter.Kind != ledger.KindFlight && !l.before.has(c) {
			fresh = append(fresh, ledger.Claim{Counter: c.Counter, Subject: c.Subject, Limit: c.Limit})
		}
	}
	if len(fresh) == 0 {
		return
	}
	l.mem.Read(fresh)
	now := l.store.micros(l.opts.Now())
	for i := range fresh {
		c := &fresh[i]
		if c.Used <= 0 || l.before.n >= l.opts.maxDebts() {
			continue
		}
		if c.Counter.Kind == ledger.KindRate {
			c.At = now
		}
		l.before.add(c)
	}
	clear(fresh) // the names of subjects are not kept for longer than they mean something
	l.asked = fresh[:0]
}

// forget forgets what was remembered, and returns it.
func (l *Ledger) forget() past {
	l.mu.Lock()
	defer l.mu.Unlock()
	before := l.before
	l.before = past{}
	return before
}

// recall remembers again what was forgotten. The older goes before.
func (l *Ledger) recall(before past) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for e := range l.before.entries {
		if c := e.claim(); !before.has(&c) {
			before.add(&c)
		}
	}
	l.before = before
}

// remembered yields what was remembered, so many claims at once: they need more
// memory than what is remembered of them.
func (l *Ledger) remembered(n int) iter.Seq[[]ledger.Claim] {
	l.mu.Lock()
	all := slices.AppendSeq(make([]entry, 0, l.before.n), l.before.entries)
	l.mu.Unlock()
	return func(yield func([]ledger.Claim) bool) {
		for some := range slices.Chunk(all, n) {
			claims := make([]ledger.Claim, len(some))
			for i := range some {
				claims[i] = some[i].claim()
			}
			if !yield(claims) {
				return
			}
		}
	}
}

func (l *Ledger) counters() []seen {
	l.mu.Lock()
	defer l.mu.Unlock()
	all := make([]seen, 0, len(l.seen))
	for _, s := range l.seen {
		all = append(all, s)
	}
	return all
}

// known returns how a counter stood at the store, for subjects of which
// something was taken, without this replica's debts. Limits are those by which
// Used is meant: one client can have other numbers than the next.
func (l *Ledger) known(s seen, subjects []ledger.Subject) []ledger.Claim {
	l.mu.Lock()
	defer l.mu.Unlock()
	all := make([]ledger.Claim, len(subjects))
	for i, subject := range subjects {
		c := &all[i]
		c.Counter, c.Subject, c.Limit = s.counter, subject, s.limit
	}
	l.mem.Depths(all)
	l.mem.Read(all)
	now := l.store.micros(l.opts.Now())
	for i := range all {
		c := &all[i]
		r, owes := l.debts.rate(c)
		switch rate := c.Counter.Kind == ledger.KindRate; {
		case rate && owes:
			c.Limit = r.limit
			c.Used, c.At = r.known(c.At, c.Limit), now
		case rate:
			c.At = now
		default:
			s, of := l.debts.sum(c)
			for p := range s.slices {
				c.Used -= times(p.amount, of)
			}
		}
	}
	return slices.DeleteFunc(all, func(c ledger.Claim) bool { return c.Used <= 0 })
}
