package failover

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/holysheep/relay/internal/ledger"
)

// What the store says after an outage is what it would say had it been asked.
// The time from the outage to the end of the handover is part of that, so the
// rates here come back slowly: a second of them is a thousandth of the limit.
func TestAfterAnOutageTheStoreSaysWhatHasPassed(t *testing.T) {
	slow := tokensClaim(1)
	slow.Limit = 10_000 * second
	cost := func(c ledger.Claim, cost int64) ledger.Claim {
		c.Cost, c.Actual = cost, cost
		return c
	}
	type step struct {
		take    int64 // what is asked for; 0 asks for nothing
		settle  int64 // what the ticket comes to; -1 leaves it open
		replica int
	}
	const open = -1
	tests := []struct {
		name        string
		claim       ledger.Claim
		limit       int64
		before      []step // the outage
		during      []step
		after       map[int]int64 // what the open tickets come to, by their order
		want, later int64         // what is used when the store is back, and when all is settled
	}{
		{"nothing has passed", slow, 0, []step{{take: 4000, settle: 4000}}, nil, nil, 4000, 4000},
		{
			"what passed in two replicas comes upon what was known", slow, 0,
			[]step{{take: 2000, settle: 2000}},
			[]step{{take: 1000, settle: 1000}, {take: 1500, settle: 1500, replica: 1}},
			nil, 4500, 4500,
		},
		{"what was given back is not told", slow, 0, nil, []step{{take: 2000, settle: 500}}, nil, 500, 500},
		{"what is still open is told, and given back later", slow, 0, nil, []step{{take: 2000, settle: open}}, map[int]int64{0: 500}, 2000, 500},
		{"what is still open can become more", slow, 0, nil, []step{{take: 2000, settle: open}}, map[int]int64{0: 2500}, 2000, 2500},
		{"what was taken before and is settled during", slow, 0, []step{{take: 2000, settle: open}}, nil, map[int]int64{0: 2000}, 2000, 2000},
		{
			"money", budgetClaim(1, 1), 10_000,
			[]step{{take: 2000, settle: 2000}},
			[]step{{take: 1000, settle: 700}, {take: 1500, settle: 1500, replica: 1}, {take: 100, settle: open}},
			map[int]int64{0: 50},
			4300, 4250,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				unit := second
				if tt.limit > 0 {
					unit, tt.claim.Limit = 1, tt.limit
				}
				s := newStore()
				all := start(t, s, 2, Options{})
				var left []*ledger.Ticket
				do := func(steps []step) {
					for _, st := range steps {
						tk, ok := all[st.replica].take(t, cost(tt.claim, st.take*unit))
						if !ok {
							t.Fatalf("%+v was refused", st)
						}
						if st.settle == open {
							left = append(left, tk)
							continue
						}
						tk.Claims[0].Actual = st.settle * unit
						all[st.replica].Settle(tk)
					}
					synctest.Wait()
				}
				near := func(when string, want int64) {
					t.Helper()
					look := tt.claim
					got := s.stands(look)
					slack := int64(0)
					if look.Counter.Kind == ledger.KindRate {
						slack = 20 * second // what has come back since
					}
					if got > want*unit || got < want*unit-slack {
						t.Errorf("%s %d is used, want %d or up to %d less", when, got, want*unit, slack)
					}
				}
				do(tt.before)
				fall(t, s, absent, all)
				do(tt.during)
				rise(t, s, all)
				near("when the store is back", tt.want)
				for i, actual := range tt.after {
					left[i].Claims[0].Actual = actual * unit
					all[0].Settle(left[i])
				}
				synctest.Wait()
				near("when all is settled", tt.later)
			})
		})
	}
}

// Time gives back during an outage what it would have given back anyhow, once:
// with a request each second, of one a second, the bucket ends as full as it
// was.
func TestALongOutageOwesWhatTimeHasNotGivenBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStore()
		all := start(t, s, 4, Options{})
		for range 8 {
			all[0].take(t, rateClaim(1))
		}
		for _, r := range all {
			r.take(t, rateClaim(0))
		}
		fall(t, s, absent, all)
		for range 100 {
			for _, r := range all {
				r.take(t, rateClaim(1)) // far more than the rate
			}
			time.Sleep(time.Second)
		}
		s.set(well)
		time.Sleep(time.Second) // of the bubble: time for every probe
		synctest.Wait()
		// Each of the four was at its limit but for less than one request.
		if got := s.stands(rateClaim(0)); got > 10*second || got < 5*second {
			t.Errorf("%d µs of 10 s are used", got)
		}
	})
}

// The example of the comment of debt, a thousand times slower.
func TestTheStoreIsToldOfTheDebtsOfAllReplicas(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStore()
		all := start(t, s, 4, Options{})
		claim := rateClaim(1000)
		claim.Limit, claim.Unit = 10_000*second, 1000*second
		for range 5 {
			all[0].take(t, claim)
		}
		look := claim
		look.Cost = 0
		for _, r := range all {
			r.take(t, look)
		}
		fall(t, s, absent, all)
		for i, r := range all {
			if _, ok := r.take(t, claim); !ok {
				t.Fatalf("rank %d has refused", i)
			}
		}
		time.Sleep(8000 * time.Second) // of the bubble
		rise(t, s, all)
		if got := s.stands(look); got > 1000*second || got < 990*second {
			t.Errorf("%d µs are used, want 1000 s and little less", got)
		}
	})
}

func TestWhatOneFailedRequestTookIsHandedOverSoon(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStore()
		all := start(t, s, 2, Options{})
		s.set(broken)
		tk, ok := all[0].take(t, budgetClaim(30, 100), flightClaim(2))
		s.set(well)
		if !ok || tk.Claims[0].Mode != ledger.ModeLocal {
			t.Fatalf("passed %t by %s", ok, tk.Claims[0].Mode)
		}
		time.Sleep(time.Second) // of the bubble
		if money, held := s.stands(budgetClaim(0, 100)), s.stands(flightClaim(2)); money != 30 || held != 1 {
			t.Errorf("spent %d and in flight %d, want 30 and 1", money, held)
		}
		tk.Claims[0].Actual = 10
		all[0].Settle(tk)
		synctest.Wait()
		if money, held := s.stands(budgetClaim(0, 100)), s.stands(flightClaim(2)); money != 10 || held != 0 {
			t.Errorf("spent %d and in flight %d, want 10 and 0", money, held)
		}
		if all[0].told().handed != 1 {
			t.Errorf("handed over %d counters, want 1", all[0].told().handed)
		}
	})
}

func TestAStoreThatLostItsDataIsToldWhatIsKnown(t *testing.T) {
	for name, outage := range map[string]bool{"in an outage": true, "between two beats": false} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newStore()
				all := start(t, s, 2, Options{})
				slow := tokensClaim(4000 * second)
				slow.Limit = 10_000 * second
				tk, _ := all[0].take(t, slow, budgetClaim(40, 100), flightClaim(4))
				slow.Cost = 0
				all[1].take(t, slow, budgetClaim(0, 100)) // knows it too
				if outage {
					fall(t, s, absent, all)
					all[1].take(t, budgetClaim(5, 100))
				}
				s.lose()
				rise(t, s, all)
				want := int64(40)
				if outage {
					want = 45
				}
				if got := s.stands(budgetClaim(0, 100)); got != want {
					t.Errorf("spent %d, want %d", got, want)
				}
				if got := s.stands(slow); got > 4000*second || got < 3980*second {
					t.Errorf("of the rate %d is used, want 4000 s and little less", got)
				}
				if got := s.stands(flightClaim(4)); got != 1 {
					t.Errorf("in flight %d, want 1", got)
				}
				all[0].Settle(tk)
				synctest.Wait()
				if got := s.stands(flightClaim(4)); got != 0 {
					t.Errorf("in flight %d after the settlement", got)
				}
			})
		})
	}
}

// What was in flight before, during and after stays in flight, and ends.
func TestNoFlightLeaksOrIsForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStore()
		all := start(t, s, 2, Options{})
		before, _ := all[0].take(t, flightClaim(10))
		ends, _ := all[0].take(t, flightClaim(10))
		fall(t, s, mute, all)
		during, ok := all[0].take(t, flightClaim(10))
		if !ok {
			t.Fatal("refused")
		}
		all[0].Settle(ends)
		time.Sleep(2 * leaseFor) // of the bubble: at the store all leases end
		rise(t, s, all)
		if got := s.stands(flightClaim(10)); got != 2 {
			t.Errorf("in flight %d, want 2", got)
		}
		time.Sleep(2 * leaseFor) // of the bubble: they are renewed
		if got := s.stands(flightClaim(10)); got != 2 {
			t.Errorf("in flight %d a minute later, want 2", got)
		}
		all[0].Settle(before)
		all[0].Settle(during)
		synctest.Wait()
		if got := s.stands(flightClaim(10)); got != 0 {
			t.Errorf("in flight %d, want none", got)
		}
	})
}
