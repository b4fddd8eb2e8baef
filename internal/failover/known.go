package failover

import (
	"maps"
	"slices"

	"github.com/holysheep/relay/internal/ledger"
)

// remember keeps how counters stood before the first answer about them since
// the latest beat. A store that loses its data, and goes on answering, says that
// nothing is taken: what was known must not be lost by that before the next beat
// tells of it.
func (l *Ledger) remember(claims []ledger.Claim) {
	var fresh []ledger.Claim
	for i := range claims {
		c := &claims[i]
		if c.Counter.Kind == ledger.KindFlight || len(l.before)+len(fresh) >= l.opts.maxDebts() {
			continue
		}
		if _, known := l.before[keyOf(c)]; !known {
			fresh = append(fresh, ledger.Claim{Counter: c.Counter, Subject: c.Subject, Limit: c.Limit})
		}
	}
	if len(fresh) == 0 {
		return
	}
	l.mem.Read(fresh)
	now := l.store.micros(l.opts.Now())
	for _, c := range fresh {
		if c.Counter.Kind == ledger.KindRate {
			c.At = now
		}
		l.before[keyOf(&c)] = c
	}
}

// forget forgets what was remembered, and returns it.
func (l *Ledger) forget() map[key]ledger.Claim {
	l.mu.Lock()
	defer l.mu.Unlock()
	before := l.before
	l.before = map[key]ledger.Claim{}
	return before
}

// recall remembers again what was forgotten.
func (l *Ledger) recall(before map[key]ledger.Claim) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for k, c := range l.before { // the older goes before
		if _, older := before[k]; !older {
			before[k] = c
		}
	}
	l.before = before
}

// remembered returns what was remembered of which something was taken.
func (l *Ledger) remembered() []ledger.Claim {
	l.mu.Lock()
	defer l.mu.Unlock()
	all := slices.Collect(maps.Values(l.before))
	return slices.DeleteFunc(all, func(c ledger.Claim) bool { return c.Used <= 0 })
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
		d := l.debts[keyOf(c)]
		switch rate := c.Counter.Kind == ledger.KindRate; {
		case rate && d != nil:
			c.Limit = d.claim.Limit
			c.Used, c.At = d.known.Used(c.At, c.Limit), now
		case rate:
			c.At = now
		case d != nil:
			for _, amount := range d.spent {
				c.Used -= times(max(amount, 0), d.of)
			}
		}
	}
	return slices.DeleteFunc(all, func(c ledger.Claim) bool { return c.Used <= 0 })
}
