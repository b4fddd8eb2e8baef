package redisledger

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/holysheep/relay/internal/ledger"
)

// Bounds of what is sent at once, so that no other client of Redis waits long:
// a script of so many keys takes about a millisecond.
const (
	maxKeys  = 100 // of one script
	maxCalls = 100 // of one pipeline
)

// A script is one of Lua, which Redis knows by its SHA-1 once it was sent.
type script struct{ text, sha string }

func newScript(text string) script { return script{text, redis.NewScript(text).Hash()} }

// A call is one run of a script. It holds the arguments of its command as they
// are sent: pointers to its keys and numbers, so that they are not copied one by
// one.
type call struct {
	script  script
	keys    []string
	numbers []int64
	args    []any
}

// leading is how many arguments stand before the keys.
const leading = 3

// newCall returns a call that touches the keys. There is room for so many
// further arguments at first, of which so many are numbers.
func newCall(script script, keys []string, args, numbers int) call {
	c := call{script: script, keys: keys, numbers: make([]int64, 0, numbers), args: make([]any, leading, leading+len(keys)+args)}
	for i := range keys {
		c.args = append(c.args, &keys[i])
	}
	return c
}

// add adds arguments.
func (c *call) add(args ...any) { c.args = append(c.args, args...) }

// addNumber adds an argument. It is right also where numbers outgrows its array,
// for the old one keeps what was pointed to.
func (c *call) addNumber(n int64) {
	c.numbers = append(c.numbers, n)
	c.args = append(c.args, &c.numbers[len(c.numbers)-1])
}

// until sets the latest instant at which the script may be done, which is the
// second of its arguments.
func (c *call) until(latest any) { c.args[leading+len(c.keys)+1] = latest }

// once is a command that the client sends once: if the connection breaks, nobody
// knows whether Redis has done it, and no script may be done twice. It still
// goes to another node if the first says so.
type once struct{ *redis.Cmd }

// NoRetry overrides that of [redis.Cmd].
func (once) NoRetry() bool { return true }

// short is the command that names the script, long the one that sends it. A call
// has one of them under way at a time.
func (c *call) short(ctx context.Context) once { return c.command(ctx, "evalsha", &c.script.sha) }
func (c *call) long(ctx context.Context) once  { return c.command(ctx, "eval", &c.script.text) }

func (c *call) command(ctx context.Context, name string, script *string) once {
	c.args[0], c.args[1], c.args[2] = name, script, len(c.keys)
	cmd := once{redis.NewCmd(ctx, c.args...)}
	cmd.SetFirstKeyPos(leading)
	return cmd
}

// unknownScript says that Redis has lost the script, or never had it.
func unknownScript(err error) bool {
	return err != nil && (errors.Is(err, redis.ErrNoScript) || redis.HasErrorPrefix(err, "NOSCRIPT"))
}

// run runs a call in one round trip, in two if Redis does not know the script.
func (s *Store) run(ctx context.Context, c *call) *redis.Cmd {
	cmd := c.short(ctx)
	_ = s.client.Process(ctx, cmd) // cmd has the error
	if unknownScript(cmd.Err()) {
		cmd = c.long(ctx)
		_ = s.client.Process(ctx, cmd) // as above
	}
	return cmd.Cmd
}

// batch runs calls in one round trip, more only if they are very many or if
// Redis has lost the script. It hands each answer to done, if there is one, and
// returns what went wrong first; the other calls are done nevertheless. If all
// that went wrong was refused by Redis, it is [ledger.ErrUndone] too.
func (s *Store) batch(ctx context.Context, calls []call, done func(i int, answer *redis.Cmd)) error {
	var first error
	undone := true
	for begin := 0; begin < len(calls); begin += maxCalls {
		part := calls[begin:min(begin+maxCalls, len(calls))]
		for i, answer := range s.pipeline(ctx, part) {
			switch err := answer.Err(); {
			case err == nil && done != nil:
				done(begin+i, answer)
			case err != nil:
				first, undone = cmp.Or(first, err), undone && refused(err)
			}
		}
	}
	if first != nil && undone {
		return fmt.Errorf("%w: %w", first, ledger.ErrUndone)
	}
	return first
}

// refused returns whether an error is an answer by which Redis has not run a
// script, or not let it write anything.
func refused(err error) bool {
	return slices.ContainsFunc([]string{
		"READONLY", "LOADING", "OOM", "MISCONF", "BUSY", "NOREPLICAS", "MASTERDOWN", "CLUSTERDOWN", "MOVED", "ASK",
		"TRYAGAIN", "NOAUTH", "NOPERM", "NOSCRIPT",
	}, func(prefix string) bool { return redis.HasErrorPrefix(err, prefix) })
}

func (s *Store) pipeline(ctx context.Context, calls []call) []*redis.Cmd {
	if len(calls) == 1 {
		return []*redis.Cmd{s.run(ctx, &calls[0])}
	}
	answers := make([]*redis.Cmd, len(calls))
	first, again := s.client.Pipeline(), s.client.Pipeline()
	for i := range calls {
		cmd := calls[i].short(ctx)
		_ = first.Process(ctx, cmd) // queues it
		answers[i] = cmd.Cmd
	}
	_, _ = first.Exec(ctx) // each answer has its own error
	for i := range calls {
		if unknownScript(answers[i].Err()) {
			cmd := calls[i].long(ctx)
			_ = again.Process(ctx, cmd) // queues it
			answers[i] = cmd.Cmd
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
