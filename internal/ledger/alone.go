package ledger

import "context"

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
