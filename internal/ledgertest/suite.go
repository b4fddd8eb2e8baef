// Package ledgertest is the suite that every store of a ledger passes: it
// compares what the store decides with a plain model, checks numbers worked out
// by hand, and counts in what requests really used.
package ledgertest

import (
	"testing"
	"time"

	"github.com/holysheep/relay/internal/ledger"
)

// A Store is a ledger's store under test. Take, Settle and Read are called by
// many goroutines at once.
type Store interface {
	Take(t *ledger.Ticket) (bool, error)
	Settle(tickets ...*ledger.Ticket) error
	Read(claims []ledger.Claim) error
	Reset(claims []ledger.Claim) error

	// Flush has the store lose all its data.
	Flush() error
}

// An Option says what a store can.
type Option func(*suite)

// Leases says that flights are held for lease only, unless they are renewed,
// which the suite never does.
func Leases(lease time.Duration) Option { return func(s *suite) { s.lease = lease } }

type suite struct {
	open  func(t testing.TB, clock *Clock) Store
	lease time.Duration // 0: flights are held until they are settled
}

// Run runs the suite. open returns an empty store whose time is that of clock;
// it is called several hundred times, each time when the store before it is no
// longer used, so what is slow to start should be shared.
//
// The clock stands still while time passes: a store that forgets by another
// clock must keep everything for a minute longer.
func Run(t *testing.T, open func(t testing.TB, clock *Clock) Store, options ...Option) {
	t.Helper()
	s := suite{open: open}
	for _, o := range options {
		o(&s)
	}
	t.Run("rates", s.rates)
	t.Run("flights", s.flights)
	t.Run("budgets", s.budgets)
	t.Run("tickets", s.tickets)
	t.Run("decides as the model", s.model)
	t.Run("in truth", s.truth)
	t.Run("many at once", s.many)
}
