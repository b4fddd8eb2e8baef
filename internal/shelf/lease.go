package shelf

import (
	"context"
	"math/rand/v2"
	"strconv"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/holysheep/relay/internal/answer"
)

// A Standing is what came of asking for a lease.
type Standing uint8

// The standings.
const (
	Unknown Standing = iota // Redis is not there, or does not answer: go on alone
	Taken                   // it is ours
	Held                    // another has it
)

// A Lease says to others that its holder asks for an answer. It is renewed until
// it is released, and ends by itself when its holder has crashed. A nil Lease is
// none.
type Lease struct {
	shelf  *Shelf
	key    string
	token  string
	length time.Duration
	next   time.Time // when it is renewed
}

// leases are those that a shelf holds.
type leases struct {
	mu   sync.Mutex
	held map[*Lease]struct{}
	last uint64
}

// The scripts of leases.
//
//nolint:gochecknoglobals // scripts never change
var (
	renewLease = redis.NewScript(`
if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('PEXPIRE', KEYS[1], ARGV[2]) end
return 0`)
	releaseLease = redis.NewScript(`
if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('UNLINK', KEYS[1]) end
return 0`)
)

// Lease asks for the lease on the asking for an answer. It is nil unless it was
// taken. With it comes the answer that Redis has at that moment, if there is one:
// it may have come since it was looked for. Lease does not wait for a Redis for
// which somebody has just waited in vain.
func (s *Shelf) Lease(ctx context.Context, place answer.Place, length time.Duration) (*Lease, Standing, *answer.Answer) {
	if !s.Shares() || s.health.failedWithin(2*time.Duration(s.deadline.Load())) {
		return nil, Unknown, nil
	}
	begun, key := s.options.Now(), s.keyOf(place.Name)
	l := &Lease{shelf: s, key: key + ":lease", length: length, next: begun.Add(length / 3), token: s.newToken()}
	var value []byte
	taken := false
	ok := s.do(ctx, "lease", func(ctx context.Context) error {
		pipe := s.options.Redis.Pipeline()
		set := pipe.SetArgs(ctx, l.key, l.token, redis.SetArgs{Mode: "NX", TTL: length})
		got := pipe.GetRange(ctx, key, 0, s.maxValue.Load()+slack)
		_, _ = pipe.Exec(ctx) // each command has its own error
		taken = set.Err() == nil
		value, _ = got.Bytes()
		return set.Err()
	})
	switch {
	case !ok:
		return nil, Unknown, nil
	case !taken:
		return nil, Held, nil
	}
	s.leases.mu.Lock()
	s.leases.held[l] = struct{}{}
	s.leases.mu.Unlock()
	if len(value) == 0 || s.Purged(place.Name, begun) {
		return l, Taken, nil
	}
	a, err := s.codec.Decode(place.Key, value, int(s.maxValue.Load()))
	if err != nil {
		return l, Taken, nil
	}
	return l, Taken, a
}

// newToken returns what tells a lease from all others.
func (s *Shelf) newToken() string {
	s.leases.mu.Lock()
	defer s.leases.mu.Unlock()
	s.leases.last++
	return s.token + ":" + strconv.FormatUint(s.leases.last, 10)
}

// Release gives the lease up. Once is enough.
func (l *Lease) Release(ctx context.Context) {
	if l == nil {
		return
	}
	s := l.shelf
	s.leases.mu.Lock()
	_, held := s.leases.held[l]
	delete(s.leases.held, l)
	s.leases.mu.Unlock()
	if held {
		s.do(ctx, "lease", func(ctx context.Context) error {
			return releaseLease.Run(ctx, s.options.Redis, []string{l.key}, l.token).Err()
		})
	}
}

// renewing is how often leases are looked through: a third of the shortest one is
// not much less.
const renewing = 30 * time.Millisecond

// renew renews the leases that are held until the shelf is closed.
func (s *Shelf) renew() {
	tick := time.NewTicker(renewing)
	defer tick.Stop()
	for {
		select {
		case <-s.ended.Done():
			return
		case <-tick.C:
		}
		for _, l := range s.dueLeases() {
			s.do(s.ended, "lease", func(ctx context.Context) error {
				return renewLease.Run(ctx, s.options.Redis, []string{l.key}, l.token, l.length.Milliseconds()).Err()
			})
		}
	}
}

// dueLeases returns the leases that are to be renewed now.
func (s *Shelf) dueLeases() (due []*Lease) {
	s.leases.mu.Lock()
	defer s.leases.mu.Unlock()
	if len(s.leases.held) == 0 {
		return nil
	}
	now := s.options.Now()
	for l := range s.leases.held {
		if !now.Before(l.next) {
			l.next = now.Add(l.length / 3)
			due = append(due, l)
		}
	}
	return due
}

// Pauses between two looks for an answer: an upstream takes some hundred
// milliseconds for a short one, and most take seconds.
const (
	firstPause   = 20 * time.Millisecond
	longestPause = 200 * time.Millisecond
)

// Await waits until Redis has an answer that is fresh. It returns nil when nobody
// asks for it any more, when Redis fails, and when ctx is done.
func (s *Shelf) Await(ctx context.Context, place answer.Place, fresh func(*answer.Answer) bool) (*answer.Answer, Tier) {
	pause := firstPause
	timer := time.NewTimer(jitter(pause))
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil, None
		case <-timer.C:
		}
		a, asked := s.look(ctx, place)
		if a != nil && fresh(a) {
			s.memory.put(place, a)
			return a, Redis
		}
		if !asked {
			return nil, None
		}
		pause = min(pause*3/2, longestPause)
		timer.Reset(jitter(pause))
	}
}

// jitter returns a pause that is up to a quarter shorter, so that not all look at
// once.
func jitter(d time.Duration) time.Duration { return d - rand.N(d/4) }

// look returns the answer that Redis has, and whether somebody asks for it.
func (s *Shelf) look(ctx context.Context, place answer.Place) (a *answer.Answer, asked bool) {
	begun, key := s.options.Now(), s.keyOf(place.Name)
	var value []byte
	ok := s.do(ctx, "get", func(ctx context.Context) error {
		pipe := s.options.Redis.Pipeline()
		got := pipe.GetRange(ctx, key, 0, s.maxValue.Load()+slack)
		held := pipe.Exists(ctx, key+":lease")
		_, err := pipe.Exec(ctx)
		if says(got.Err(), "WRONGTYPE ") {
			err = held.Err()
		}
		asked = held.Val() > 0
		value, _ = got.Bytes()
		return err
	})
	if !ok || len(value) == 0 {
		return nil, ok && asked
	}
	if a = s.read(ctx, place, key, value); a != nil && s.Purged(place.Name, begun) {
		return nil, asked
	}
	return a, asked
}
