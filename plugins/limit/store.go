package limit

import (
	"context"
	"fmt"
	"time"

	"github.com/holysheep/relay/internal/failover"
	"github.com/holysheep/relay/internal/ledger"
	"github.com/holysheep/relay/internal/redisledger"
	"github.com/holysheep/relay/plugins"
)

// closeTime is the most that the end of the relay waits for what is not yet
// settled in Redis.
const closeTime = 5 * time.Second

// A store is where requests are decided on. All generations with the same store
// share it.
type store struct {
	ledger.Ledger
	memory *ledger.Memory     // nil where replicas share a Redis
	remote *redisledger.Store // nil in memory
}

// Close settles what waits, and ends what the store has running.
func (s *store) Close() error {
	shared, ok := s.Ledger.(*failover.Ledger)
	if !ok {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), closeTime)
	defer cancel()
	return shared.Close(ctx)
}

// newStore returns the store of s: Redis, if there is one and any rule to count
// there, and otherwise the memory of this process.
func newStore(s Settings, env plugins.Env, m *metrics) (*store, error) {
	if env.Redis == nil || len(s.Rules) == 0 {
		return plugins.Keep(env, "store.memory", func() (*store, error) {
			memory := ledger.NewMemory(env.Now)
			return &store{Ledger: ledger.Alone(memory), memory: memory}, nil
		})
	}
	// Another client or other settings make another store: what began under
	// the old one is settled there.
	key := fmt.Sprintf("store.redis.%p.%s%+v", env.Redis, env.RedisPrefix, s.Store)
	return plugins.Keep(env, key, func() (*store, error) {
		remote := redisledger.New(env.Redis, redisledger.Options{
			Prefix: env.RedisPrefix, Lease: s.Store.Lease, ShardClients: s.Store.Shard == shardClient,
		})
		return &store{remote: remote, Ledger: failover.New(remote, failover.Options{
			Deadline: s.Store.Deadline,
			Failures: s.Store.Failures,
			Lease:    s.Store.Lease,
			Replicas: s.Store.Replicas,
			Now:      env.Now,
			Log:      env.Log,
			Observer: &m.store,
		})}, nil
	})
}
