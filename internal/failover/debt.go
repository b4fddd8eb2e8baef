package failover

import (
	"iter"

	"github.com/holysheep/relay/internal/ledger"
)

// A book is all debts: what this replica has let pass of counters, and has not
// told the store yet. In a long outage there may be very many, so an entry is
// small.
type book struct {
	counters map[string]*debts // by the name of the counter
	n        int               // how many subjects have debts, of all counters
}

// debts are those of one counter.
type debts struct {
	counter *ledger.Counter // of the latest claim: generations each have their own
	rates   map[ledger.Subject]rateDebt
	sums    map[ledger.Subject]sumDebt
	of      int64 // among how many replicas sums are: the fewest, so that rather too much is known
}

// A rateDebt is by how much the bucket of one subject is further from full than
// it would be without: time gives back first what was known to be used when the
// debt began, for that comes back in the store's bucket too, and then the debt.
// So if the replicas let pass alike the store's bucket ends as if it had been
// asked, and otherwise a little emptier, as those of the busier replicas are.
//
// With the 4 replicas of [share], a bucket known to be used by 5 s of 10, and one
// request let pass by each: the buckets of the ranks 0 and 1 are used by
// 6 + 4 = 10 s, the other two by 4 + 4 = 8 s. After 8 s that is 2, 2, 0 and 0 s,
// all of it debt, and the store is told of 2 ÷ 4 + 2 ÷ 4 = 1 s. Had it been
// asked, its bucket would be used by 5 + 4 × 1 - 8 = 1 s.
type rateDebt struct {
	full, was int64 // when the bucket of this replica's share is full without the debt, and how deep it was then
	limit     int64 // of the latest claim, as it was asked
	depth     int64 // of the bucket of this replica's share
	of        int64 // among how many replicas: the fewest, so that rather too much is told
}

// known returns how far from full the bucket is without the debt, by a depth.
func (r rateDebt) known(now, depth int64) int64 {
	return ledger.Bucket{Full: r.full, Depth: r.was}.Used(now, depth, 0)
}

// A sumDebt is what was let pass of the budget of one subject in one slice of
// its window, more than nothing.
type sumDebt struct {
	at, amount int64
	older      *sumDebt
}

// has returns whether anything is owed of a claim's counter and subject.
func (b *book) has(c *ledger.Claim) bool {
	if b.n == 0 {
		return false
	}
	d := b.counters[c.Counter.Name]
	if d == nil {
		return false
	}
	_, rate := d.rates[c.Subject]
	_, sum := d.sums[c.Subject]
	return rate || sum
}

// rate returns the debt of a rate.
func (b *book) rate(c *ledger.Claim) (r rateDebt, found bool) {
	if d := b.counters[c.Counter.Name]; d != nil {
		r, found = d.rates[c.Subject]
	}
	return r, found
}

// sum returns the debts of a budget, by slices, and among how many replicas; nil
// if there are none.
func (b *book) sum(c *ledger.Claim) (s *sumDebt, of int64) {
	if d := b.counters[c.Counter.Name]; d != nil {
		if s, found := d.sums[c.Subject]; found {
			return &s, d.of
		}
	}
	return nil, 0
}

// setRate writes the debt of a rate.
func (b *book) setRate(c *ledger.Claim, r rateDebt) {
	d := b.of(c.Counter)
	before := len(d.rates)
	d.rates[c.Subject] = r
	b.n += len(d.rates) - before
}

// setSum writes the debts of a budget among so many replicas, or more; nil
// forgets them.
func (b *book) setSum(c *ledger.Claim, s *sumDebt, of int64) {
	d := b.of(c.Counter)
	if len(d.sums) == 0 || of < d.of {
		d.of = of
	}
	before := len(d.sums)
	if s == nil {
		delete(d.sums, c.Subject)
	} else {
		d.sums[c.Subject] = *s
	}
	b.n += len(d.sums) - before
}

// drop forgets what is owed of a claim's counter and subject.
func (b *book) drop(c *ledger.Claim) {
	if d := b.counters[c.Counter.Name]; d != nil {
		before := len(d.rates) + len(d.sums)
		delete(d.rates, c.Subject)
		delete(d.sums, c.Subject)
		b.n += len(d.rates) + len(d.sums) - before
	}
}

func (b *book) of(c *ledger.Counter) *debts {
	d := b.counters[c.Name]
	if d == nil {
		d = &debts{rates: map[ledger.Subject]rateDebt{}, sums: map[ledger.Subject]sumDebt{}}
		if b.counters == nil {
			b.counters = map[string]*debts{}
		}
		b.counters[c.Name] = d
	}
	d.counter = c
	return d
}

// slices yields the debts of a budget, those of the newest slice that was added
// first.
func (s *sumDebt) slices(yield func(*sumDebt) bool) {
	for ; s != nil; s = s.older {
		if !yield(s) {
			return
		}
	}
}

// keep returns the debts for which a condition is true.
func (s *sumDebt) keep(is func(*sumDebt) bool) *sumDebt {
	if s == nil {
		return nil
	}
	if s.older = s.older.keep(is); is(s) {
		return s
	}
	return s.older
}

// owed yields the rates in debt, and what of each time has not given back, as
// the bucket of this replica's share has it. What was yielded may be dropped.
func (d *debts) owed(mem *ledger.Memory) iter.Seq2[*ledger.Claim, int64] {
	return func(yield func(*ledger.Claim, int64) bool) {
		const atOnce = 500 // are read: the claims of all would need much memory
		some := make([]ledger.Claim, 0, min(len(d.rates), atOnce))
		flush := func() bool {
			mem.Read(some)
			for i := range some {
				c := &some[i]
				r := d.rates[c.Subject]
				if !yield(c, c.Used-r.known(c.At, r.depth)) {
					return false
				}
			}
			some = some[:0]
			return true
		}
		for subject, r := range d.rates {
			some = append(some, ledger.Claim{Counter: d.counter, Subject: subject, Limit: r.depth})
			if len(some) == atOnce && !flush() {
				return
			}
		}
		flush()
	}
}
