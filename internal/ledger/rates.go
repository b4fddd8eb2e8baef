package ledger

// rates are the buckets of one counter. A full bucket needs no entry.
type rates struct {
	buckets generations[Bucket]

	// debts are the buckets from which more is taken than they hold. They may
	// take long to fill, and would keep a whole generation for as long.
	debts map[Subject]Bucket
}

func (r *rates) get(s Subject) Bucket {
	if len(r.debts) > 0 {
		if b, ok := r.debts[s]; ok {
			return b
		}
	}
	b, _ := r.buckets.get(s)
	return b
}

// set writes that so much is used at now of the bucket of a claim.
func (r *rates) set(c *Claim, now, used int64) {
	s, depth := c.Subject, c.Limit
	b := Bucket{Full: now + used, Depth: depth, Pace: c.Pace}
	if used <= 0 || used > depth {
		r.buckets.drop(s)
	}
	if used > depth {
		if r.debts == nil {
			r.debts = map[Subject]Bucket{}
		}
		r.debts[s] = b
		return
	}
	delete(r.debts, s)
	if used > 0 {
		r.buckets.put(s, b, b.Full)
	}
}

// turn forgets buckets that are full.
func (r *rates) turn(now int64) {
	before := r.buckets.turned
	r.buckets.turn(now)
	if r.buckets.turned == before {
		return
	}
	for s, b := range r.debts {
		if b.Full <= now {
			delete(r.debts, s)
		}
	}
}

// look fills in how the claim stands.
func (r *rates) look(c *Claim, now int64) {
	b := r.get(c.Subject)
	c.At, c.Used = now, b.Used(now, c.Limit, c.Pace)
	c.Wait, c.Reset = WaitForRate(c.Used, c.Cost, c.Limit), c.Used
}

// decide is look, and has the bucket fill by the claim's numbers from now on.
func (r *rates) decide(c *Claim, now int64) {
	r.turn(now)
	r.look(c, now)
	if b := r.get(c.Subject); c.Used > 0 && (b.Depth != c.Limit || b.Pace != c.Pace) {
		r.set(c, now, c.Used)
	}
}

func (r *rates) take(c *Claim) {
	if c.Cost == 0 {
		return
	}
	c.Used += c.Cost
	c.Reset = c.Used
	r.set(c, c.At, c.Used)
}

func (r *rates) settle(c *Claim, now int64) {
	r.turn(now)
	if change := Charge(c.Cost, c.Actual, c.At, now); change != 0 {
		r.set(c, now, r.get(c.Subject).Used(now, c.Limit, c.Pace)+change)
	}
}
