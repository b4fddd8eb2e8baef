package ledgertest

import (
	"time"

	"github.com/holysheep/relay/internal/ledger"
)

// A drawn is a counter with the limits that its claims may bring.
type drawn struct {
	counter *ledger.Counter
	limits  []int64
}

// counters are of every kind: clients' and everybody's, with limits that stay
// and that change.
func counters() []drawn {
	rate := func(name string, ofClient bool, limits ...int64) drawn {
		return drawn{&ledger.Counter{Name: name, Kind: ledger.KindRate, OfClient: ofClient}, limits}
	}
	flight := func(name string, ofClient bool, limits ...int64) drawn {
		return drawn{&ledger.Counter{Name: name, Kind: ledger.KindFlight, OfClient: ofClient}, limits}
	}
	budget := func(name string, w ledger.Window, ofClient bool, limits ...int64) drawn {
		return drawn{&ledger.Counter{Name: name, Kind: ledger.KindBudget, Window: w, OfClient: ofClient}, limits}
	}
	return []drawn{
		rate("all.requests", false, 500_000, 500_000, 100_000, 3_600_000_000),
		rate("each.requests", true, 500_000),
		rate("each.tokens", true, 60_000_000, 60_000_000, 7, 86_400_000_000),
		flight("all.in_flight", false, 3, 3, 1, 0),
		flight("each.in_flight", true, 2),
		budget("each.budget", ledger.Window{Calendar: ledger.Day}, true, 1_000_000, 300),
		budget("all.budget", ledger.Window{Calendar: ledger.Month}, false, 50_000_000_000_000),
		budget("hour.budget", ledger.Window{Length: time.Hour}, false, 1000, 1000, 10),
		budget("odd.budget", ledger.Window{Length: 90*time.Second + 7*time.Microsecond}, false, 1000),
	}
}
