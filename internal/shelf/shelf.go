// Package shelf keeps answers: in the memory of this process, in front of a Redis
// that others share. Either may be missing. Memory is bounded by bytes. Redis is
// never waited for beyond a deadline, and left alone while it fails: an answer
// that cannot be had from there is a miss, never an error.
//
// It does not judge whether an answer is too old: whoever asks for it does.
package shelf

import (
	"context"
	"crypto/rand"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/holysheep/relay/internal/answer"
	"github.com/holysheep/relay/internal/breaker"
)

// Options are what a shelf is made of.
type Options struct {
	MaxBytes int64 // of memory; 0 keeps nothing there
	MaxValue int   // the longest body, in bytes

	Redis    redis.UniversalClient // nil is none
	Prefix   string                // of every key in Redis
	Deadline time.Duration         // the most that Redis is waited for, each time

	Log *slog.Logger
	Now func() time.Time

	Evicted func()                 // for each answer that left memory for others
	Failed  func(operation string) // for each "get", "put", "lease" or "purge" that Redis did not do in time
	Damaged func()                 // for each value in Redis that was no answer
}

// A Tier is where an answer was found.
type Tier uint8

// The tiers.
const (
	None Tier = iota
	Memory
	Redis
)

// A Shelf keeps answers. Make one with [New], and close it. It is safe for
// concurrent use.
type Shelf struct {
	options  Options
	codec    *answer.Codec
	maxValue atomic.Int64
	deadline atomic.Int64 // nanoseconds

	memory *memory
	health health
	purges purges
	leases leases
	token  string // begins those of the leases of this shelf

	listening atomic.Bool // it learns of the purges of others
	crowd     atomic.Bool // Redis has no memory for more answers

	ended context.Context //nolint:containedctx // of the work in the background, which Close ends
	end   context.CancelFunc
	work  sync.WaitGroup
}

// New returns a shelf.
func New(o Options) (*Shelf, error) {
	m, err := newMemory(o.MaxBytes, o.Evicted)
	if err != nil {
		return nil, err
	}
	s := &Shelf{options: o, codec: answer.NewCodec(), memory: m, token: rand.Text()}
	s.health.log, s.health.now, s.health.breaker = o.Log, o.Now, breaker.New(o.Now(), rulesOf())
	s.leases.held = map[*Lease]struct{}{}
	s.maxValue.Store(int64(o.MaxValue))
	s.deadline.Store(int64(o.Deadline))
	s.ended, s.end = context.WithCancel(context.Background())
	if s.Shares() {
		s.work.Go(s.listen)
		s.work.Go(s.renew)
	}
	return s, nil
}

// Tune changes the bounds.
func (s *Shelf) Tune(maxBytes int64, maxValue int, deadline time.Duration) {
	s.memory.resize(maxBytes)
	s.maxValue.Store(int64(maxValue))
	s.deadline.Store(int64(deadline))
}

// Shares reports whether there is a Redis.
func (s *Shelf) Shares() bool { return s.options.Redis != nil }

// Up reports whether Redis is there and not left alone.
func (s *Shelf) Up() bool { return s.Shares() && s.health.up() }

// Get returns the answer at place, or nil, and where it was. Redis is asked where
// memory has none, or none that is fresh: of two answers the younger one is
// returned, fresh or not.
func (s *Shelf) Get(ctx context.Context, place answer.Place, fresh func(*answer.Answer) bool) (*answer.Answer, Tier) {
	here := s.Memory(place)
	if here != nil && fresh(here) {
		return here, Memory
	}
	there := s.fetch(ctx, place)
	switch {
	case there != nil && (here == nil || there.Since.After(here.Since)):
		s.memory.put(place, there)
		return there, Redis
	case here != nil:
		return here, Memory
	}
	return nil, None
}

// Memory returns the answer that is at place in memory, or nil.
func (s *Shelf) Memory(place answer.Place) *answer.Answer { return s.memory.get(place) }

// Put keeps an answer in memory.
func (s *Shelf) Put(place answer.Place, a *answer.Answer) { s.memory.put(place, a) }

// Bytes returns how much memory is in use.
func (s *Shelf) Bytes() uint64 { return s.memory.bytes() }

// Entries returns how many answers are in memory, those that are too old
// included.
func (s *Shelf) Entries() int { return s.memory.entries() }

// Close ends what goes on in the background, and drops what is in memory.
func (s *Shelf) Close() error {
	s.end()
	s.work.Wait()
	s.memory.clear()
	return nil
}
