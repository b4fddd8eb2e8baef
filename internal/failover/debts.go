package failover

import (
	"slices"

	"github.com/holysheep/relay/internal/ledger"
)

// A spot is where a sum belongs.
type spot struct {
	subject ledger.Subject
	at      int64
}

// terms are those of the latest claim of a debt. Most debts of a counter share
// them: there may be very many debts.
type terms struct {
	limit int64 // as it was asked
	depth int64 // of the bucket of this replica's share
	of    int64 // among how many replicas
}

// debts are those of one counter.
type debts struct {
	counter *ledger.Counter
	terms   map[terms]*terms
	rates   map[ledger.Subject]debt
	sums    map[spot]sum
	slices  []int64 // of the sums
}

func newDebts() *debts {
	return &debts{terms: map[terms]*terms{}, rates: map[ledger.Subject]debt{}, sums: map[spot]sum{}}
}

// has returns whether there is any debt of a subject.
func (d *debts) has(s ledger.Subject) bool {
	if d == nil {
		return false
	}
	_, found := d.rates[s]
	return found || slices.ContainsFunc(d.slices, func(at int64) bool {
		_, found := d.sums[spot{s, at}]
		return found
	})
}

// drop forgets the debts of a subject.
func (d *debts) drop(s ledger.Subject) {
	if d == nil {
		return
	}
	delete(d.rates, s)
	for _, at := range d.slices {
		delete(d.sums, spot{s, at})
	}
}

// add notes what was let pass of a claim, of which own is what Memory took.
func (d *debts) add(c, own *ledger.Claim, of int64) {
	d.counter = c.Counter
	now := terms{limit: c.Limit, depth: own.Limit, of: of}
	shared := d.terms[now]
	if shared == nil {
		shared = &now
		d.terms[now] = shared
	}
	if c.Counter.Kind == ledger.KindBudget {
		at := spot{c.Subject, c.At}
		if !slices.Contains(d.slices, c.At) {
			d.slices = append(d.slices, c.At)
		}
		d.sums[at] = sum{shared, d.sums[at].amount + c.Cost}
		return
	}
	debt, found := d.rates[c.Subject]
	if !found {
		debt.known = ledger.Bucket{Full: own.At + own.Used - own.Cost, Depth: own.Limit}
	}
	debt.terms = shared
	d.rates[c.Subject] = debt
}

// change corrects what was let pass of a budget.
func (d *debts) change(c *ledger.Claim, by int64) {
	if d == nil {
		return
	}
	at := spot{c.Subject, c.At}
	if s, found := d.sums[at]; found {
		s.amount += by
		d.sums[at] = s
	}
}
