package limit

import (
	"context"
	"fmt"
	"sync"
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
//
// It asks Redis from its first use on, or from [store.begin]: a configuration
// that is only checked makes no replica, and changes nothing of one.
type store struct {
	memory *ledger.Memory     // nil where replicas share a Redis
	remote *redisledger.Store // nil in memory

	once sync.Once
	open func() ledger.Ledger
	use  ledger.Ledger // after once

	watch *watch // what the metrics are told of remote; nil in memory
}

var _ ledger.Ledger = (*store)(nil)

// begin returns what the store is, ready to decide.
func (s *store) begin() ledger.Ledger {
	s.once.Do(func() { s.use = s.open() })
	return s.use
}

// tune has the store ask Redis as a generation wants that starts. What is known
// of the counters, and this replica's share, outlive that, also while Redis is
// away. Requests of older generations go by it too.
func (s *store) tune(to Store) {
	shared, ok := s.begin().(*failover.Ledger)
	if !ok {
		return
	}
	s.remote.SetLease(to.Lease) // first: Tune renews by it
	shared.Tune(to.options())
}

// options are those of the ledger that can change.
func (s Store) options() failover.Options {
	return failover.Options{Deadline: s.Deadline, Failures: s.Failures, Lease: s.Lease, Replicas: s.Replicas}
}

// show has the metrics speak of this store: a later generation may come back to
// one that has begun before.
func (s *store) show() {
	if s.watch != nil {
		s.watch.show()
	}
}

// Take implements [ledger.Ledger].
func (s *store) Take(ctx context.Context, t *ledger.Ticket) bool { return s.begin().Take(ctx, t) }

// Settle implements [ledger.Ledger].
func (s *store) Settle(t *ledger.Ticket) { s.begin().Settle(t) }

// Read implements [ledger.Ledger].
func (s *store) Read(ctx context.Context, claims []ledger.Claim) error {
	return s.begin().Read(ctx, claims)
}

// Reset implements [ledger.Ledger].
func (s *store) Reset(ctx context.Context, claims []ledger.Claim) error {
	return s.begin().Reset(ctx, claims)
}

// Close settles what waits, and ends what the store has running. Nobody uses
// the store any more.
func (s *store) Close() error {
	s.once.Do(func() {}) // what has not begun never does
	shared, ok := s.use.(*failover.Ledger)
	if !ok {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), closeTime)
	defer cancel()
	defer s.watch.end()
	return shared.Close(ctx)
}

// newStore returns the store of s: Redis, if there is one and any rule to count
// there, and otherwise the memory of this process.
func newStore(s Settings, env plugins.Env, m *metrics) (*store, error) {
	if env.Redis == nil || len(s.Rules) == 0 {
		return plugins.Keep(env, "store.memory", func() (*store, error) {
			memory := ledger.NewMemory(env.Now)
			return &store{memory: memory, open: func() ledger.Ledger { return ledger.Alone(memory) }}, nil
		})
	}
	// Another client, prefix or way to spread makes another store: what began
	// under the old one is settled there.
	key := fmt.Sprintf("store.redis.%p.%q.%s", env.Redis, env.RedisPrefix, s.Store.Shard)
	return plugins.Keep(env, key, func() (*store, error) {
		remote := redisledger.New(env.Redis, redisledger.Options{
			Prefix: env.RedisPrefix, Lease: s.Store.Lease, ShardClients: s.Store.Shard == shardClient,
		})
		w := &watch{storeMetrics: &m.store}
		opts := s.Store.options()
		opts.Now, opts.Log, opts.Observer = env.Now, env.Log, w
		return &store{remote: remote, watch: w, open: func() ledger.Ledger { return failover.New(remote, opts) }}, nil
	})
}
