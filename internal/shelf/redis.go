package shelf

import (
	"context"
	"crypto/sha1" //nolint:gosec // as Redis has it: it tells values apart, and keeps nothing secret
	"encoding/hex"
	"errors"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/holysheep/relay/internal/answer"
)

// slack is how much longer a value is than its body at the most: headers are
// bounded by net/http.
const slack = 1 << 20

// removeValue removes a value if it is still the one that was read, or none that
// could be read.
//
//nolint:gochecknoglobals // scripts never change
var removeValue = redis.NewScript(`
local kind = redis.call('TYPE', KEYS[1]).ok
if kind == 'string' and redis.sha1hex(redis.call('GET', KEYS[1])) ~= ARGV[1] then return 0 end
return redis.call('UNLINK', KEYS[1])`)

// keyOf returns the key of an answer in Redis. What is in braces alone decides
// which node of a cluster has it, and the lease beside it.
func (s *Shelf) keyOf(n answer.Name) string {
	b := make([]byte, 0, len(s.options.Prefix)+64)
	b = append(b, s.options.Prefix...)
	b = append(b, "cache:"...)
	b = hex.AppendEncode(b, n.Tenant[:])
	b = append(b, ':')
	b = hex.AppendEncode(b, n.Model[:])
	b = append(b, ":{"...)
	b = hex.AppendEncode(b, n.ID[:])
	return string(append(b, '}'))
}

// fetch returns the answer that Redis has, or nil.
func (s *Shelf) fetch(ctx context.Context, place answer.Place) (a *answer.Answer) {
	if !s.Shares() {
		return nil
	}
	begun, key := s.options.Now(), s.keyOf(place.Name)
	var value []byte
	var wrong bool
	ok := s.do(ctx, "get", func(ctx context.Context) error {
		var err error
		value, err = s.options.Redis.GetRange(ctx, key, 0, s.maxValue.Load()+slack).Bytes()
		if wrong = says(err, "WRONGTYPE "); wrong {
			return nil
		}
		return err
	})
	if !ok || len(value) == 0 && !wrong {
		return nil
	}
	if a = s.read(ctx, place, key, value); a == nil || s.Purged(place.Name, begun) {
		return nil
	}
	return a
}

// read returns the answer that a value is, or nil. What is no answer at all is
// removed. What another version of the relay has written, or whoever has the
// same name, is left to them.
func (s *Shelf) read(ctx context.Context, place answer.Place, key string, value []byte) *answer.Answer {
	a, err := s.codec.Decode(place.Key, value, int(s.maxValue.Load()))
	if err == nil {
		return a
	}
	if errors.Is(err, answer.ErrDamaged) {
		if s.options.Damaged != nil {
			s.options.Damaged()
		}
		sum := sha1.Sum(value) //nolint:gosec // as above
		s.do(ctx, "put", func(ctx context.Context) error {
			return removeValue.Run(ctx, s.options.Redis, []string{key}, hex.EncodeToString(sum[:])).Err()
		})
	}
	return nil
}

// Share keeps an answer in Redis for so long, if that has memory. A ttl of 0 or
// less keeps nothing.
func (s *Shelf) Share(ctx context.Context, place answer.Place, a *answer.Answer, ttl time.Duration) {
	if !s.Shares() || ttl < time.Millisecond || s.crowd.Load() {
		return
	}
	value := s.codec.Encode(a)
	s.do(ctx, "put", func(ctx context.Context) error {
		return s.options.Redis.Set(ctx, s.keyOf(place.Name), value, ttl).Err()
	})
}
