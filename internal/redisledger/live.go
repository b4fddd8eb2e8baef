package redisledger

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/holysheep/relay/internal/ledger"
)

// replicas returns the keys of those that live and of the epoch. No counter has
// such a name.
func (s *Store) replicas() []string {
	at := s.opts.Prefix + "limit:{" + together + "}:@"
	return []string{at + "replicas", at + "epoch"}
}

// Beat implements [ledger.Remote]. The epoch is a random word that Redis keeps
// for a day after the last beat; a new one says that the data are gone, of a
// cluster those of the node that holds it.
func (s *Store) Beat(ctx context.Context, ttl time.Duration) (ledger.Beat, error) {
	keys := s.replicas()
	clock, err := s.clock(ctx, keys[0])
	if err != nil {
		return ledger.Beat{}, wrap(ctx, err, "beating")
	}
	sent := time.Since(s.start)
	c := newCall(s.beat, keys, 4, 0)
	c.add(s.now(), s.opts.Instance, ttl.Microseconds(), rand.Text())
	list, err := s.run(ctx, &c).Slice()
	came := time.Since(s.start)
	if err != nil {
		return ledger.Beat{}, wrap(ctx, err, "beating")
	}
	now, epoch, live, rank, ok := parseBeat(list)
	if !ok {
		return ledger.Beat{}, fmt.Errorf("redis: beating: the answer is %v", list)
	}
	if s.opts.Clock == nil {
		clock.learn(now, sent, came)
	}
	return ledger.Beat{Now: time.UnixMicro(now), Epoch: epoch, Live: int(live), Rank: int(rank)}, nil
}

func parseBeat(list []any) (now int64, epoch string, live, rank int64, ok bool) {
	if len(list) != 4 {
		return 0, "", 0, 0, false
	}
	now, isTime := list[0].(int64)
	epoch, isText := list[1].(string)
	live, isLive := list[2].(int64)
	rank, isRank := list[3].(int64)
	return now, epoch, live, rank, isTime && isText && isLive && isRank
}

// Leave implements [ledger.Remote].
func (s *Store) Leave(ctx context.Context) error {
	err := s.client.ZRem(ctx, s.replicas()[0], s.opts.Instance).Err()
	return wrap(ctx, err, "leaving")
}

// Renew implements [ledger.Remote]. If ctx has a deadline, a renewal that arrives
// after it does nothing.
func (s *Store) Renew(ctx context.Context, held []ledger.Held) error {
	var calls []call
	for _, h := range held {
		key := s.Key(h.Counter, h.Subject)
		for part := range slices.Chunk(h.Leases, maxKeys) {
			c := newCall(s.renew, []string{key}, 3+len(part), 0)
			c.add(s.now(), "", s.term.Load())
			for _, lease := range part {
				c.add(s.lease(lease))
			}
			calls = append(calls, c)
		}
	}
	return wrap(ctx, s.renewing(ctx, calls), "renewing the flights of %d counters", len(held))
}

// renewing runs calls of renew.lua, and once more those that were too late by
// what was known of Redis's clock: see [Store.decide].
func (s *Store) renewing(ctx context.Context, calls []call) error {
	for range 2 {
		clocks := make([]*clock, len(calls))
		for i, c := range calls {
			var err error
			if clocks[i], err = s.clock(ctx, c.keys[0]); err != nil {
				return err
			}
			c.until(s.latest(ctx, clocks[i]))
		}
		var again []call
		var misread error
		sent := time.Since(s.start)
		err := s.batch(ctx, calls, func(i int, answer *redis.Cmd) {
			list, err := answer.Int64Slice()
			if err != nil || len(list) != 2 {
				misread = fmt.Errorf("the answer is %v", answer)
				return
			}
			if clocks[i].learn(list[1], sent, time.Since(s.start)); list[0] == late {
				again = append(again, calls[i])
			}
		})
		if err = errors.Join(err, misread); err != nil || len(again) == 0 {
			return err
		}
		calls = again
	}
	return errLate
}
