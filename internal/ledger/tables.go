package ledger

import "iter"

// Counters are told apart by their names, not by their addresses: the
// generations of a configuration each have their own, and share what they
// count.

func (m *Memory) ratesOf(c *Counter) *rates {
	r := m.rates[c.Name]
	if r == nil {
		r = &rates{}
		m.rates[c.Name] = r
	}
	return r
}

func (m *Memory) flightsOf(c *Counter) flights {
	f := m.flights[c.Name]
	if f == nil {
		f = flights{}
		m.flights[c.Name] = f
	}
	return f
}

func (m *Memory) budgetsOf(c *Counter) *budgets {
	b := m.budgets[c.Name]
	if b == nil {
		b = &budgets{}
		m.budgets[c.Name] = b
	}
	return b
}

// Subjects returns at most limit subjects of which something is taken of c, in
// no order. The lock is held while it looks.
func (m *Memory) Subjects(c *Counter, limit int) []Subject {
	read := m.clock.read()
	m.mu.Lock()
	defer m.mu.Unlock()
	now := m.clock.tick(read)
	var found []Subject
	for s := range m.taken(c, now) {
		if len(found) >= limit {
			break
		}
		found = append(found, s)
	}
	return found
}

// taken yields the subjects of which something is taken.
func (m *Memory) taken(c *Counter, now instant) iter.Seq[Subject] {
	switch c.Kind {
	case KindFlight:
		return m.flightsOf(c).taken
	case KindBudget:
		return m.budgetsOf(c).taken(c.Window, now.of(c.Window))
	}
	return m.ratesOf(c).taken(now.steady)
}

func (r *rates) taken(now int64) iter.Seq[Subject] {
	return func(yield func(Subject) bool) {
		for s, b := range r.debts {
			if b.Full > now && !yield(s) {
				return
			}
		}
		for s, b := range r.buckets.all() {
			if b.Full > now && !yield(s) {
				return
			}
		}
	}
}

func (f flights) taken(yield func(Subject) bool) {
	for s, h := range f {
		if h.held > 0 && !yield(s) {
			return
		}
	}
}

func (b *budgets) taken(w Window, now int64) iter.Seq[Subject] {
	return func(yield func(Subject) bool) {
		for s, p := range b.spendings.all() {
			if sum, _ := p.in(w, now); sum > 0 && !yield(s) {
				return
			}
		}
	}
}
