package replicas

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/holysheep/relay/internal/redistest"
)

// TestTheCacheWithoutItsRedis has two relays ask and answer while their Redis is
// hurt and mended: every answer is the right one, of nobody else, and none waits
// for Redis longer than a few deadlines. When Redis is back it is shared again.
func TestTheCacheWithoutItsRedis(t *testing.T) {
	nothing := func(*redistest.Server, *redistest.Proxy) {}
	tests := []struct {
		name       string
		hurt, heal func(s *redistest.Server, p *redistest.Proxy)
	}{
		{"frozen", func(s *redistest.Server, _ *redistest.Proxy) { s.Pause() }, func(s *redistest.Server, _ *redistest.Proxy) { s.Resume() }},
		{"killed", func(s *redistest.Server, _ *redistest.Proxy) { s.Kill() }, func(s *redistest.Server, _ *redistest.Proxy) { s.Restart() }},
		{"slow", func(_ *redistest.Server, p *redistest.Proxy) { p.SetDelay(2 * time.Second) }, func(_ *redistest.Server, p *redistest.Proxy) { p.SetDelay(0) }},
		{"a black hole", func(_ *redistest.Server, p *redistest.Proxy) { p.Blackhole() }, func(_ *redistest.Server, p *redistest.Proxy) { p.Heal() }},
		{"cut off", func(_ *redistest.Server, p *redistest.Proxy) { p.Cut() }, nothing},
		{"refused", func(_ *redistest.Server, p *redistest.Proxy) { p.Refuse() }, func(_ *redistest.Server, p *redistest.Proxy) { p.Heal() }},
		{"full", limited("1"), limited("0")},
		{"flushed", func(s *redistest.Server, _ *redistest.Proxy) { s.Client().FlushAll(context.Background()) }, nothing},
		{"corrupted", corrupt, nothing},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			server := redistest.Start(t)
			proxy := redistest.StartProxy(t, server.Addr())
			p := newParrot(t, 0)
			at := "redis: {addresses: [\"" + proxy.Addr() + "\"]}"
			const deadline = 100 * time.Millisecond
			relays := spawn(t, 2, caching(t, at, p.URL, "redis: {deadline: 100ms}, coalesce: {wait: 2s, lease: 500ms}"))
			before := round(t, relays, "before", 0)
			tt.hurt(server, proxy)
			during := append(round(t, relays, "during", 0), round(t, relays, "before", 1)...)
			tt.heal(server, proxy)
			worst := slices.MaxFunc(during, func(a, b heard) int { return int(a.took - b.took) })
			t.Logf("the slowest answer took %s before and %s during", slices.MaxFunc(before, func(a, b heard) int { return int(a.took - b.took) }).took, worst.took)
			if worst.took > 4*deadline+5*time.Second { // on a machine that may be busy
				t.Errorf("an answer took %s", worst.took)
			}
			i := 0
			redistest.Await(t, "answers are shared again", func() bool {
				i++
				text := fmt.Sprint("after ", i, " ")
				transport := connections(t)
				if first := tell(t.Context(), transport, relays[0], "ada", told(text, false)); first.status != http.StatusOK {
					t.Fatalf("%d %s", first.status, first.body)
				}
				time.Sleep(50 * time.Millisecond) // until it has come to Redis
				return tell(t.Context(), transport, relays[1], "ada", told(text, false)).cache == "HIT"
			})
		})
	}
}

// round has every client ask both relays 20 things at once, in both forms, half of
// them twice, and checks the answers.
func round(t *testing.T, relays []*relay, what string, first int) (all []heard) {
	t.Helper()
	transport := connections(t)
	var wg sync.WaitGroup
	var mu sync.Mutex
	for i := range 20 {
		for n, client := range clients[:2] {
			wg.Go(func() {
				text := fmt.Sprint(client, " ", what, " ", i/2, " ")
				h := tell(t.Context(), transport, relays[(first+i+n)%2], client, told(text, i%3 == 0))
				if h.err != nil || h.status != http.StatusOK {
					t.Errorf("%s: %d %s, %v", text, h.status, h.body, h.err)
				} else {
					says(t, h.body, text, i%3 == 0)
				}
				mu.Lock()
				defer mu.Unlock()
				all = append(all, h)
			})
		}
	}
	wg.Wait()
	return all
}

// limited bounds the memory of Redis.
func limited(bytes string) func(*redistest.Server, *redistest.Proxy) {
	return func(s *redistest.Server, _ *redistest.Proxy) {
		s.Client().ConfigSet(context.Background(), "maxmemory", bytes)
	}
}

// corrupt damages every value that the cache has stored, each in another way.
func corrupt(s *redistest.Server, _ *redistest.Proxy) {
	client := s.Client()
	ctx := context.Background()
	for i, key := range client.Keys(ctx, "*cache:*}").Val() {
		value, _ := client.Get(ctx, key).Bytes()
		switch i % 4 {
		case 0:
			value[len(value)/2] ^= 0xff
			client.Set(ctx, key, value, time.Hour)
		case 1:
			client.Set(ctx, key, value[:len(value)/2], time.Hour)
		case 2:
			client.Del(ctx, key)
			client.LPush(ctx, key, "x")
		default: // the value of another key
			other := client.Keys(ctx, "*cache:*}").Val()[0]
			client.Copy(ctx, other, key, 0, true)
		}
	}
}
