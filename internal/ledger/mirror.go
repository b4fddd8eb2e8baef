package ledger

// Learn takes over how rates and budgets stand at a shared store that has just
// decided on the claims, or read them: from their Used and Limit, and the At of
// a budget. Flights are not learned: see [Memory.Hold].
//
// Of answers that come at the same time the last one counts; what is wrong by
// that is what was asked for between them, until the next answer.
func (m *Memory) Learn(claims []Claim) {
	read := m.clock.read()
	m.mu.Lock()
	defer m.mu.Unlock()
	now := m.clock.tick(read)
	for i := range claims {
		switch c := &claims[i]; c.Counter.Kind {
		case KindRate:
			r := m.ratesOf(c.Counter)
			r.turn(now.steady)
			r.set(c, now.steady, c.Used)
		case KindBudget:
			m.budgetsOf(c.Counter).learn(c, now.of(c.Counter.Window))
		}
	}
}

// Depths sets the Limit of claims of rates to the depth by which their bucket
// fills, and their Pace with it. Of a bucket of which nothing is known it leaves it as it is.
func (m *Memory) Depths(claims []Claim) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for i := range claims {
		c := &claims[i]
		if c.Counter.Kind != KindRate {
			continue
		}
		if b := m.ratesOf(c.Counter).get(c.Subject); b.Depth > 0 {
			c.Limit, c.Pace = b.Depth, b.Pace
		}
	}
}

// Hold counts the flights of a ticket that the shared store let through.
// [Memory.Settle] gives them back.
func (m *Memory) Hold(t *Ticket) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.lease = max(m.lease, t.Lease)
	for i := range t.Claims {
		if c := &t.Claims[i]; c.Taken && c.Counter.Kind == KindFlight {
			m.flightsOf(c.Counter).hold(c.Subject)
		}
	}
}

// learn has what was spent in the window be the claim's Used. A window of the
// calendar is the store's, for its day may begin sooner or later than ours. Of
// a rolling one the slices are not known: what is too much leaves the oldest
// first, as if it had left the window, and what is too little was spent now.
func (b *budgets) learn(c *Claim, now int64) {
	w := c.Counter.Window
	p := b.get(c.Subject)
	if w.Calendar != Rolling {
		b.change(c, now, c.At, c.Used-p.of(c.At))
		return
	}
	known, _ := p.in(w, now)
	for known > c.Used {
		oldest := p.oldest(w, now)
		less := min(oldest.amount, known-c.Used)
		b.change(c, now, oldest.at, -less)
		known -= less
	}
	if c.Used > known {
		b.change(c, now, w.Slice(now), c.Used-known)
	}
}

// of returns what was spent in the slice at.
func (s *spending) of(at int64) int64 {
	if s != nil {
		for _, p := range s.slices {
			if p.at == at {
				return p.amount
			}
		}
	}
	return 0
}

// oldest returns the first slice that is in the window.
func (s *spending) oldest(w Window, now int64) slice {
	for _, p := range s.slices {
		if w.Holds(p.at, now) {
			return p
		}
	}
	return slice{}
}
