package redisledger

import (
	"context"
	"io"
	"testing"

	"github.com/redis/go-redis/v9"

	"github.com/holysheep/relay/internal/ledger"
)

// A deaf client does not hear the answer of what it sends together.
type deaf struct{}

func (deaf) DialHook(next redis.DialHook) redis.DialHook { return next }

func (deaf) ProcessHook(next redis.ProcessHook) redis.ProcessHook { return next }

func (deaf) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []redis.Cmder) error {
		_ = next(ctx, cmds)
		last := cmds[len(cmds)-1]
		last.SetErr(io.ErrUnexpectedEOF)
		return last.Err()
	}
}

// What was taken of two slots is given back when a third one refuses. If the
// answer to that is lost, settling what is said to be taken gives nothing back
// for the second time.
func TestWhatMayHaveBeenGivenBackIsNotGivenBackTwice(t *testing.T) {
	s, client := open(t, Options{ShardClients: true})
	others := ticket(claim(requests, 1800*second, 3600*second), claim(monthly, 5e9, 50e9), claim(rolling, 1e9, 1e9))
	mustTake(t, s, others)
	client.AddHook(deaf{})
	tk := ticket(claim(requests, 900*second, 3600*second), claim(flights, 1, 1), claim(monthly, 1e9, 50e9), claim(rolling, 1e9, 1e9))
	taken, err := s.Take(t.Context(), tk)
	if taken || err == nil {
		t.Fatal(taken, err)
	}
	for i := range tk.Claims {
		tk.Claims[i].Actual = 0
	}
	_ = s.Settle(t.Context(), []*ledger.Ticket{tk})
	s = New(clientOf(t, client.Options().Addr), s.opts)
	got := read(t, s, claim(requests, 0, 3600*second), claim(monthly, 0, 50e9), claim(flights, 1, 1))
	if got[0].Used < 1700*second || got[1].Used < 5e9 || got[2].Used != 0 {
		t.Errorf("used are %d of requests, %d of the month, %d in flight, want 1800s, 5e9, 0", got[0].Used, got[1].Used, got[2].Used)
	}
}

// The largest budget that the settings allow is the same in Redis and in memory.
func TestALargeBudget(t *testing.T) {
	s, _ := open(t, Options{})
	const limit, half = 9_000_000e9, 4_500_000e9
	mustTake(t, s, ticket(claim(monthly, half-1, limit)))
	last := ticket(claim(monthly, half, limit))
	mustTake(t, s, last)
	over := ticket(claim(monthly, 2, limit))
	mustRefuse(t, s, over)
	if got := over.Claims[0].Used; got != limit-1 {
		t.Errorf("%d are used, want %d", got, int64(limit)-1)
	}
	mustTake(t, s, ticket(claim(monthly, 1, limit)))
	never := ticket(claim(monthly, limit+1, limit))
	mustRefuse(t, s, never)
	if never.Claims[0].Wait != ledger.Never {
		t.Errorf("more than the limit waits %d", never.Claims[0].Wait)
	}
	last.Claims[0].Actual = 1 << 62
	mustSettle(t, s, last)
	if got := read(t, s, claim(monthly, 0, limit))[0].Used; got < limit {
		t.Errorf("%d are used of which more was spent than there is", got)
	}
}
