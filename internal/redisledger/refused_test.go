package redisledger

import (
	"errors"
	"testing"

	"github.com/holysheep/relay/internal/ledger"
)

// A Redis that has become a replica, as in a failover, settles nothing and says
// so: the same tickets are settled when it can.
func TestASettlementThatRedisRefusesCanBeSentAgain(t *testing.T) {
	for name, n := range map[string]int{"one ticket": 1, "many": 3} {
		t.Run(name, func(t *testing.T) {
			s, client := open(t, Options{})
			var all []*ledger.Ticket
			for range n {
				tk := ticket(claim(daily, 1e9, 50e9), claim(flights, 1, 3))
				mustTake(t, s, tk)
				tk.Claims[0].Actual = 0
				all = append(all, tk)
			}
			if err := client.ReplicaOf(t.Context(), "127.0.0.1", "1").Err(); err != nil {
				t.Fatal(err)
			}
			if err := s.Settle(t.Context(), all); !errors.Is(err, ledger.ErrUndone) {
				t.Errorf("error %v of a replica", err)
			}
			if err := client.ReplicaOf(t.Context(), "NO", "ONE").Err(); err != nil {
				t.Fatal(err)
			}
			mustSettle(t, s, all...)
			for _, c := range read(t, s, claim(daily, 0, 50e9), claim(flights, 1, 3)) {
				if c.Used != 0 {
					t.Errorf("%s: %d are used", c.Counter.Name, c.Used)
				}
			}
		})
	}
	s, client := open(t, Options{})
	tk := everything()
	mustTake(t, s, tk)
	_ = client.Close()
	if err := s.Settle(t.Context(), []*ledger.Ticket{tk}); err == nil || errors.Is(err, ledger.ErrUndone) {
		t.Errorf("error %v without an answer", err)
	}
}
