package redisledger

import (
	"context"

	"github.com/redis/go-redis/v9"

	"github.com/holysheep/relay/internal/ledger"
)

// Settle implements [ledger.Remote]: all tickets in one round trip, each in a
// step of its own; with ShardClients in a step for each tag.
//
// Taken is unset in what is known to be settled. So after an error the same
// tickets can be settled again, and what was done is not done twice; but of what
// has no answer nobody knows, unless the error is [ledger.ErrUndone].
func (s *Store) Settle(ctx context.Context, tickets []*ledger.Ticket) error {
	var calls []call
	var groups []group
	for _, t := range tickets {
		for _, g := range s.groups(t.Claims) {
			c := s.settling(g, s.lease(t.Lease))
			if len(c.keys) == 0 {
				free(g)
				continue
			}
			calls, groups = append(calls, c), append(groups, g)
		}
	}
	err := s.batch(ctx, calls, func(i int, _ *redis.Cmd) { free(groups[i]) })
	return wrap(ctx, err, "settling %d tickets", len(tickets))
}

func free(g group) {
	for _, c := range g.claims {
		c.Taken = false
	}
}

// settling is the run of settle.lua for what one group has taken and whose
// settlement changes anything.
func (s *Store) settling(g group, lease string) call {
	c := call{script: s.settle, args: []any{s.now(), lease}}
	for _, claim := range g.claims {
		if !claim.Taken || claim.Counter.Kind != ledger.KindFlight && claim.Actual == claim.Cost {
			continue
		}
		c.keys = append(c.keys, s.key(g.tag, claim.Counter, claim.Subject))
		c.args = append(describe(c.args, claim), bound(claim, claim.Cost), actual(claim), claim.At)
	}
	return c
}

// Raise implements [ledger.Remote].
func (s *Store) Raise(ctx context.Context, claims []ledger.Claim) error {
	var calls []call
	for _, g := range s.parts(claims) {
		c := call{script: s.raise, args: []any{s.now()}}
		for _, claim := range g.claims {
			if claim.Counter.Kind != ledger.KindFlight { // these are renewed
				c.keys = append(c.keys, s.key(g.tag, claim.Counter, claim.Subject))
				c.args = append(describe(c.args, claim), bound(claim, claim.Used), claim.At)
			}
		}
		if len(c.keys) > 0 {
			calls = append(calls, c)
		}
	}
	return wrap(ctx, s.batch(ctx, calls, nil), "raising %d counters", len(claims))
}

// Reset implements [ledger.Remote]. Flights that are still held come back with
// their next renewal.
func (s *Store) Reset(ctx context.Context, claims []ledger.Claim) error {
	pipe := s.client.Pipeline()
	for _, g := range s.parts(claims) {
		keys := make([]string, len(g.claims))
		for i, c := range g.claims {
			keys[i] = s.key(g.tag, c.Counter, c.Subject)
		}
		pipe.Del(ctx, keys...)
	}
	_, err := pipe.Exec(ctx)
	return wrap(ctx, err, "resetting %d counters", len(claims))
}
