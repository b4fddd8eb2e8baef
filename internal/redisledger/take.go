package redisledger

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/holysheep/relay/internal/ledger"
)

// Answers of take.lua.
const (
	takenAll = 1
	late     = -1
)

// errLate is the error of what Redis got too late and did not do.
var errLate = fmt.Errorf("it came after its deadline: %w", context.DeadlineExceeded)

// Take implements [ledger.Remote], in one round trip; with ShardClients in one
// for each tag. A ticket without a lease gets one.
//
// If ctx has a deadline, a take that arrives after it does nothing. After an
// error the claims with Taken are known to be taken, of the others that is not
// known. Settling them with an Actual of 0 is right for both, if At is left as
// it is: what has no instant gets nothing back. Flights can be settled twice, so
// they are Taken also if they may have been given back.
func (s *Store) Take(ctx context.Context, t *ledger.Ticket) (bool, error) {
	if t.Lease == 0 {
		t.Lease = s.leases.Add(1)
	}
	for i := range t.Claims {
		t.Claims[i].Taken, t.Claims[i].At = false, 0
	}
	groups := s.groups(t.Claims)
	for i, g := range groups {
		taken, err := s.decide(ctx, t, g)
		if err != nil {
			return false, wrap(ctx, err, "taking %s", names(g.claims))
		}
		if !taken {
			err = s.undo(ctx, t, groups[:i], groups[i+1:])
			return false, wrap(ctx, err, "giving back what %s refused", names(g.claims))
		}
	}
	return true, nil
}

// decide asks for the claims of one group. If Redis's clock has gone on against
// what is known of it, a take can be called late that is not: then it asks once
// more.
func (s *Store) decide(ctx context.Context, t *ledger.Ticket, g group) (bool, error) {
	for range 2 {
		c := s.looking(g, true, s.lease(t.Lease))
		clock, err := s.clock(ctx, c.keys[0])
		if err != nil {
			return false, err
		}
		c.until(s.latest(ctx, clock))
		sent := time.Since(s.start)
		code, now, err := s.answer(s.run(ctx, &c), g)
		if err != nil {
			return false, err
		}
		clock.learn(now, sent, time.Since(s.start))
		if code != late {
			return code == takenAll, nil
		}
		if err := ctx.Err(); err != nil {
			return false, err
		}
	}
	return false, errLate
}

// undo ends a ticket that one group refused: it gives back what the groups
// before it have taken, and reads how those after it stand, so that the answer
// is as if one step had refused. After an error what was not given back for sure
// stays taken: nobody may give it back twice.
func (s *Store) undo(ctx context.Context, t *ledger.Ticket, before, after []group) error {
	var calls []call
	var back []*ledger.Claim
	for _, g := range before {
		for _, c := range g.claims {
			c.Actual, back = 0, append(back, c)
		}
		if c := s.settling(g, s.lease(t.Lease)); len(c.keys) > 0 {
			calls = append(calls, c)
		}
	}
	settled := len(calls)
	for _, g := range after {
		calls = append(calls, s.looking(g, false, ""))
	}
	var misread error
	err := s.batch(ctx, calls, func(i int, answer *redis.Cmd) {
		if i >= settled && misread == nil {
			_, _, misread = s.answer(answer, after[i-settled])
		}
	})
	for _, c := range back {
		c.Actual = c.Cost
		c.Taken = c.Taken && (err == nil || c.Counter.Kind == ledger.KindFlight)
	}
	if err != nil {
		return err
	}
	for _, c := range back {
		if c.Taken {
			c.Taken, c.Used = false, max(c.Used-c.Cost, 0)
		}
		if c.Counter.Kind == ledger.KindRate {
			c.Reset = c.Used
		}
	}
	return misread
}

// Read implements [ledger.Remote].
func (s *Store) Read(ctx context.Context, claims []ledger.Claim) error {
	var calls []call
	groups := s.parts(claims)
	for _, g := range groups {
		calls = append(calls, s.looking(g, false, ""))
	}
	var misread error
	err := s.batch(ctx, calls, func(i int, answer *redis.Cmd) {
		if _, _, err := s.answer(answer, groups[i]); misread == nil {
			misread = err
		}
	})
	if err == nil {
		err = misread
	}
	return wrap(ctx, err, "reading %d counters", len(claims))
}

// looking is the run of take.lua for one group.
func (s *Store) looking(g group, taking bool, lease string) call {
	c := newCall(s.take, s.keysOf(g.tag, g.claims), 5+6*len(g.claims), 1+4*len(g.claims))
	c.add(s.now(), "", taking, lease)
	c.addNumber(s.term.Load())
	for _, claim := range g.claims {
		c.describe(claim)
		c.addNumber(bound(claim, claim.Cost))
		c.add(claim.Shadow)
	}
	return c
}

// answer reads an answer of take.lua into the claims of its group. It returns
// what became of them all, and the time.
func (s *Store) answer(cmd *redis.Cmd, g group) (code, now int64, err error) {
	list, err := cmd.Slice()
	switch {
	case err != nil:
		return 0, 0, err
	case len(list) == 2 && list[0] == any(int64(late)):
	case len(list) != 2+numbersOfClaim*len(g.claims):
		return 0, 0, fmt.Errorf("an answer of %d numbers for %d claims", len(list), len(g.claims))
	}
	numbers := true
	number := func(i int) int64 {
		n, ok := list[i].(int64)
		numbers = numbers && ok
		return n
	}
	for i, at := 0, 2; at < len(list); i, at = i+1, at+numbersOfClaim {
		var of [numbersOfClaim]int64
		for j := range of {
			of[j] = number(at + j)
		}
		fill(g.claims[i], of)
	}
	if code, now = number(0), number(1); !numbers {
		return 0, 0, fmt.Errorf("the answer is %v", list)
	}
	return code, now, nil
}

// names returns the counters of claims for a message.
func names(claims []*ledger.Claim) string {
	all := make([]string, len(claims))
	for i, c := range claims {
		all[i] = c.Counter.Name
	}
	return strings.Join(all, ", ")
}
