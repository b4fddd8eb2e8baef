package failover

import (
	"testing"
	"testing/synctest"

	"github.com/holysheep/relay/internal/ledger"
)

func TestReadAndReset(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStore()
		all := start(t, s, 2, Options{})
		r := all[0]
		r.take(t, budgetClaim(40, 100))
		read := func(mode ledger.Mode, want int64) {
			t.Helper()
			claims := []ledger.Claim{budgetClaim(0, 100)}
			if err := r.Read(t.Context(), claims); err != nil {
				t.Fatal(err)
			}
			if claims[0].Mode != mode || claims[0].Used != want {
				t.Errorf("used %d by %s, want %d by %s", claims[0].Used, claims[0].Mode, want, mode)
			}
		}
		read(ledger.ModeShared, 40)
		s.set(broken)
		read(ledger.ModeLocal, 70) // half of 60 is left
		if err := r.Reset(t.Context(), []ledger.Claim{budgetClaim(0, 100)}); text(err) != "the shared store: the store is broken" {
			t.Errorf("error %v", err)
		}
		fall(t, s, broken, all)
		r.take(t, budgetClaim(10, 100))
		read(ledger.ModeLocal, 80)
		reset := []ledger.Claim{budgetClaim(0, 100)}
		if err := r.Reset(t.Context(), reset); err != nil || reset[0].Mode != ledger.ModeLocal {
			t.Errorf("error %v by %s", err, reset[0].Mode)
		}
		read(ledger.ModeLocal, 50) // half of all is left
		rise(t, s, all)
		read(ledger.ModeShared, 40) // what was reset is not owed
		if err := r.Reset(t.Context(), reset); err != nil || reset[0].Mode != ledger.ModeShared {
			t.Errorf("error %v by %s", err, reset[0].Mode)
		}
		read(ledger.ModeShared, 0)
	})
}
