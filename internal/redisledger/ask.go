package redisledger

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"
)

// Bounds of what is sent at once, so that no other client of Redis waits long:
// a script of so many keys takes about a millisecond.
const (
	maxKeys  = 100 // of one script
	maxCalls = 100 // of one pipeline
)

// A call is one run of a script.
type call struct {
	script *redis.Script
	keys   []string
	args   []any
}

// batch runs calls in one round trip, more only if they are very many or if
// Redis has lost the script. It hands each answer to done, if there is one, and
// returns what went wrong first; the other calls are done nevertheless.
func (s *Store) batch(ctx context.Context, calls []call, done func(i int, answer *redis.Cmd)) error {
	var first error
	for begin := 0; begin < len(calls); begin += maxCalls {
		part := calls[begin:min(begin+maxCalls, len(calls))]
		for i, answer := range s.pipeline(ctx, part) {
			switch err := answer.Err(); {
			case err == nil && done != nil:
				done(begin+i, answer)
			case err != nil && first == nil:
				first = err
			}
		}
	}
	return first
}

func (s *Store) pipeline(ctx context.Context, calls []call) []*redis.Cmd {
	if len(calls) == 1 {
		c := calls[0]
		return []*redis.Cmd{c.script.Run(ctx, s.client, c.keys, c.args...)}
	}
	answers := make([]*redis.Cmd, len(calls))
	pipe := s.client.Pipeline()
	for i, c := range calls {
		answers[i] = c.script.EvalSha(ctx, pipe, c.keys, c.args...)
	}
	_, _ = pipe.Exec(ctx) // each answer has its own error

	again := s.client.Pipeline()
	for i, c := range calls {
		if err := answers[i].Err(); errors.Is(err, redis.ErrNoScript) || redis.HasErrorPrefix(err, "NOSCRIPT") {
			answers[i] = c.script.Eval(ctx, again, c.keys, c.args...)
		}
	}
	if again.Len() > 0 {
		_, _ = again.Exec(ctx) // as above
	}
	return answers
}

// wrap says what was asked. Where the context has ended, its error can be found
// in it, also if the connection noticed first.
func wrap(ctx context.Context, err error, what string, args ...any) error {
	if err == nil {
		return nil
	}
	what = "redis: " + fmt.Sprintf(what, args...)
	ended := ctx.Err()
	if deadline, ok := ctx.Deadline(); ok && ended == nil && !time.Now().Before(deadline) {
		ended = context.DeadlineExceeded // the connection's timer was the faster
	}
	if ended == nil || errors.Is(err, ended) {
		return fmt.Errorf("%s: %w", what, err)
	}
	return fmt.Errorf("%s: %w: %w", what, ended, err)
}
