package ledger

// flights are who holds one counter. A subject of which nothing is held, and of
// which nothing will be given back, needs no entry.
type flights map[Subject]flight

type flight struct {
	held int64

	// Of the tickets up to forgotten, stale still think that they hold it,
	// although it was reset since.
	stale     int64
	forgotten uint64
}

func (f flights) look(c *Claim, now int64) {
	c.At, c.Used, c.Reset = now, f[c.Subject].held, 0
	switch {
	case c.Limit < 1:
		c.Wait = Never
	case c.Used >= c.Limit:
		c.Wait = Unknown
	default:
		c.Wait = 0
	}
}

func (f flights) take(c *Claim) {
	f.hold(c.Subject)
	c.Used++
}

func (f flights) hold(s Subject) {
	h := f[s]
	h.held++
	f[s] = h
}

func (f flights) giveBack(s Subject, lease uint64) {
	h := f[s]
	switch {
	case h.stale > 0 && lease <= h.forgotten:
		h.stale--
	case h.held > 0:
		h.held--
	}
	f.set(s, h)
}

// reset forgets those who hold it. All of them have a lease up to last.
func (f flights) reset(s Subject, last uint64) {
	h := f[s]
	f.set(s, flight{stale: h.stale + h.held, forgotten: last})
}

func (f flights) set(s Subject, h flight) {
	if h.held == 0 && h.stale == 0 {
		delete(f, s)
		return
	}
	f[s] = h
}
