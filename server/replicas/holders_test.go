package replicas

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
)

// released fails if a slot is still held when no request is in flight, a lease
// later: a release that Redis forgot in a failover ends with that.
func released(t *testing.T, client redis.UniversalClient) {
	t.Helper()
	begin := time.Now()
	for {
		held := holders(t, client)
		if len(held) == 0 {
			t.Logf("all slots are free after %s", time.Since(begin).Round(time.Millisecond))
			return
		}
		if time.Since(begin) > lease+20*time.Second {
			t.Errorf("still held: %v", held)
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
}

// holders returns how many hold each counter of flights.
func holders(t *testing.T, client redis.UniversalClient) map[string]int64 {
	t.Helper()
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
	var err error
	if cluster, ok := client.(*redis.ClusterClient); ok {
		err = cluster.ForEachMaster(t.Context(), func(ctx context.Context, c *redis.Client) error { return count(ctx, c) })
	} else {
		err = count(t.Context(), client)
	}
	if err != nil {
		t.Fatal(err)
	}
	return held
}
