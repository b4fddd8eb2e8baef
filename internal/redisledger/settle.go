package redisledger

import (
	"context"
	"slices"

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
// settlement changes anything. It has no keys if nothing does.
func (s *Store) settling(g group, lease string) call {
	var few [8]*ledger.Claim
	changed := few[:0]
	for _, claim := range g.claims {
		if changes(claim) {
			changed = append(changed, claim)
		}
	}
	c := newCall(s.settle, s.keysOf(g.tag, changed), 2+7*len(changed), 6*len(changed))
	c.add(s.now(), lease)
	for _, claim := range changed {
		c.describe(claim)
		c.addNumber(bound(claim, claim.Cost))
		c.addNumber(actual(claim))
		c.addNumber(claim.At)
	}
	return c
}

// changes returns whether settling a claim changes anything.
func changes(c *ledger.Claim) bool {
	return c.Taken && (c.Counter.Kind == ledger.KindFlight || c.Actual != c.Cost)
}

// Raise implements [ledger.Remote].
func (s *Store) Raise(ctx context.Context, claims []ledger.Claim) error {
	var calls []call
	for _, g := range s.parts(claims) {
		if c := s.raising(g); len(c.keys) > 0 {
			calls = append(calls, c)
		}
	}
	return wrap(ctx, s.batch(ctx, calls, nil), "raising %d counters", len(claims))
}

// raising is the run of raise.lua for one group. Flights are renewed instead.
func (s *Store) raising(g group) call {
	claims := slices.DeleteFunc(g.claims, func(c *ledger.Claim) bool { return c.Counter.Kind == ledger.KindFlight })
	c := newCall(s.raise, s.keysOf(g.tag, claims), 1+6*len(claims), 5*len(claims))
	c.add(s.now())
	for _, claim := range claims {
		c.describe(claim)
		c.addNumber(bound(claim, claim.Used))
		c.addNumber(claim.At)
	}
	return c
}

// Reset implements [ledger.Remote]. Flights that are still held come back with
// their next renewal.
func (s *Store) Reset(ctx context.Context, claims []ledger.Claim) error {
	pipe := s.client.Pipeline()
	for _, g := range s.parts(claims) {
		pipe.Del(ctx, s.keysOf(g.tag, g.claims)...)
	}
	_, err := pipe.Exec(ctx)
	return wrap(ctx, err, "resetting %d counters", len(claims))
}
