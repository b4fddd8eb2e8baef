package ledger_test

import (
	"fmt"
	"time"

	"github.com/holysheep/relay/internal/ledger"
)

// ExampleMemory_Take is the example of the documentation: 10 a second, burst 5.
func ExampleMemory_Take() {
	now := time.Now()
	memory := ledger.NewMemory(func() time.Time { return now })
	counter := &ledger.Counter{Name: "each.requests", Kind: ledger.KindRate}
	rate, depth, _ := ledger.NewWholeRate(10, time.Second, 5)
	for range 6 {
		t := ledger.Ticket{Claims: []ledger.Claim{{Counter: counter, Cost: rate.Cost(1), Limit: depth}}}
		taken, c := memory.Take(&t), t.Claims[0]
		fmt.Printf("%t, wait %dms, remaining %d, full in %dms\n", taken, c.Wait/1000, rate.Units(depth-c.Used), c.Reset/1000)
	}
	// Output:
	// true, wait 0ms, remaining 4, full in 100ms
	// true, wait 0ms, remaining 3, full in 200ms
	// true, wait 0ms, remaining 2, full in 300ms
	// true, wait 0ms, remaining 1, full in 400ms
	// true, wait 0ms, remaining 0, full in 500ms
	// false, wait 100ms, remaining 0, full in 500ms
}
