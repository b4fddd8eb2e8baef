package server

import (
	"context"
	"errors"
	"os"
	"time"

	"github.com/redis/go-redis/v9"
)

// DialHook implements [redis.Hook].
func (m *redisMetrics) DialHook(next redis.DialHook) redis.DialHook { return next }

// ProcessHook implements [redis.Hook].
func (m *redisMetrics) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		start := time.Now()
		err := next(ctx, cmd)
		m.note(start, err)
		return err
	}
}

// ProcessPipelineHook implements [redis.Hook].
func (m *redisMetrics) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []redis.Cmder) error {
		start := time.Now()
		err := next(ctx, cmds)
		m.note(start, err)
		return err
	}
}

// note counts a command, or commands sent together, that began at start.
func (m *redisMetrics) note(start time.Time, err error) {
	m.duration.Observe(time.Since(start).Seconds())
	if kind := redisFault(err); kind != "" {
		m.errors.WithLabelValues(kind).Inc()
	}
}

// redisFault returns the kind of an error, "" if it is none of Redis: nothing is
// stored under a key, a script has to be sent, or nobody waits any more.
func redisFault(err error) string {
	var reply redis.Error
	switch {
	case err == nil, errors.Is(err, redis.Nil), errors.Is(err, context.Canceled), redis.HasErrorPrefix(err, "NOSCRIPT"):
		return ""
	case errors.Is(err, redis.ErrPoolTimeout):
		return "pool"
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, os.ErrDeadlineExceeded):
		return "timeout"
	case errors.As(err, &reply):
		return "reply"
	default:
		return "connection"
	}
}
