package ledger

import (
	"context"
	"testing"
	"time"
)

func TestSubjectsAreThoseOfWhichSomethingIsTaken(t *testing.T) {
	day := Window{Calendar: Day}
	for _, c := range []*Counter{
		{Name: "rate", Kind: KindRate},
		{Name: "debt", Kind: KindRate},
		{Name: "flight", Kind: KindFlight},
		{Name: "budget", Kind: KindBudget, Window: day},
	} {
		t.Run(c.Name, func(t *testing.T) {
			h := &hand{now: time.Date(2027, time.March, 10, 23, 0, 0, 0, time.UTC)}
			m := NewMemory(h.read)
			take := func(name string) *Ticket {
				ticket := &Ticket{Claims: []Claim{{Counter: c, Subject: Subject{A: name}, Cost: 1, Limit: 60 * second, Actual: 1}}}
				m.Take(ticket)
				if c.Name == "debt" {
					ticket.Claims[0].Actual = 100 * second
					m.Settle(ticket)
				}
				return ticket
			}
			for _, name := range []string{"a", "b", "c"} {
				take(name)
			}
			if got := len(m.Subjects(c, 9)); got != 3 {
				t.Errorf("%d subjects, want 3", got)
			}
			if got := len(m.Subjects(c, 2)); got != 2 {
				t.Errorf("%d subjects of at most 2", got)
			}
			if got := m.Subjects(c, 0); got != nil {
				t.Errorf("%v of at most none", got)
			}
			h.now = h.now.Add(2 * time.Hour)
			if c.Kind == KindFlight {
				m.Reset([]Claim{{Counter: c, Subject: Subject{A: "a"}}, {Counter: c, Subject: Subject{A: "b"}}, {Counter: c, Subject: Subject{A: "c"}}})
			}
			if got := m.Subjects(c, 9); got != nil {
				t.Errorf("later there are %v", got)
			}
		})
	}
}

// A refusal keeps no memory, however many ask.
func TestARefusalWritesNothing(t *testing.T) {
	m := NewMemory(time.Now)
	full := Claim{Counter: &Counter{Name: "full", Kind: KindFlight}, Cost: 1}
	for _, name := range []string{"a", "b", "c"} {
		s := Subject{A: name}
		m.Take(&Ticket{Claims: []Claim{
			full,
			{Counter: &Counter{Name: "rate", Kind: KindRate}, Subject: s, Cost: 1, Limit: 5},
			{Counter: &Counter{Name: "flight", Kind: KindFlight}, Subject: s, Cost: 1, Limit: 5},
			{Counter: &Counter{Name: "budget", Kind: KindBudget, Window: Window{Calendar: Day}}, Subject: s, Cost: 1, Limit: 5},
		}})
	}
	r, b := m.rates["rate"], m.budgets["budget"]
	if n := len(r.buckets.young) + len(r.debts) + len(m.flights["flight"]) + len(b.spendings.young); n != 0 {
		t.Errorf("%d entries were written", n)
	}
}

// What is given back whole keeps no memory either.
func TestWhatIsGivenBackIsForgotten(t *testing.T) {
	h := &hand{now: time.Now()}
	m := NewMemory(h.read)
	ticket := &Ticket{Claims: []Claim{
		{Counter: &Counter{Name: "rate", Kind: KindRate}, Cost: 4, Limit: 5},
		{Counter: &Counter{Name: "flight", Kind: KindFlight}, Cost: 1, Limit: 5},
		{Counter: &Counter{Name: "budget", Kind: KindBudget, Window: Window{Calendar: Day}}, Cost: 4, Limit: 5},
	}}
	if !m.Take(ticket) {
		t.Fatal("refused")
	}
	m.Settle(ticket) // its Actual is 0
	r, b := m.rates["rate"], m.budgets["budget"]
	if n := len(r.buckets.young) + len(r.debts) + len(m.flights["flight"]) + len(b.spendings.young); n != 0 {
		t.Errorf("%d entries are left", n)
	}
}

func TestALeaseThatIsGivenIsKept(t *testing.T) {
	m, c := NewMemory(time.Now), &Counter{Name: "a", Kind: KindFlight}
	given := &Ticket{Lease: 41, Claims: []Claim{{Counter: c, Cost: 1, Limit: 9}}}
	m.Take(given)
	if _, next := takeOne(m, c, 1, 9); given.Lease != 41 || next.Lease <= 41 {
		t.Errorf("leases %d and %d", given.Lease, next.Lease)
	}
}

func TestAloneIsTheMemory(t *testing.T) {
	ctx, m, c := context.Background(), NewMemory(time.Now), &Counter{Name: "a", Kind: KindFlight}
	l := Alone(m)
	ticket := &Ticket{Claims: []Claim{{Counter: c, Cost: 1, Limit: 1}}}
	if !l.Take(ctx, ticket) || ticket.Claims[0].Mode != ModeMemory {
		t.Fatalf("%+v", ticket)
	}
	claims := []Claim{{Counter: c}}
	if err := l.Read(ctx, claims); err != nil || claims[0].Used != 1 {
		t.Errorf("%+v, %v", claims, err)
	}
	l.Settle(ticket)
	if used(m, claims[0]) != 0 {
		t.Error("it is still held")
	}
	l.Take(ctx, ticket)
	if err := l.Reset(ctx, claims); err != nil || used(m, claims[0]) != 0 {
		t.Errorf("after the reset it is still held, or %v", err)
	}
}
