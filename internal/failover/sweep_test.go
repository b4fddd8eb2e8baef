package failover

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/holysheep/relay/internal/ledger"
)

// by is a claim of another subject.
func by(subject int, c ledger.Claim) ledger.Claim {
	c.Subject.A = fmt.Sprint(subject)
	return c
}

// owing returns how many debts are remembered.
func (r replica) owing() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.debts.n
}

// Subjects that come once and never again do not fill the memory, however long
// the outage is.
func TestDebtsThatTimeHasPaidAreForgotten(t *testing.T) {
	short := budgetClaim(1, 100)
	short.Counter = &ledger.Counter{Name: "short.budget", Kind: ledger.KindBudget, Window: ledger.Window{Length: time.Second}}
	for name, c := range map[string]ledger.Claim{"rates": tokensClaim(second), "budgets": short} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newStore()
				all := start(t, s, 1, Options{})
				fall(t, s, absent, all)
				r, most := all[0], 0
				for i := range 6_000 {
					tk, ok := r.take(t, by(i, c))
					if !ok {
						t.Fatal("refused")
					}
					r.Settle(tk)
					most = max(most, r.owing())
					time.Sleep(3 * time.Millisecond) // of the bubble
				}
				if most > 2*fewDebts {
					t.Errorf("%d debts were remembered at once, of which 700 are not paid", most)
				}
			})
		})
	}
}

func TestThereIsAMostOfDebts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStore()
		all := start(t, s, 1, Options{Backlog: 10})
		fall(t, s, absent, all)
		r := all[0]
		for i := range 60 {
			if _, ok := r.take(t, by(i, budgetClaim(1, 100))); !ok {
				t.Fatal("refused")
			}
		}
		if got := r.told().dropped; r.owing() != 40 || got != 20 {
			t.Errorf("%d debts are remembered and %d were dropped, want 40 and 20", r.owing(), got)
		}
		rise(t, s, all)
		for i := range 60 {
			want := int64(0)
			if i < 40 {
				want = 1
			}
			if got := s.stands(by(i, budgetClaim(0, 100))); got != want {
				t.Errorf("of %d the store was told %d, want %d", i, got, want)
			}
		}
	})
}

// A debt that was forgotten, or never was one, is one again if its ticket comes to
// more than it was let pass with.
func TestADebtThatWasForgottenComesBack(t *testing.T) {
	for _, tt := range []struct {
		name        string
		claim       ledger.Claim
		actual      int64
		least, most int64 // told to the store
	}{
		{"time has paid it", tokensClaim(second), 60 * second, 50 * second, 59 * second},
		{"tokens that cost nothing", tokensClaim(0), 60 * second, 50 * second, 60 * second},
		{"money that cost nothing", budgetClaim(0, 100), 60, 60, 60},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newStore()
				all := start(t, s, 1, Options{})
				fall(t, s, absent, all)
				r := all[0]
				tk, _ := r.take(t, tt.claim)
				time.Sleep(2 * time.Second) // of the bubble
				r.mu.Lock()
				r.sweep(time.Now())
				r.mu.Unlock()
				if r.owing() != 0 {
					t.Fatalf("%d debts are left", r.owing())
				}
				tk.Claims[0].Actual = tt.actual
				r.Settle(tk)
				rise(t, s, all)
				if got := s.stands(tt.claim); got < tt.least || got > tt.most {
					t.Errorf("used are %d, want from %d to %d", got, tt.least, tt.most)
				}
			})
		})
	}
}

// What is spent in many slices of a window is told in each, less what was given
// back.
func TestDebtsOfEverySliceAreTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStore()
		all := start(t, s, 1, Options{})
		fall(t, s, absent, all)
		hour := budgetClaim(10, 1000)
		hour.Counter = &ledger.Counter{Name: "hour.budget", Kind: ledger.KindBudget, Window: ledger.Window{Length: time.Hour}}
		var open []*ledger.Ticket
		for range 5 {
			tk, _ := all[0].take(t, hour)
			open = append(open, tk)
			time.Sleep(time.Minute) // of the bubble: a slice
		}
		for i, actual := range []int64{10, 0, 4, 15, 0} {
			open[i].Claims[0].Actual = actual
			all[0].Settle(open[i])
		}
		if got := all[0].owing(); got != 1 {
			t.Errorf("%d debts are remembered, want that of one budget", got)
		}
		rise(t, s, all)
		if got := s.stands(hour); got != 29 {
			t.Errorf("spent are %d, want 29", got)
		}
		time.Sleep(57 * time.Minute) // of the bubble: the first slice has left
		if got := s.stands(hour); got != 19 {
			t.Errorf("spent are %d, want 19", got)
		}
	})
}
