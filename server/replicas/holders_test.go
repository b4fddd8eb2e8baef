package replicas

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
)

// released fails if a slot is still held so long after the last request.
func released(t *testing.T, client redis.UniversalClient, within time.Duration) {
	t.Helper()
	begin := time.Now()
	for {
		held := holders(t, client)
		if len(held) == 0 {
			t.Logf("all slots are free after %s", time.Since(begin).Round(time.Millisecond))
			return
		}
		if time.Since(begin) > within {
			t.Errorf("still held: %v", held)
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
}

// holders returns how many hold each counter of flights.
func holders(t *testing.T, client redis.UniversalClient) map[string]int64 {
	t.Helper()
	held, err := look(t.Context(), client)
	if err != nil {
		t.Fatal(err)
	}
	return held
}

func look(ctx context.Context, client redis.UniversalClient) (map[string]int64, error) {
	var mu sync.Mutex // the nodes of a cluster are asked at once
	held := map[string]int64{}
	count := func(ctx context.Context, c redis.Cmdable) error {
		keys := c.Scan(ctx, 0, "*.in_flight*", 1000).Iterator()
		for keys.Next(ctx) {
			n, err := client.ZCard(ctx, keys.Val()).Result()
			if err != nil {
				return err
			}
			mu.Lock()
			held[keys.Val()] = n
			mu.Unlock()
		}
		return keys.Err()
	}
	if cluster, ok := client.(*redis.ClusterClient); ok {
		return held, cluster.ForEachMaster(ctx, func(ctx context.Context, c *redis.Client) error { return count(ctx, c) })
	}
	return held, count(ctx, client)
}

// A seen is the most that held one counter when somebody looked.
type seen struct {
	begin, end time.Time
	most       int64
}

// watchHolders looks every so often who holds slots, and returns what ends that
// and returns what was seen. While Redis does not answer it sees nothing.
func watchHolders(t *testing.T, client redis.UniversalClient, pause time.Duration) (ended func() []seen) {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	found := make(chan []seen, 1)
	go func() {
		var all []seen
		for ctx.Err() == nil {
			s := seen{begin: time.Now()}
			bounded, cancel := context.WithTimeout(ctx, time.Second)
			held, err := look(bounded, client)
			cancel()
			for _, n := range held {
				s.most = max(s.most, n)
			}
			if s.end = time.Now(); err == nil {
				all = append(all, s)
			}
			time.Sleep(pause)
		}
		found <- all
	}()
	return func() []seen { stop(); return <-found }
}

// most returns how many held one counter at one time.
func most(all []seen) (n int64) {
	for _, s := range all {
		n = max(n, s.most)
	}
	return n
}
