package redisledger

import (
	"context"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
)

// A clock knows how far Redis's clock is ahead of the time since the store was
// made, in microseconds, or less: an answer that was sent off at s, holds
// Redis's time r and came back at e says that it is from r-e to r-s. So the
// greatest r-e is the best of all round trips. If r-s is less than that, Redis's
// clock has gone back, as that of another server can, and what was known is
// worth nothing.
//
// Since the estimate is never too great, no take is done after its deadline, but
// for the one that meets a clock that has just gone back.
type clock struct {
	mu    sync.Mutex
	known bool
	ahead int64
}

// learn takes in an answer: its time, and when it was asked and came.
func (c *clock) learn(redis int64, sent, came time.Duration) {
	least, most := redis-came.Microseconds()-1, redis-sent.Microseconds()
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.known || least > c.ahead || most < c.ahead {
		c.known, c.ahead = true, least
	}
}

// latest returns the instant by Redis's clock that is not later than at, 1 if
// nothing is known of that clock: then a take is too late, and learns.
func (c *clock) latest(at time.Duration) int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.known {
		return 1
	}
	return at.Microseconds() + c.ahead
}

// latest is what a script is told: until when, by a server's clock, it may do
// what it is asked for; nothing if there is no deadline or in a test.
func (s *Store) latest(ctx context.Context, c *clock) any {
	deadline, bounded := ctx.Deadline()
	if !bounded || s.opts.Clock != nil {
		return ""
	}
	return c.latest(deadline.Sub(s.start))
}

// clock returns that of the server of a key: each node of a cluster has its own.
func (s *Store) clock(ctx context.Context, key string) (*clock, error) {
	node := ""
	if cluster, ok := s.client.(*redis.ClusterClient); ok {
		master, err := cluster.MasterForKey(ctx, key)
		if err != nil {
			return nil, err
		}
		node = master.Options().Addr
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.clocks[node]
	if c == nil {
		c = new(clock)
		s.clocks[node] = c
	}
	return c, nil
}
