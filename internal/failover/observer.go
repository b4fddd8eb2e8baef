package failover

import (
	"time"

	"github.com/holysheep/relay/internal/ledger"
)

// An Observer is told what a [Ledger] does, for metrics. Its methods are called
// from many goroutines, some of them under a lock: they return at once and do
// not call the ledger.
type Observer interface {
	// Asked is told of each operation on the store: op is "take", "settle",
	// "renew", "raise", "beat", "leave", "read" or "reset".
	Asked(op string, took time.Duration, err error)

	// Changed is told by what requests are decided from now on: ModeShared, or
	// ModeLocal when an outage begins, be the claims' Down what they may.
	Changed(mode ledger.Mode)

	// Backlog is told how many settlements wait for the store.
	Backlog(n int)

	// Dropped is told how many settlements were given up for ever.
	Dropped(n int)

	// HandedOver is told of how many counters the store was told what had
	// passed without it.
	HandedOver(n int)

	// Live is told how many replicas live, by the latest beat.
	Live(n int)
}

// nobody is the Observer by default.
type nobody struct{}

func (nobody) Asked(string, time.Duration, error) {}
func (nobody) Changed(ledger.Mode)                {}
func (nobody) Backlog(int)                        {}
func (nobody) Dropped(int)                        {}
func (nobody) HandedOver(int)                     {}
func (nobody) Live(int)                           {}
