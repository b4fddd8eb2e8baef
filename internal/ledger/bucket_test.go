package ledger

import (
	"testing"

	"pgregory.net/rapid"
)

// What is refunded never makes a bucket fuller than one that was charged with
// the truth alone, at the instant of the reservation.
func TestARefundNeverGivesBackWhatTimeHas(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		type open struct{ cost, actual, at int64 }
		var now, full, truth int64 // instants; truth is charged with what is used, when it is reserved
		var all []open
		for range rapid.IntRange(1, 40).Draw(t, "steps") {
			now += rapid.Int64Range(0, 20).Draw(t, "pause")
			if len(all) == 0 || rapid.Bool().Draw(t, "take") {
				o := open{cost: rapid.Int64Range(1, 30).Draw(t, "cost"), at: now}
				o.actual = rapid.Int64Range(0, o.cost).Draw(t, "actual")
				full, truth = max(full, now)+o.cost, max(truth, now)+o.actual
				all = append(all, o)
				continue
			}
			i := rapid.IntRange(0, len(all)-1).Draw(t, "settled")
			full = max(full, now) + Charge(all[i].cost, all[i].actual, all[i].at, now)
			all = append(all[:i], all[i+1:]...)
			if max(full, now) < max(truth, now) {
				t.Fatalf("at %d the bucket is full at %d, before %d", now, full, truth)
			}
		}
	})
}
