package redisledger

import (
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/holysheep/relay/internal/ledger"
	"github.com/holysheep/relay/internal/redistest"
)

// crowd has n goroutines ask two replicas for some time, and returns how many
// tickets were taken and from when to when.
func crowd(t *testing.T, n int, ask func(s *Store) (taken bool)) (taken int64, span time.Duration) {
	t.Helper()
	addr := redistest.Start(t).Addr()
	stores := []*Store{New(clientOf(t, addr), Options{}), New(clientOf(t, addr), Options{})}
	var count atomic.Int64
	var all sync.WaitGroup
	start := time.Now()
	for i := range n {
		all.Go(func() {
			for time.Since(start) < time.Second {
				if ask(stores[i%2]) {
					count.Add(1)
				}
			}
		})
	}
	all.Wait()
	return count.Load(), time.Since(start)
}

func TestARateIsExactOverReplicas(t *testing.T) {
	const burst, every = 50, second / 200 // 200 a second
	taken, span := crowd(t, 200, func(s *Store) bool {
		ok, err := s.Take(t.Context(), ticket(claim(requests, every, burst*every), claim(tokens, 0, second)))
		if err != nil {
			t.Error(err)
		}
		return ok
	})
	// A machine that is busy for a quarter of a second loses nothing yet.
	if most := burst + span.Microseconds()/every; taken > most || taken < most-burst {
		t.Errorf("%d were taken in %s, want %d at most", taken, span, most)
	}
}

func TestHoldersAreNeverMoreThanTheLimit(t *testing.T) {
	const limit = 7
	var holders, most atomic.Int64
	taken, _ := crowd(t, 200, func(s *Store) bool {
		tk := ticket(claim(flights, 1, limit))
		ok, err := s.Take(t.Context(), tk)
		if err != nil || !ok {
			return false
		}
		now := holders.Add(1)
		for {
			if m := most.Load(); now <= m || most.CompareAndSwap(m, now) {
				break
			}
		}
		holders.Add(-1)
		mustSettle(t, s, tk)
		return true
	})
	if got := most.Load(); got > limit {
		t.Errorf("%d held at once what %d may", got, limit)
	}
	if taken < 50 {
		t.Errorf("only %d tickets were taken", taken)
	}
}

func TestABudgetIsExactOverReplicas(t *testing.T) {
	const limit, reserved, actual = 1000, 10, 3
	taken, _ := crowd(t, 100, func(s *Store) bool {
		tk := ticket(claim(rolling, reserved, limit))
		ok, err := s.Take(t.Context(), tk)
		if err != nil || !ok {
			return false
		}
		tk.Claims[0].Actual = actual
		mustSettle(t, s, tk)
		return true
	})
	// The last is taken when limit-reserved is spent at most.
	if most := int64(limit-reserved)/actual + 1; taken != most {
		t.Errorf("%d tickets of %d were taken of %d, want %d", taken, actual, limit, most)
	}
}

// Two replicas may count their leases alike: these are still different flights.
func TestAnyReplicaSeesWhatAnotherTakes(t *testing.T) {
	a, client := open(t, Options{Instance: "a"})
	b := New(client, Options{Prefix: "test:", Instance: "b"})
	one, other := ticket(claim(flights, 1, 2)), ticket(claim(flights, 1, 2))
	mustTake(t, a, one)
	mustTake(t, b, other)
	if one.Lease != other.Lease {
		t.Fatalf("leases %d and %d: the test wants them equal", one.Lease, other.Lease)
	}
	full := ticket(claim(flights, 1, 2))
	mustRefuse(t, a, full)
	if got := full.Claims[0].Wait; got != ledger.Unknown {
		t.Errorf("the wait for what is held is %d", got)
	}
	mustSettle(t, b, other)
	mustTake(t, a, full)
}
