package ledgertest

import (
	"maps"
	"math"
	"slices"
	"time"

	"github.com/holysheep/relay/internal/ledger"
)

// model is a store as one would write it without a thought of speed or memory:
// it forgets nothing.
type model struct {
	lease   time.Duration
	buckets map[key]bucket
	flights map[key]map[uint64]int64 // by lease: the instant at which it expires
	spent   map[key]map[int64]int64  // by the beginning of the slice
}

type key struct {
	counter string
	subject ledger.Subject
}

// bucket says how much was taken of it at an instant.
type bucket struct {
	used, at, depth, pace int64
}

func newModel(lease time.Duration) *model {
	return &model{
		lease:   lease,
		buckets: map[key]bucket{},
		flights: map[key]map[uint64]int64{},
		spent:   map[key]map[int64]int64{},
	}
}

func keyOf(c *ledger.Claim) key { return key{c.Counter.Name, c.Subject} }

func (m *model) take(claims []ledger.Claim, lease uint64, now int64) bool {
	pass := true
	for i := range claims {
		c := &claims[i]
		m.look(c, now)
		if c.Counter.Kind == ledger.KindRate {
			m.buckets[keyOf(c)] = bucket{used: c.Used, at: now, depth: c.Limit, pace: c.Pace}
		}
		if c.Wait != 0 && !c.Shadow {
			pass = false
		}
	}
	for i := range claims {
		c := &claims[i]
		c.Taken = pass && c.Wait == 0
		if c.Taken {
			m.grant(c, lease, now)
		}
	}
	return pass
}

func (m *model) grant(c *ledger.Claim, lease uint64, now int64) {
	k := keyOf(c)
	switch c.Counter.Kind {
	case ledger.KindRate:
		m.buckets[k] = bucket{used: c.Used + c.Cost, at: now, depth: c.Limit, pace: c.Pace}
	case ledger.KindFlight:
		if m.flights[k] == nil {
			m.flights[k] = map[uint64]int64{}
		}
		m.flights[k][lease] = math.MaxInt64
		if m.lease > 0 {
			m.flights[k][lease] = now + m.lease.Microseconds()
		}
	case ledger.KindBudget:
		m.spend(k, c.At, c.Cost)
	}
	wait := c.Wait
	m.look(c, now)
	c.Wait = wait
}

func (m *model) spend(k key, slice, amount int64) {
	if m.spent[k] == nil {
		m.spent[k] = map[int64]int64{}
	}
	m.spent[k][slice] = max(m.spent[k][slice]+amount, 0)
}

func (m *model) settle(t *ledger.Ticket, now int64) {
	for i := range t.Claims {
		c := &t.Claims[i]
		if !c.Taken {
			continue
		}
		k := keyOf(c)
		switch c.Counter.Kind {
		case ledger.KindRate:
			if change := ledger.Charge(c.Cost, c.Actual, c.At, now); change != 0 {
				m.buckets[k] = bucket{used: max(m.used(k, c, now)+change, 0), at: now, depth: c.Limit, pace: c.Pace}
			}
		case ledger.KindFlight:
			delete(m.flights[k], t.Lease)
		case ledger.KindBudget:
			if inWindow(c.Counter.Window, c.At, now) {
				m.spend(k, c.At, c.Actual-c.Cost)
			}
		}
	}
}

func (m *model) reset(claims []ledger.Claim) {
	for i := range claims {
		k := keyOf(&claims[i])
		delete(m.buckets, k)
		delete(m.flights, k)
		delete(m.spent, k)
	}
}

// look fills in how a claim stands.
func (m *model) look(c *ledger.Claim, now int64) {
	k := keyOf(c)
	switch c.Counter.Kind {
	case ledger.KindRate:
		c.At, c.Used = now, m.used(k, c, now)
		c.Reset = c.Used
		c.Wait = max(c.Used+c.Cost-c.Limit, 0)
		if c.Cost > c.Limit {
			c.Wait = ledger.Never
		}
	case ledger.KindFlight:
		c.At, c.Used, c.Reset, c.Wait = now, m.held(k, now), 0, 0
		if c.Used+1 > c.Limit {
			c.Wait = ledger.Unknown
		}
		if c.Limit < 1 {
			c.Wait = ledger.Never
		}
	case ledger.KindBudget:
		m.lookBudget(c, now)
	}
	if c.Cost == 0 {
		c.Wait = 0
	}
}

// used is rescaled to the depth, unless the pace is the same, in the floating
// point that ledger.Bucket prescribes.
func (m *model) used(k key, c *ledger.Claim, now int64) int64 {
	b := m.buckets[k]
	used := max(b.used-(now-b.at), 0)
	if samePace := c.Pace > 0 && b.pace == c.Pace; used > 0 && b.depth > 0 && b.depth != c.Limit && !samePace {
		parts := math.Ceil(float64(used) * (float64(c.Limit) / float64(b.depth)))
		return int64(min(parts, float64(max(used, c.Limit))))
	}
	return used
}

func (m *model) held(k key, now int64) (n int64) {
	for _, expiry := range m.flights[k] {
		if expiry > now {
			n++
		}
	}
	return n
}

func (m *model) lookBudget(c *ledger.Claim, now int64) {
	w, amounts := c.Counter.Window, m.spent[keyOf(c)]
	sum := func(at int64) (sum int64) {
		for slice, amount := range amounts {
			if inWindow(w, slice, at) {
				sum += amount
			}
		}
		return sum
	}
	c.At, c.Used = sliceOf(w, now), sum(now)
	c.Wait, c.Reset = 0, 0
	if w.Calendar != ledger.Rolling {
		c.Reset = leaves(w, c.At) - now
	}
	// How it stands each time that a slice leaves.
	instants := []int64{now}
	for _, slice := range slices.Sorted(maps.Keys(amounts)) {
		if amounts[slice] > 0 && inWindow(w, slice, now) {
			instants = append(instants, leaves(w, slice))
			c.Reset = leaves(w, slice) - now
		}
	}
	fits := func(at int64) bool { return sum(at)+c.Cost <= c.Limit }
	if c.Cost > c.Limit {
		c.Wait = ledger.Never
	} else if i := slices.IndexFunc(instants, fits); i >= 0 {
		c.Wait = instants[i] - now
	}
}

// The windows of the model are those of the package time.

func sliceOf(w ledger.Window, now int64) int64 {
	y, m, d := time.UnixMicro(now).UTC().Date()
	switch w.Calendar {
	case ledger.Day:
		return time.Date(y, m, d, 0, 0, 0, 0, time.UTC).UnixMicro()
	case ledger.Month:
		return time.Date(y, m, 1, 0, 0, 0, 0, time.UTC).UnixMicro()
	}
	return now - now%w.Width()
}

func leaves(w ledger.Window, slice int64) int64 {
	begin := time.UnixMicro(slice).UTC()
	switch w.Calendar {
	case ledger.Day:
		return begin.AddDate(0, 0, 1).UnixMicro()
	case ledger.Month:
		return begin.AddDate(0, 1, 0).UnixMicro()
	}
	return slice + w.Width() + w.Length.Microseconds()
}

func inWindow(w ledger.Window, slice, now int64) bool { return now < leaves(w, slice) }
