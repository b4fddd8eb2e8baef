package redisledger

import (
	"context"
	"crypto/rand"
	"fmt"
	"slices"
	"time"

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

// Renew implements [ledger.Remote].
func (s *Store) Renew(ctx context.Context, held []ledger.Held) error {
	var calls []call
	for _, h := range held {
		key := s.Key(h.Counter, h.Subject)
		for part := range slices.Chunk(h.Leases, maxKeys) {
			c := newCall(s.renew, []string{key}, 2+len(part), 0)
			c.add(s.now(), s.opts.Lease.Microseconds())
			for _, lease := range part {
				c.add(s.lease(lease))
			}
			calls = append(calls, c)
		}
	}
	return wrap(ctx, s.batch(ctx, calls, nil), "renewing the flights of %d counters", len(held))
}
