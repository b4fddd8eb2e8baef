package cache

import (
	"fmt"

	"github.com/redis/go-redis/v9"

	"github.com/holysheep/relay/internal/shelf"
	"github.com/holysheep/relay/plugins"
)

// keepShelf returns the shelf of these settings, which is kept between
// configurations that have the same Redis.
func keepShelf(s Settings, env plugins.Env, m *metrics) (*shelf.Shelf, error) {
	var client redis.UniversalClient
	if s.Redis.Enabled {
		client = env.Redis
	}
	name := "shelf"
	if client != nil {
		name = fmt.Sprintf("shelf %p %s", client, env.RedisPrefix)
	}
	return plugins.Keep(env, name, func() (*shelf.Shelf, error) {
		return shelf.New(shelf.Options{
			MaxBytes: int64(s.MaxBytes), MaxValue: int(s.MaxValue),
			Redis: client, Prefix: env.RedisPrefix, Deadline: s.Redis.Deadline,
			Log: env.Log, Now: env.Now,
			Evicted: m.evicted.Inc, Damaged: m.damaged.Inc,
			Failed: func(operation string) { m.failed[operation].Inc() },
		})
	})
}

// leastRoom is the memory of recordings where no answers are kept in memory.
const leastRoom = 16 * plugins.MiB

// roomBytes is the memory of all recordings together.
func (s Settings) roomBytes() int64 { return int64(max(s.MaxBytes, leastRoom)) }

// inMemory reports whether answers are kept in memory.
func (s Settings) inMemory() bool { return s.MaxBytes > 0 }
