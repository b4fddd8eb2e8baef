package failover

import "github.com/holysheep/relay/internal/ledger"

// past is how counters stood at some time, those of which something was taken.
type past struct {
	counters map[string]*stands // by the name of the counter
	n        int                // how many subjects, of all counters
}

// stands is how one counter stood.
type stands struct {
	counter *ledger.Counter
	of      map[ledger.Subject]stood
}

// stood is what was used, by a limit, and the instant by the store's clock; of a
// budget the slice of its window.
type stood struct {
	used, limit, at int64
}

// An entry is how one counter of one subject stood.
type entry struct {
	counter *ledger.Counter
	subject ledger.Subject
	stood   stood
}

// claim returns the entry as a store is raised by it.
func (e *entry) claim() ledger.Claim {
	return ledger.Claim{Counter: e.counter, Subject: e.subject, Used: e.stood.used, Limit: e.stood.limit, At: e.stood.at}
}

func (p *past) has(c *ledger.Claim) bool {
	s := p.counters[c.Counter.Name]
	if s == nil {
		return false
	}
	_, found := s.of[c.Subject]
	return found
}

// add takes over how a claim stands that is not there yet.
func (p *past) add(c *ledger.Claim) {
	s := p.counters[c.Counter.Name]
	if s == nil {
		s = &stands{counter: c.Counter, of: map[ledger.Subject]stood{}}
		if p.counters == nil {
			p.counters = map[string]*stands{}
		}
		p.counters[c.Counter.Name] = s
	}
	s.of[c.Subject] = stood{used: c.Used, limit: c.Limit, at: c.At}
	p.n++
}

// drop forgets a claim's counter and subject.
func (p *past) drop(c *ledger.Claim) {
	if p.has(c) {
		delete(p.counters[c.Counter.Name].of, c.Subject)
		p.n--
	}
}

// entries yields all.
func (p *past) entries(yield func(entry) bool) {
	for _, s := range p.counters {
		for subject, how := range s.of {
			if !yield(entry{s.counter, subject, how}) {
				return
			}
		}
	}
}
