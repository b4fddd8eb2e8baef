package shelf

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/holysheep/relay/internal/breaker"
)

// health decides when Redis is left alone.
type health struct {
	breaker *breaker.Breaker
	log     *slog.Logger
	now     func() time.Time
	failed  atomic.Int64 // when it failed last, in nanoseconds since 1970
}

// rulesOf leaves Redis alone for a second after three failures in a row, and for
// up to ten where it goes on: now and then a request waits for it, not each.
func rulesOf() breaker.Rules {
	return breaker.Rules{Failures: 3, Window: 10 * time.Second, Ejection: time.Second, MaxEjection: 10 * time.Second}
}

// up reports whether Redis is not left alone.
func (h *health) up() bool {
	state, _ := h.breaker.Look(h.now())
	return state == breaker.Healthy
}

// failedWithin reports whether Redis has failed in so short a time that whoever
// waited for it then must not wait again.
func (h *health) failedWithin(d time.Duration) bool {
	return h.now().UnixNano()-h.failed.Load() < int64(d)
}

func (h *health) succeed(t breaker.Ticket) {
	t, change := h.breaker.Answered(h.now(), t)
	h.breaker.Success(h.now(), t)
	if change.Back {
		h.log.Info("redis answers the cache again", "after", change.For.String())
	}
}

func (h *health) fail(t breaker.Ticket, err error) {
	h.failed.Store(h.now().UnixNano())
	change := h.breaker.Failure(h.now(), t, 0)
	if change.Out && !change.Again {
		h.log.Warn("the cache leaves redis alone, since it does not answer in time: answers are found in memory alone", "err", err)
	}
}

// do asks Redis for something within the deadline, unless it is left alone. It
// reports whether that was done. [redis.Nil] is an answer like any other.
func (s *Shelf) do(ctx context.Context, operation string, ask func(context.Context) error) bool {
	if !s.Shares() {
		return false
	}
	ticket, ok := s.health.breaker.Take(s.options.Now())
	if !ok {
		return false
	}
	within, cancel := context.WithTimeout(ctx, time.Duration(s.deadline.Load()))
	defer cancel()
	err := ask(within)
	switch {
	case err == nil || errors.Is(err, redis.Nil):
		s.health.succeed(ticket)
		return true
	case ctx.Err() != nil: // whoever asked is gone, which says nothing of Redis
		s.health.breaker.Forget(ticket)
		return false
	case says(err, "OOM "): // it answers, and has no room
		s.health.succeed(ticket)
	default:
		s.health.fail(ticket, err)
	}
	if s.options.Failed != nil {
		s.options.Failed(operation)
	}
	return false
}

// says reports whether Redis has answered with an error of that kind.
func says(err error, kind string) bool {
	var answered redis.Error
	return errors.As(err, &answered) && strings.HasPrefix(err.Error(), kind)
}
