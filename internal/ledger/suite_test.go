package ledger_test

import (
	"testing"

	"github.com/holysheep/relay/internal/ledger"
	"github.com/holysheep/relay/internal/ledgertest"
)

func TestMemoryPassesTheSuite(t *testing.T) {
	ledgertest.Run(t, func(_ testing.TB, clock *ledgertest.Clock) ledgertest.Store {
		return &stored{Memory: ledger.NewMemory(clock.Now), clock: clock}
	})
}

// stored is a Memory as the suite asks it.
type stored struct {
	*ledger.Memory
	clock *ledgertest.Clock
}

func (s *stored) Take(t *ledger.Ticket) (bool, error) { return s.Memory.Take(t), nil }

func (s *stored) Settle(tickets ...*ledger.Ticket) error {
	for _, t := range tickets {
		s.Memory.Settle(t)
	}
	return nil
}

func (s *stored) Read(claims []ledger.Claim) error {
	s.Memory.Read(claims)
	return nil
}

func (s *stored) Reset(claims []ledger.Claim) error {
	s.Memory.Reset(claims)
	return nil
}

func (s *stored) Flush() error {
	s.Memory = ledger.NewMemory(s.clock.Now)
	return nil
}
