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
		return m.measure(func() error { return next(ctx, cmd) })
	}
}

// ProcessPipelineHook implements [redis.Hook].
func (m *redisMetrics) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []redis.Cmder) error {
		return m.measure(func() error { return next(ctx, cmds) })
	}
}

// measure counts a command, or commands sent together, and how long it takes.
func (m *redisMetrics) measure(ask func() error) error {
	start := time.Now()
	m.inFlight.Inc()
	defer m.inFlight.Dec()
	err := ask()
	m.duration.Observe(time.Since(start).Seconds())
	if kind := redisFault(err); kind != "" {
		m.errors.WithLabelValues(kind).Inc()
	}
	return err
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

// noRepeats keeps a cluster's client from sending a script again: it would, on
// another connection, after one that broke, whatever MaxRetries says, and the
// script may have run. Where the script is not run since the slot is elsewhere,
// it is still sent on to there. It implements [redis.Hook].
type noRepeats struct{}

// DialHook implements [redis.Hook].
func (noRepeats) DialHook(next redis.DialHook) redis.DialHook { return next }

// ProcessHook implements [redis.Hook].
func (noRepeats) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error { return next(ctx, unrepeated(cmd)) }
}

// ProcessPipelineHook implements [redis.Hook].
func (noRepeats) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []redis.Cmder) error {
		all := make([]redis.Cmder, len(cmds))
		for i, cmd := range cmds {
			all[i] = unrepeated(cmd)
		}
		return next(ctx, all)
	}
}

// unrepeated returns cmd, if it is a script in the form that is sent only once.
func unrepeated(cmd redis.Cmder) redis.Cmder {
	switch cmd.Name() {
	case "eval", "evalsha", "fcall":
		return script{cmd}
	}
	return cmd
}

// A script is a command that is sent only once.
type script struct{ redis.Cmder }

// NoRetry implements [redis.Cmder].
func (script) NoRetry() bool { return true }
