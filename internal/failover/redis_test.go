package failover

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/holysheep/relay/internal/ledger"
	"github.com/holysheep/relay/internal/redisledger"
	"github.com/holysheep/relay/internal/redistest"
)

// onRedis starts n replicas of one Redis, and waits until each has its share.
func onRedis(t *testing.T, addr string, n int) []replica {
	t.Helper()
	all := make([]replica, n)
	for i := range all {
		client := redis.NewClient(&redis.Options{
			Addr: addr, MaxRetries: -1, ContextTimeoutEnabled: true, DisableIdentity: true, PoolSize: 30,
		})
		seen := &watcher{}
		store := redisledger.New(client, redisledger.Options{Instance: fmt.Sprint("r", i)})
		l := New(store, Options{Beat: 200 * time.Millisecond, Probe: 50 * time.Millisecond, Observer: seen})
		t.Cleanup(func() {
			ctx, cancel := context.WithTimeout(context.Background(), time.Second)
			defer cancel()
			_ = l.Close(ctx)
			_ = client.Close()
		})
		all[i] = replica{Ledger: l, seen: seen}
	}
	await(t, "every replica has its share", func() bool {
		for _, r := range all {
			r.mu.Lock()
			s := r.share
			r.mu.Unlock()
			if s.of != int64(n) {
				return false
			}
		}
		return true
	})
	return all
}

// await waits for what takes a moment, and fails after half a minute.
func await(t *testing.T, what string, ask func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !ask() {
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatalf("in half a minute it did not come to that: %s", what)
		}
	}
}

// waits are the longest that a request has waited, and the longest that a
// goroutine which slept was woken too late: as slow as that the machine is.
type waits struct {
	mu          sync.Mutex
	asked, late time.Duration
}

// add takes in one more request, and one more sleep after it.
func (w *waits) add(asked, late time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.asked, w.late = max(w.asked, asked), max(w.late, late)
}

// load has every replica take and settle for as long as ask says, from ten
// goroutines each, and notes how long they wait.
func (w *waits) load(t *testing.T, all []replica, ask func() bool) {
	t.Helper()
	const pause = time.Millisecond
	var wg sync.WaitGroup
	end := make(chan struct{})
	for _, r := range all {
		for range 10 {
			wg.Go(func() {
				for {
					select {
					case <-end:
						return
					default:
					}
					tk := ticket(flightClaim(40), budgetClaim(10, 1e15))
					begin := time.Now()
					ok := r.Take(context.Background(), tk)
					waited := time.Since(begin)
					if ok {
						tk.Claims[1].Actual = 3
						r.Settle(tk)
					}
					begin = time.Now()
					time.Sleep(pause)
					w.add(waited, time.Since(begin)-pause)
				}
			})
		}
	}
	await(t, "what goes on under load", ask)
	close(end)
	wg.Wait()
}

// stands returns how one claim's counter stands in the store, by a replica.
func (r replica) stands(t *testing.T, c ledger.Claim) ledger.Claim {
	t.Helper()
	claims := []ledger.Claim{c}
	await(t, "the store says it", func() bool {
		if err := r.Read(t.Context(), claims); err != nil {
			t.Fatal(err)
		}
		return claims[0].Mode == ledger.ModeShared
	})
	return claims[0]
}

func down(all []replica) func() bool {
	return func() bool {
		for _, r := range all {
			if !r.Down() {
				return false
			}
		}
		return true
	}
}

// up returns whether every replica takes the store for up. Under load there may
// always be something that it has not yet settled.
func up(all []replica) func() bool {
	return func() bool { return !slices.ContainsFunc(all, func(r replica) bool { return r.Down() }) }
}

// settled returns whether every replica also has told the store everything.
func settled(all []replica) func() bool {
	return func() bool {
		return up(all)() && !slices.ContainsFunc(all, func(r replica) bool { return r.backlog() > 0 })
	}
}

func TestAgainstARealRedis(t *testing.T) {
	tests := []struct {
		name       string
		fail, mend func(s *redistest.Server, p *redistest.Proxy)
	}{
		{
			"frozen",
			func(s *redistest.Server, _ *redistest.Proxy) { s.Pause() },
			func(s *redistest.Server, _ *redistest.Proxy) { s.Resume() },
		},
		{
			"a black hole on the way",
			func(_ *redistest.Server, p *redistest.Proxy) { p.Blackhole() },
			func(_ *redistest.Server, p *redistest.Proxy) { p.Heal() },
		},
		{
			"a way that takes too long",
			func(_ *redistest.Server, p *redistest.Proxy) { p.SetDelay(200 * time.Millisecond) },
			func(_ *redistest.Server, p *redistest.Proxy) { p.SetDelay(0) },
		},
		{
			"nobody there",
			func(_ *redistest.Server, p *redistest.Proxy) { p.Refuse() },
			func(_ *redistest.Server, p *redistest.Proxy) { p.Heal() },
		},
		{
			"killed and empty",
			func(s *redistest.Server, _ *redistest.Proxy) { s.Kill() },
			func(s *redistest.Server, _ *redistest.Proxy) { s.Restart() },
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			server := redistest.Start(t)
			proxy := redistest.StartProxy(t, server.Addr())
			all := onRedis(t, proxy.Addr(), 2)
			held, ok := all[0].take(t, flightClaim(40), budgetClaim(1000, 1e15))
			if !ok {
				t.Fatal("refused")
			}
			all[1].stands(t, budgetClaim(0, 1e15))

			tt.fail(server, proxy)
			var w waits
			w.load(t, all, down(all))
			w.load(t, all, func() bool { return all[0].Down() })
			tt.mend(server, proxy)
			w.load(t, all, up(all))
			t.Logf("the longest wait was %s, on a machine that is late by %s", w.asked, w.late)
			// The deadline is 50 ms. A request that waits for its end and its
			// answer, and for others, sleeps a few times.
			if w.asked > time.Second+5*w.late {
				t.Errorf("a request waited for %s, on a machine that is late by %s", w.asked, w.late)
			}

			await(t, "all is settled", settled(all))
			if c := all[1].stands(t, budgetClaim(0, 1e15)); c.Used < 1000 {
				t.Errorf("spent %d, want 1000 at least", c.Used)
			}
			if c := all[1].stands(t, flightClaim(40)); c.Used != 1 {
				t.Errorf("in flight %d, want the one that is", c.Used)
			}
			all[0].Settle(held)
			await(t, "nothing is in flight", func() bool { return all[1].stands(t, flightClaim(40)).Used == 0 })
		})
	}
}

// A Redis that is full answers all the same. The replicas go by their shares,
// and do not ask it all the time.
func TestARedisThatIsFull(t *testing.T) {
	server := redistest.Start(t)
	client := server.Client()
	all := onRedis(t, server.Addr(), 1)
	if err := client.ConfigSet(t.Context(), "maxmemory", "1").Err(); err != nil {
		t.Fatal(err)
	}
	new(waits).load(t, all, down(all))
	tk, ok := all[0].take(t, budgetClaim(10, 1e15))
	if !ok || tk.Claims[0].Mode != ledger.ModeLocal {
		t.Errorf("passed %t by %s", ok, tk.Claims[0].Mode)
	}
	if err := client.ConfigSet(t.Context(), "maxmemory", "0").Err(); err != nil {
		t.Fatal(err)
	}
	await(t, "the store is up", settled(all))
	if c := all[0].stands(t, budgetClaim(0, 1e15)); c.Used < 10 {
		t.Errorf("spent %d, want what was let pass", c.Used)
	}
}
