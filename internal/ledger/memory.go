package ledger

import (
	"context"
	"sync"
	"time"
)

// A Memory keeps counters in the memory of this process. Make one with
// [NewMemory]. It is safe for concurrent use.
//
// One lock guards all its counters, which makes a decision on several of them
// one step. It is held for less than a microsecond (see the benchmarks), so
// that finer locks would have little to win.
type Memory struct {
	clock clock

	mu      sync.Mutex
	lease   uint64 // the highest that was seen
	rates   map[string]*rates
	flights map[string]flights
	budgets map[string]*budgets
}

// NewMemory returns a Memory in which nothing is taken. It asks now for the
// time: rates and rolling windows go by its monotonic clock, where it has one,
// and never back, windows of the calendar by its wall clock.
func NewMemory(now func() time.Time) *Memory {
	return &Memory{
		clock:   clock{now: now, start: now()},
		rates:   map[string]*rates{},
		flights: map[string]flights{},
		budgets: map[string]*budgets{},
	}
}

// Take decides on all claims of t in one step and fills them in. It returns
// whether they were taken: then t must be settled once. A ticket that has no
// lease gets one.
//
// What a claim is told of its counter is how that was before the decision, but
// for Used and Reset of what was taken. A refusal takes nothing; of a rate
// whose numbers have changed it makes the bucket fill by those of the claim.
func (m *Memory) Take(t *Ticket) bool {
	read := m.clock.read()
	m.mu.Lock()
	defer m.mu.Unlock()
	now := m.clock.tick(read)
	if t.Lease == 0 {
		t.Lease = m.lease + 1
	}
	m.lease = max(m.lease, t.Lease)
	room := true
	for i := range t.Claims {
		c := &t.Claims[i]
		m.look(c, now, true)
		room = room && (c.Wait == 0 || c.Shadow)
	}
	for i := range t.Claims {
		c := &t.Claims[i]
		if c.Taken = room && c.Wait == 0; c.Taken {
			m.take(c, now)
		}
	}
	return room
}

// Read fills in how the claims stand, and takes nothing.
func (m *Memory) Read(claims []Claim) {
	read := m.clock.read()
	m.mu.Lock()
	defer m.mu.Unlock()
	now := m.clock.tick(read)
	for i := range claims {
		claims[i].Taken = false
		m.look(&claims[i], now, false)
	}
}

// Settle gives back what t holds and did not use, and charges what it used
// beyond: see [Charge]. Rates and budgets are settled if this memory decided on
// them (by their Mode); flights also if the shared store did: see [Memory.Hold].
// It changes nothing of t, which may be settled elsewhere too.
func (m *Memory) Settle(t *Ticket) {
	read := m.clock.read()
	m.mu.Lock()
	defer m.mu.Unlock()
	now := m.clock.tick(read)
	for i := range t.Claims {
		c := &t.Claims[i]
		mine := c.Mode == ModeMemory || c.Mode == ModeLocal
		switch kind := c.Counter.Kind; {
		case !c.Taken:
		case kind == KindFlight && (mine || c.Mode == ModeShared):
			m.flightsOf(c.Counter).giveBack(c.Subject, t.Lease)
		case kind == KindRate && mine:
			m.ratesOf(c.Counter).settle(c, now.steady)
		case kind == KindBudget && mine:
			m.budgetsOf(c.Counter).settle(c, now.of(c.Counter.Window))
		}
	}
}

// Reset sets the counters of the claims to nothing taken. Flights that were
// held are then held no more, and settling their tickets gives nothing back.
func (m *Memory) Reset(claims []Claim) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for i := range claims {
		c := &claims[i]
		switch c.Counter.Kind {
		case KindRate:
			m.ratesOf(c.Counter).set(c, 0, 0)
		case KindFlight:
			m.flightsOf(c.Counter).reset(c.Subject, m.lease)
		case KindBudget:
			m.budgetsOf(c.Counter).spendings.drop(c.Subject)
		}
	}
}

// look fills in how a claim stands. Deciding changes the speed at which buckets
// fill.
func (m *Memory) look(c *Claim, now instant, deciding bool) {
	c.Mode = ModeMemory
	switch c.Counter.Kind {
	case KindRate:
		if r := m.ratesOf(c.Counter); deciding {
			r.decide(c, now.steady)
		} else {
			r.look(c, now.steady)
		}
	case KindFlight:
		m.flightsOf(c.Counter).look(c, now.steady)
	case KindBudget:
		m.budgetsOf(c.Counter).look(c, now.of(c.Counter.Window))
	}
}

func (m *Memory) take(c *Claim, now instant) {
	switch c.Counter.Kind {
	case KindRate:
		m.ratesOf(c.Counter).take(c)
	case KindFlight:
		m.flightsOf(c.Counter).take(c)
	case KindBudget:
		m.budgetsOf(c.Counter).take(c, now.of(c.Counter.Window))
	}
}

// Alone returns m as the ledger of a process that shares its limits with no
// other.
func Alone(m *Memory) Ledger { return alone{m} }

type alone struct{ memory *Memory }

func (a alone) Take(_ context.Context, t *Ticket) bool { return a.memory.Take(t) }

func (a alone) Settle(t *Ticket) { a.memory.Settle(t) }

func (a alone) Read(_ context.Context, claims []Claim) error {
	a.memory.Read(claims)
	return nil
}

func (a alone) Reset(_ context.Context, claims []Claim) error {
	a.memory.Reset(claims)
	return nil
}
