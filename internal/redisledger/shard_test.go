package redisledger

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/holysheep/relay/internal/ledger"
	"github.com/holysheep/relay/internal/redistest"
)

// of is everything of one client.
func of(client string) *ledger.Ticket {
	tk := everything()
	for i := range tk.Claims {
		if tk.Claims[i].Counter.OfClient {
			tk.Claims[i].Subject.A = client
		}
	}
	return tk
}

func TestACluster(t *testing.T) {
	cluster := redistest.StartCluster(t)
	client := cluster.Client()
	flush := func(t *testing.T) {
		t.Helper()
		t.Cleanup(func() {
			_ = client.ForEachMaster(context.WithoutCancel(t.Context()), func(ctx context.Context, c *redis.Client) error {
				return c.FlushAll(ctx).Err()
			})
		})
	}
	for _, shard := range []bool{false, true} {
		opts := Options{ShardClients: shard}
		t.Run(fmt.Sprintf("all at once, spread %t", shard), func(t *testing.T) { flush(t); allOfACluster(t, New(client, opts)) })
		t.Run(fmt.Sprintf("a limit for all, spread %t", shard), func(t *testing.T) {
			flush(t)
			limitOfACluster(t, New(client, opts), New(cluster.Client(), opts))
		})
	}
	t.Run("a slot moves", func(t *testing.T) { flush(t); movedInACluster(t, cluster, New(client, Options{})) })
	t.Run("what a later slot refuses is given back", func(t *testing.T) {
		flush(t)
		refusedByACluster(t, New(client, Options{ShardClients: true}))
	})
}

// allOfACluster asks for everything that a store can, of clients in many slots.
func allOfACluster(t *testing.T, s *Store) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var tickets []*ledger.Ticket
	var claims []ledger.Claim
	for i := range 10 {
		tk := of(fmt.Sprint("client ", i))
		for j := range tk.Claims {
			tk.Claims[j].Limit *= 10
		}
		if taken, err := s.Take(ctx, tk); err != nil || !taken {
			t.Fatal(taken, err, tk.Claims)
		}
		for j := range tk.Claims {
			tk.Claims[j].Actual = 0
		}
		tickets, claims = append(tickets, tk), append(claims, tk.Claims...)
	}
	if err := s.Settle(ctx, tickets); err != nil {
		t.Fatal(err)
	}
	for _, c := range read(t, s, claims...) {
		// Of a rate that all have, each keeps what time may have given back.
		if c.Used != 0 && (c.Counter != tokens || c.Used > 25*second) {
			t.Errorf("after all is settled: %+v", c)
		}
	}
	if err := s.Raise(ctx, claims); err != nil {
		t.Error(err)
	}
	if err := s.Reset(ctx, claims); err != nil {
		t.Error(err)
	}
	if b, err := s.Beat(ctx, time.Minute); err != nil || b.Live < 1 {
		t.Error(b, err)
	}
}

// limitOfACluster has many clients ask for their own limit and for one of all.
func limitOfACluster(t *testing.T, stores ...*Store) {
	t.Helper()
	const ofAll = 5
	all := &ledger.Counter{Name: "all.in_flight", Kind: ledger.KindFlight}
	var holders, most, taken atomic.Int64
	var work sync.WaitGroup
	start := time.Now()
	for i := range 40 {
		s := stores[i%len(stores)]
		client := ledger.Subject{A: fmt.Sprint("client ", i)}
		work.Go(func() {
			for time.Since(start) < time.Second {
				tk := ticket(ledger.Claim{Counter: all, Cost: 1, Limit: ofAll},
					ledger.Claim{Counter: flights, Subject: client, Cost: 1, Limit: 1})
				if ok, err := s.Take(t.Context(), tk); err != nil {
					t.Error(err)
				} else if ok {
					taken.Add(1)
					now := holders.Add(1)
					for m := most.Load(); now > m && !most.CompareAndSwap(m, now); m = most.Load() {
					}
					holders.Add(-1)
					mustSettle(t, s, tk)
				}
			}
		})
	}
	work.Wait()
	if most.Load() > ofAll || taken.Load() < 20 {
		t.Errorf("%d held at once what %d may; %d in all", most.Load(), ofAll, taken.Load())
	}
	if left := read(t, stores[0], ledger.Claim{Counter: all, Cost: 1, Limit: ofAll}); left[0].Used != 0 {
		t.Errorf("%d are held by nobody", left[0].Used)
	}
}

func refusedByACluster(t *testing.T, s *Store) {
	t.Helper()
	mustTake(t, s, ticket(claim(tokens, 55*second, 60*second)))
	tk := of("alice")
	tk.Claims[1].Cost = 15 * second // of 5s that are left, once all.tokens is asked
	tk.Claims[3].Shadow = true
	mustRefuse(t, s, tk)
	for _, c := range tk.Claims {
		refused := c.Counter == tokens
		if c.Taken || (c.Wait > 0) != refused || c.Mode != ledger.ModeShared || (c.Used > 0) != refused {
			t.Errorf("%s of a refused ticket: %+v", c.Counter.Name, c)
		}
	}
	for _, c := range read(t, s, slices.DeleteFunc(of("alice").Claims, func(c ledger.Claim) bool { return c.Counter == tokens })...) {
		if c.Used != 0 {
			t.Errorf("%s after a refusal: %+v", c.Counter.Name, c)
		}
	}
	mustTake(t, s, ticket(claim(tokens, 4*second, 60*second), claim(flights, 1, 1)))
}

// movedInACluster moves the slot of all counters while they are used. Between
// the nodes a ticket whose keys are here and there cannot be decided: that is an
// error, and nothing is taken.
func movedInACluster(t *testing.T, cluster *redistest.Cluster, s *Store) {
	t.Helper()
	held := everything()
	mustTake(t, s, held)
	slot := cluster.Slot(s.Key(tokens, ledger.Subject{}))
	move := cluster.Move(slot, cluster.Next(cluster.Owner(slot)))
	move.Begin()
	move.Copy(3)
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	if taken, err := s.Take(ctx, everything()); taken || !redis.HasErrorPrefix(err, "TRYAGAIN") {
		t.Errorf("taken %t, error %v from a slot between two nodes", taken, err)
	}
	mustTake(t, s, ticket(claim(flights, 1, 2)))
	mustTake(t, s, ticket(ledger.Claim{Counter: flights, Subject: ledger.Subject{A: "bob"}, Cost: 1, Limit: 1}))
	for move.Copy(100) > 0 {
	}
	move.End()
	want := []int64{10 * second, 10 * second, 2, 1e9, 1e9, 1e9}
	for i, c := range read(t, s, everything().Claims...) {
		if c.Used > want[i] || c.Used == 0 || c.Used < want[i] && c.Counter.Kind != ledger.KindRate {
			t.Errorf("%s stands at %d in its new node, want %d", c.Counter.Name, c.Used, want[i])
		}
	}
	mustSettle(t, s, held)
}
