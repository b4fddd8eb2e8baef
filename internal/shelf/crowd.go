package shelf

import (
	"context"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"
)

const (
	// crowded is which part of its memory Redis may have in use for answers to be
	// added: the rest is for what others keep there, such as counters, which a
	// full Redis would refuse.
	crowded = 0.75

	// looking is every how many polls that is looked at.
	looking = 5
)

// watchCrowd finds out whether Redis has memory left. Where it does not tell, it
// has.
func (s *Shelf) watchCrowd() {
	ctx, cancel := context.WithTimeout(s.ended, time.Duration(s.deadline.Load()))
	defer cancel()
	var full atomic.Bool
	look := func(ctx context.Context, client redis.Cmdable) error {
		text, err := client.Info(ctx, "memory").Result()
		if err == nil && fills(text) {
			full.Store(true)
		}
		return err
	}
	var err error
	if cluster, ok := s.options.Redis.(*redis.ClusterClient); ok {
		err = cluster.ForEachMaster(ctx, func(ctx context.Context, node *redis.Client) error { return look(ctx, node) })
	} else {
		err = look(ctx, s.options.Redis)
	}
	if err != nil && !says(err, "NOPERM ") {
		return // it is not known
	}
	if was := s.crowd.Swap(full.Load()); was != full.Load() {
		if was {
			s.options.Log.Info("redis has memory for answers again")
			return
		}
		s.options.Log.Warn("three quarters of redis' memory are in use: the cache adds nothing there until it is less, so that limits go on",
			"remedy", "raise maxmemory, lower plugins.cache.ttl or max_value, or set plugins.cache.redis.enabled: false")
	}
}

// fills reports whether what INFO says of memory is above the bound. Without a
// maxmemory there is none.
func fills(info string) bool {
	used, most := 0.0, 0.0
	for line := range strings.Lines(info) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), ":")
		n, _ := strconv.ParseFloat(value, 64)
		switch name {
		case "used_memory":
			used = n
		case "maxmemory":
			most = n
		}
	}
	return most > 0 && used > crowded*most
}
