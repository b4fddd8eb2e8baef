package redisledger

import (
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/holysheep/relay/internal/ledger"
	"github.com/holysheep/relay/internal/redistest"
)

// crowd has n goroutines ask two replicas for a second, and on a slow machine
// until so many tickets were taken, for half a minute at most. It returns how many
// were, and how long it took.
func crowd(t *testing.T, n int, least int64, ask func(s *Store) (taken bool)) (taken int64, span time.Duration) {
	t.Helper()
	addr := redistest.Start(t).Addr()
	stores := []*Store{New(clientOf(t, addr), Options{}), New(clientOf(t, addr), Options{})}
	var count atomic.Int64
	var all sync.WaitGroup
	start := time.Now()
	for i := range n {
		all.Go(func() {
			for d := time.Since(start); d < time.Second || count.Load() < least && d < 30*time.Second; d = time.Since(start) {
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
	var mu sync.Mutex
	var refused []int64 // when, by the clock of the store
	taken, span := crowd(t, 200, burst, func(s *Store) bool {
		tk := ticket(claim(requests, every, burst*every), claim(tokens, 0, second))
		ok, err := s.Take(t.Context(), tk)
		switch {
		case err != nil:
			t.Error(err)
		case !ok:
			mu.Lock()
			defer mu.Unlock()
			refused = append(refused, tk.Claims[0].At)
		}
		return ok
	})
	if most := burst + span.Microseconds()/every; taken > most {
		t.Errorf("%d were taken in %s, want %d at most", taken, span, most)
	}
	// Whenever one is refused the bucket has less than one. It gets full only if
	// none is for long, because the machine is busy.
	if least := burst - 1 + held(refused, (burst-1)*every)/every; taken < least {
		t.Errorf("%d were taken in %s, want %d at least", taken, span, least)
	}
}

// held returns for how long, from the first to the last, a bucket was not full
// that takes so long to fill from any of the instants.
func held(instants []int64, fills int64) (d int64) {
	slices.Sort(instants)
	for i := 1; i < len(instants); i++ {
		d += min(instants[i]-instants[i-1], fills)
	}
	return d
}

func TestHoldersAreNeverMoreThanTheLimit(t *testing.T) {
	const limit = 7
	var holders, most atomic.Int64
	const enough = 50
	taken, _ := crowd(t, 200, enough, func(s *Store) bool {
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
	if taken < enough {
		t.Errorf("only %d tickets were taken", taken)
	}
}

func TestABudgetIsExactOverReplicas(t *testing.T) {
	const limit, reserved, actual = 1000, 10, 3
	// The last is taken when limit-reserved is spent at most.
	const most = (limit-reserved)/actual + 1
	taken, _ := crowd(t, 100, most, func(s *Store) bool {
		tk := ticket(claim(rolling, reserved, limit))
		ok, err := s.Take(t.Context(), tk)
		if err != nil || !ok {
			return false
		}
		tk.Claims[0].Actual = actual
		mustSettle(t, s, tk)
		return true
	})
	if taken != most {
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
