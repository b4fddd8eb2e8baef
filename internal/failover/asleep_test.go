package failover

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/holysheep/relay/internal/ledger"
)

// A sleeper is a replica's door that can be held: as when the process is
// stopped, no deadline ends what it asks.
type sleeper struct {
	door
	held chan chan struct{}
}

func (s sleeper) Beat(ctx context.Context, ttl time.Duration) (ledger.Beat, error) {
	select {
	case wake := <-s.held:
		<-wake
	default:
	}
	return s.door.Beat(ctx, ttl)
}

// passes returns how many of 10 flights a replica lets pass.
func (r replica) passes(t *testing.T) (n int) {
	t.Helper()
	for range 10 {
		if _, ok := r.take(t, flightClaim(10)); ok {
			n++
		}
	}
	return n
}

// A replica that was stopped while the others beat, who have forgotten it, gives
// out nothing in an outage that it wakes in, or just before.
func TestAReplicaThatWasStoppedHasNoShare(t *testing.T) {
	tests := []struct {
		name         string
		replicas     int
		store        fault // when it wakes
		awake, other int   // of 10 in flight, let pass
	}{
		{"it wakes in an outage", 0, absent, 0, 10},
		{"it beats once before the outage", 0, well, 0, 10},
		{"the number of replicas is configured", 3, absent, 3, 4},
		{"and it beats once before", 3, well, 3, 4},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newStore()
				opts := Options{Replicas: tt.replicas}
				other := join(t, s, "r00", opts)
				held := make(chan chan struct{}, 1)
				r := replica{Ledger: New(sleeper{door{s, "r01"}, held}, opts)}
				defer func() { _ = r.Close(t.Context()) }()
				time.Sleep(time.Minute) // of the bubble
				wake := make(chan struct{})
				held <- wake
				time.Sleep(time.Minute + time.Second) // of the bubble: between two beats
				s.set(tt.store)
				if tt.store != well {
					fall(t, s, tt.store, []replica{other, r})
					if got := r.passes(t); got != tt.awake {
						t.Errorf("it lets %d pass before it knows, want %d", got, tt.awake)
					}
				}
				close(wake)
				synctest.Wait()
				fall(t, s, absent, []replica{other, r})
				got := r.passes(t)
				if tt.store != well {
					got += tt.awake
				}
				if beside := other.passes(t); got != tt.awake || beside != tt.other {
					t.Errorf("it lets %d pass and the other %d, want %d and %d", got, beside, tt.awake, tt.other)
				}
				rise(t, s, []replica{other, r})
				time.Sleep(10 * time.Second) // of the bubble
				r.mu.Lock()
				defer r.mu.Unlock()
				if r.share.of == 0 {
					t.Error("the store is back, and it has no share")
				}
			})
		})
	}
}

// Who only waits for a store that does not answer was not stopped.
func TestALongOutageIsNoSleep(t *testing.T) {
	for name, how := range map[string]fault{"frozen": frozen, "absent": absent} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newStore()
				all := start(t, s, 2, Options{Deadline: time.Second})
				fall(t, s, how, all)
				time.Sleep(time.Hour) // of the bubble
				if a, b := all[0].passes(t), all[1].passes(t); a != 5 || b != 5 {
					t.Errorf("they let %d and %d pass, want 5 and 5", a, b)
				}
			})
		})
	}
}
