package shelf

import (
	"context"
	"log/slog"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/redis/go-redis/v9"

	"github.com/holysheep/relay/internal/answer"
	"github.com/holysheep/relay/internal/redistest"
)

// counts are what a shelf reports.
type counts struct{ failed, damaged atomic.Int64 }

// open returns a shelf in front of client, which may be nil.
func open(t *testing.T, client redis.UniversalClient, c *counts) *Shelf {
	t.Helper()
	s, err := New(Options{
		MaxBytes: 1 << 20, MaxValue: 100_000, Redis: client, Prefix: "p[1]:", Deadline: 2 * time.Second,
		Log: slog.New(slog.DiscardHandler), Now: time.Now,
		Failed: func(string) { c.failed.Add(1) }, Damaged: func() { c.damaged.Add(1) },
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// placed returns a place of a tenant and a model.
func placed(tenant, model, id byte) answer.Place {
	p := answer.Place{Name: answer.Name{Tenant: [8]byte{tenant}, Model: [4]byte{model}, ID: [8]byte{id}}}
	p.Key = answer.Key{id, tenant, model}
	return p
}

func told(p answer.Place, body string) *answer.Answer {
	return &answer.Answer{Key: p.Key, Type: "text/plain", Body: []byte(body), Since: time.Now().Round(0), Most: time.Hour}
}

func always(*answer.Answer) bool { return true }
func never(*answer.Answer) bool  { return false }

func TestMemoryAlone(t *testing.T) {
	s := open(t, nil, &counts{})
	p := placed(1, 1, 1)
	if a, tier := s.Get(t.Context(), p, always); a != nil || tier != None {
		t.Errorf("Get = %v from %d, want nothing", a, tier)
	}
	a := told(p, "a")
	s.Put(p, a)
	s.Share(t.Context(), p, a, time.Hour)
	if got, tier := s.Get(t.Context(), p, never); got != a || tier != Memory {
		t.Errorf("Get = %v from %d, want what there is", got, tier)
	}
	if l, standing, _ := s.Lease(t.Context(), p, time.Second); l != nil || standing != Unknown {
		t.Errorf("Lease = %v, %d, want none", l, standing)
	}
	if n, err := s.Purge(t.Context(), What{Tenant: &p.Name.Tenant}); n.Memory != 1 || err != nil {
		t.Errorf("Purge = %v, %v, want 1", n, err)
	}
	if !s.Purged(p.Name, time.Now().Add(-time.Second)) || s.Purged(p.Name, time.Now().Add(time.Second)) || s.Purged(placed(2, 1, 1).Name, time.Time{}) {
		t.Error("Purged does not tell what was purged when")
	}
}

func TestTwoShelvesShareRedis(t *testing.T) {
	server := redistest.Start(t)
	one, other := open(t, server.Client(), &counts{}), open(t, server.Client(), &counts{})
	p := placed(1, 1, 1)
	first := told(p, "first")
	one.Share(t.Context(), p, first, time.Hour)
	got, tier := other.Get(t.Context(), p, always)
	if diff := cmp.Diff(first, got); diff != "" || tier != Redis {
		t.Errorf("from %d (-want +got):\n%s", tier, diff)
	}
	if _, tier := other.Get(t.Context(), p, always); tier != Memory {
		t.Errorf("the second time it is from %d, want memory", tier)
	}
	second := told(p, "second")
	second.Since = first.Since.Add(time.Second)
	one.Share(t.Context(), p, second, time.Hour)
	if got, tier := other.Get(t.Context(), p, never); tier != Redis || string(got.Body) != "second" {
		t.Errorf("what is not fresh here is %s from %d, want the younger one from Redis", got.Body, tier)
	}
	keys := server.Client().Keys(t.Context(), "*").Val()
	if diff := cmp.Diff([]string{"p[1]:cache:0100000000000000:01000000:{0100000000000000}"}, keys); diff != "" {
		t.Errorf("keys (-want +got):\n%s", diff)
	}
	if ttl := server.Client().PTTL(t.Context(), keys[0]).Val(); ttl <= 0 || ttl > time.Hour {
		t.Errorf("it lasts for %s, want an hour", ttl)
	}
}

// What stands in Redis by somebody else's hand is no answer, and what is none at
// all is removed.
func TestForeignValues(t *testing.T) {
	server := redistest.Start(t)
	client := server.Client()
	p := placed(1, 1, 1)
	c := answer.NewCodec()
	good := c.Encode(told(p, "good"))
	key := "p[1]:cache:0100000000000000:01000000:{0100000000000000}"
	damaged, newer := append([]byte(nil), good...), append([]byte(nil), good...)
	damaged[len(damaged)/2] ^= 1
	newer[3]++
	other := c.Encode(&answer.Answer{Key: answer.Key{9}, Since: time.Unix(0, 0)})
	tests := []struct {
		name    string
		set     func(ctx context.Context) error
		removed bool
	}{
		{"a text", func(ctx context.Context) error { return client.Set(ctx, key, "hello", 0).Err() }, true},
		{"nothing", func(ctx context.Context) error { return client.Set(ctx, key, "", 0).Err() }, false},
		{"a list", func(ctx context.Context) error { return client.LPush(ctx, key, "hello").Err() }, true},
		{"a damaged answer", func(ctx context.Context) error { return client.Set(ctx, key, damaged, 0).Err() }, true},
		{"half an answer", func(ctx context.Context) error { return client.Set(ctx, key, good[:len(good)/2], 0).Err() }, true},
		{"that of another version", func(ctx context.Context) error { return client.Set(ctx, key, newer, 0).Err() }, false},
		{"the answer to another question", func(ctx context.Context) error { return client.Set(ctx, key, other, 0).Err() }, false},
		{"a huge one", func(ctx context.Context) error {
			a := told(p, "")
			a.Body = make([]byte, 200_000)
			return client.Set(ctx, key, c.Encode(a), 0).Err()
		}, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var seen counts
			s := open(t, client, &seen)
			if err := client.Del(t.Context(), key).Err(); err != nil {
				t.Fatal(err)
			}
			if err := tt.set(t.Context()); err != nil {
				t.Fatal(err)
			}
			if a, tier := s.Get(t.Context(), p, always); a != nil || tier != None {
				t.Errorf("Get = %v from %d, want nothing", a, tier)
			}
			left := client.Exists(t.Context(), key).Val()
			if (left == 0) != tt.removed || (seen.damaged.Load() == 1) != tt.removed || seen.failed.Load() != 0 {
				t.Errorf("%d left, %d damaged, %d failures, want removed %t", left, seen.damaged.Load(), seen.failed.Load(), tt.removed)
			}
			s.Share(t.Context(), p, told(p, "good"), time.Hour)
			if a, _ := s.Get(t.Context(), p, always); a == nil || string(a.Body) != "good" {
				t.Errorf("after a good one was stored Get = %v", a)
			}
		})
	}
}

func TestLeases(t *testing.T) {
	server := redistest.Start(t)
	one, other := open(t, server.Client(), &counts{}), open(t, server.Client(), &counts{})
	p := placed(1, 1, 1)
	held, standing, _ := one.Lease(t.Context(), p, 300*time.Millisecond)
	if standing != Taken {
		t.Fatalf("Lease = %d, want it taken", standing)
	}
	if l, standing, _ := other.Lease(t.Context(), p, time.Second); l != nil || standing != Held {
		t.Errorf("another's Lease = %v, %d, want none", l, standing)
	}
	// It is renewed: three times as long as it lasts it is there.
	first := server.Client().Get(t.Context(), "p[1]:cache:0100000000000000:01000000:{0100000000000000}:lease").Val()
	for range 9 {
		<-time.After(100 * time.Millisecond)
		if got := server.Client().Get(t.Context(), "p[1]:cache:0100000000000000:01000000:{0100000000000000}:lease").Val(); got != first {
			t.Fatalf("the lease is %q, want %q", got, first)
		}
	}
	// Who waits gets the answer when it comes.
	done := make(chan string)
	go func() {
		a, tier := other.Await(t.Context(), p, always)
		if a == nil || tier != Redis {
			done <- "nothing"
			return
		}
		done <- string(a.Body)
	}()
	one.Share(t.Context(), p, told(p, "a"), time.Hour)
	held.Release(t.Context())
	held.Release(t.Context())
	if got := <-done; got != "a" {
		t.Errorf("who waited got %s", got)
	}
	l, standing, _ := other.Lease(t.Context(), p, time.Second)
	if standing != Taken {
		t.Errorf("a lease that was released is %d, want it taken", standing)
	}
	held.Release(t.Context()) // which is not its own any more
	if _, standing, _ := one.Lease(t.Context(), p, time.Second); standing != Held {
		t.Errorf("a lease that another released is %d, want it held", standing)
	}
	// With a lease comes what was stored since.
	l.Release(t.Context())
	if l, standing, a := one.Lease(t.Context(), p, time.Second); standing != Taken || a == nil || string(a.Body) != "a" {
		t.Errorf("Lease = %d with %v, want it taken with the answer", standing, a)
	} else {
		l.Release(t.Context())
	}
}

// Who waits for a holder that fails, or crashes, learns of it.
func TestAwaitEnds(t *testing.T) {
	server := redistest.Start(t)
	one, other := open(t, server.Client(), &counts{}), open(t, server.Client(), &counts{})
	p := placed(1, 1, 1)
	held, _, _ := one.Lease(t.Context(), p, 10*time.Second)
	done := make(chan *answer.Answer)
	wait := func(ctx context.Context) {
		a, _ := other.Await(ctx, p, always)
		done <- a
	}
	go wait(t.Context())
	held.Release(t.Context())
	if a := <-done; a != nil {
		t.Errorf("it got %v, want nothing", a)
	}
	crashed, _, _ := one.Lease(t.Context(), p, 500*time.Millisecond)
	one.leases.mu.Lock()
	delete(one.leases.held, crashed) // nobody renews it
	one.leases.mu.Unlock()
	go wait(t.Context())
	if a := <-done; a != nil {
		t.Errorf("it got %v, want nothing", a)
	}
	if _, standing, _ := other.Lease(t.Context(), p, 10*time.Second); standing != Taken {
		t.Errorf("the lease of a crashed one is %d, want it taken", standing)
	}
	ctx, cancel := context.WithCancel(t.Context())
	go wait(ctx)
	cancel()
	if a := <-done; a != nil {
		t.Errorf("it got %v, want nothing", a)
	}
}
