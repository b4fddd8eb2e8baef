package redisledger

import (
	"context"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/holysheep/relay/internal/ledger"
)

// both is the ledger in memory and the one in Redis, which are asked the same at
// the same time.
type both struct {
	*rapid.T
	now    int64
	memory *ledger.Memory
	redis  *Store
	open   [][2]*ledger.Ticket // the same ticket in memory and in Redis
}

// claims draws a few claims on different counters: of the calendar, rolling,
// with numbers that change, small and large.
func (b *both) claims() []ledger.Claim {
	var all []ledger.Claim
	for _, c := range []*ledger.Counter{requests, tokens, flights, daily, monthly, rolling} {
		if !rapid.Bool().Draw(b.T, "with "+c.Name) {
			continue
		}
		limit, cost := int64(3), int64(1)
		if c.Kind != ledger.KindFlight {
			limit = rapid.SampledFrom([]int64{0, 1_000_003, 2_000_000, 7_777_777}).Draw(b.T, "limit")
			cost = rapid.Int64Range(0, 2_500_000).Draw(b.T, "cost")
		}
		one := claim(c, cost, limit)
		one.Shadow = rapid.IntRange(0, 3).Draw(b.T, "shadow") == 0
		if c.OfClient {
			one.Subject.A = rapid.SampledFrom([]string{"", "alice", "bob"}).Draw(b.T, "client")
		}
		all = append(all, one)
	}
	return all
}

func (b *both) wait() {
	b.now += rapid.OneOf(rapid.Int64Range(0, 3_000_000), rapid.Int64Range(0, 40*24*3600*second)).Draw(b.T, "wait")
}

func (b *both) take() {
	m := ticket(b.claims()...)
	r := ticket(append([]ledger.Claim(nil), m.Claims...)...)
	want := b.memory.Take(m)
	got, err := b.redis.Take(context.Background(), r)
	if err != nil || got != want {
		b.Fatalf("taken %t, error %v, want %t: %+v", got, err, want, m.Claims)
	}
	b.same(r.Claims, m.Claims)
	if want {
		b.open = append(b.open, [2]*ledger.Ticket{m, r})
	}
}

func (b *both) settle() {
	if len(b.open) == 0 {
		return
	}
	i := rapid.IntRange(0, len(b.open)-1).Draw(b.T, "settled")
	m, r := b.open[i][0], b.open[i][1]
	b.open = append(b.open[:i], b.open[i+1:]...)
	for j := range m.Claims {
		actual := rapid.Int64Range(0, 5_000_000).Draw(b.T, "actual")
		m.Claims[j].Actual, r.Claims[j].Actual = actual, actual
	}
	b.memory.Settle(m)
	if err := b.redis.Settle(context.Background(), []*ledger.Ticket{r}); err != nil {
		b.Fatal(err)
	}
}

func (b *both) read() {
	m := b.claims()
	r := append([]ledger.Claim(nil), m...)
	b.memory.Read(m)
	if err := b.redis.Read(context.Background(), r); err != nil {
		b.Fatal(err)
	}
	b.same(r, m)
}

// same compares all but the mode.
func (b *both) same(got, want []ledger.Claim) {
	for i := range want {
		g, w := got[i], want[i]
		g.Mode = w.Mode
		if diff := cmp.Diff(w, g); diff != "" {
			b.Fatalf("%s at %d (-memory +redis):\n%s", w.Counter.Name, b.now, diff)
		}
	}
}

func TestRedisDecidesAsMemoryDoes(t *testing.T) {
	var clock int64
	s, client := open(t, Options{Clock: func() int64 { return clock }})
	rapid.Check(t, func(t *rapid.T) {
		if err := client.FlushDB(context.Background()).Err(); err != nil {
			t.Fatal(err)
		}
		s.SetLease(100 * 366 * 24 * time.Hour) // nobody renews here
		b := &both{T: t, redis: s, now: rapid.Int64Range(0, 4e9).Draw(t, "start") * second}
		s.opts.Clock = func() int64 { return b.now }
		b.memory = ledger.NewMemory(func() time.Time { return time.UnixMicro(b.now) })
		t.Repeat(map[string]func(*rapid.T){
			"wait":   func(*rapid.T) { b.wait() },
			"take":   func(*rapid.T) { b.take() },
			"settle": func(*rapid.T) { b.settle() },
			"read":   func(*rapid.T) { b.read() },
		})
	})
}
