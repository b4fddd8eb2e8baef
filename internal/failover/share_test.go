package failover

import (
	"math"
	"testing"

	"pgregory.net/rapid"

	"github.com/holysheep/relay/internal/ledger"
)

func TestSharesOfWholeUnits(t *testing.T) {
	tests := []struct {
		name string
		of   int64
		n    int64
		want []int64
	}{
		{"ten among four", 4, 10, []int64{3, 3, 2, 2}},
		{"eight among four", 4, 8, []int64{2, 2, 2, 2}},
		{"two among four: who has none refuses", 4, 2, []int64{1, 1, 0, 0}},
		{"one replica has it all", 1, 7, []int64{7}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			for rank, want := range tt.want {
				if got := (share{of: tt.of, rank: int64(rank)}).whole(tt.n); got != want {
					t.Errorf("rank %d has %d, want %d", rank, got, want)
				}
			}
			if got, want := (share{of: tt.of, rank: unranked}).whole(tt.n), tt.n/tt.of; got != want {
				t.Errorf("who is unranked has %d, want %d", got, want)
			}
		})
	}
	if got := (share{}).whole(10); got != 0 {
		t.Errorf("no share is %d of 10", got)
	}
}

// More replicas and higher ranks have less: what makes views that differ safe.
func TestAShareShrinksWithReplicasAndRank(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.Int64Range(0, 1000).Draw(t, "n")
		of := rapid.Int64Range(1, 20).Draw(t, "of")
		rank := rapid.Int64Range(0, of-1).Draw(t, "rank")
		got := share{of: of, rank: rank}.whole(n)
		if more := (share{of: of + 1, rank: rank}).whole(n); more > got {
			t.Errorf("one replica more: %d, before %d", more, got)
		}
		if next := (share{of: of, rank: rank + 1}).whole(n); next > got {
			t.Errorf("one rank more: %d, before %d", next, got)
		}
		var sum int64
		for r := range of {
			sum += share{of: of, rank: r}.whole(n)
		}
		if sum != n {
			t.Errorf("the shares of %d come to %d", n, sum)
		}
	})
}

const second = int64(1e6)

func rateClaim(cost int64) ledger.Claim {
	c := &ledger.Counter{Name: "each.requests", Kind: ledger.KindRate, OfClient: true}
	return ledger.Claim{Counter: c, Subject: ledger.Subject{A: "ada"}, Cost: cost * second, Actual: cost * second, Limit: 10 * second, Unit: second}
}

func flightClaim(limit int64) ledger.Claim {
	c := &ledger.Counter{Name: "each.in_flight", Kind: ledger.KindFlight, OfClient: true}
	return ledger.Claim{Counter: c, Subject: ledger.Subject{A: "ada"}, Cost: 1, Actual: 1, Limit: limit}
}

func budgetClaim(cost, limit int64) ledger.Claim {
	c := &ledger.Counter{Name: "each.budget", Kind: ledger.KindBudget, Window: ledger.Window{Calendar: ledger.Day}}
	return ledger.Claim{Counter: c, Subject: ledger.Subject{A: "ada"}, Cost: cost, Actual: cost, Limit: limit}
}

func tokensClaim(cost int64) ledger.Claim {
	c := rateClaim(0)
	c.Counter = &ledger.Counter{Name: "each.tokens", Kind: ledger.KindRate, OfClient: true}
	c.Unit, c.Cost, c.Actual = 0, cost, cost
	return c
}

func TestClaimsAreScaledToTheShare(t *testing.T) {
	tests := []struct {
		name            string
		share           share
		claim           ledger.Claim
		wantCost, limit int64
	}{
		{"requests of a rank with a remainder", share{4, 0}, rateClaim(1), 4 * second, 12 * second},
		{"requests of a rank without", share{4, 2}, rateClaim(1), 4 * second, 8 * second},
		{"tokens are divided evenly", share{4, 0}, tokensClaim(7), 28, 10 * second},
		{"flights", share{4, 1}, flightClaim(10), 1, 3},
		{"a budget", share{4, 3}, budgetClaim(5, 100), 20, 100},
		{"no share", share{}, rateClaim(1), second, 0},
		{"what costs nothing stays as it is", share{4, 0}, rateClaim(0), 0, 10 * second},
		{"what can never be stays so", share{4, 0}, tokensClaim(ledger.Never), math.MaxInt64, 10 * second},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := tt.share.scaled(tt.claim); got.Cost != tt.wantCost || got.Limit != tt.limit {
				t.Errorf("cost %d of %d, want %d of %d", got.Cost, got.Limit, tt.wantCost, tt.limit)
			}
		})
	}
}

func TestWhatIsToldOfAShare(t *testing.T) {
	tests := []struct {
		name       string
		share      share
		claim      ledger.Claim
		used, wait int64 // of the scaled claim
		wantUsed   int64
		wantWait   int64
		wantMode   ledger.Mode
	}{
		{"an empty bucket of 3 has 3 left", share{4, 0}, rateClaim(1), 0, 0, 7 * second, 0, ledger.ModeLocal},
		{"a full one has none", share{4, 0}, rateClaim(1), 12 * second, 4 * second, 10 * second, 4 * second, ledger.ModeLocal},
		{"flights", share{4, 2}, flightClaim(10), 1, 0, 9, 0, ledger.ModeLocal},
		{"a budget", share{4, 0}, budgetClaim(1, 100), 20, 0, 80, 0, ledger.ModeLocal},
		{"no share: nobody knows for how long", share{}, rateClaim(1), 0, ledger.Never, 10 * second, ledger.Unknown, ledger.ModeClosed},
		{"less than one for each, and none for this rank", share{4, 3}, flightClaim(3), 0, ledger.Never, 3, ledger.Unknown, ledger.ModeClosed},
		{"more than the limit is never", share{4, 0}, rateClaim(11), 0, ledger.Never, 7 * second, ledger.Never, ledger.ModeLocal},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			own := tt.share.scaled(tt.claim)
			own.Used, own.Wait = tt.used, tt.wait
			tt.share.tell(&tt.claim, own)
			if c := tt.claim; c.Used != tt.wantUsed || c.Wait != tt.wantWait || c.Mode != tt.wantMode {
				t.Errorf("used %d, wait %d by %s, want %d and %d by %s", c.Used, c.Wait, c.Mode, tt.wantUsed, tt.wantWait, tt.wantMode)
			}
		})
	}
}
