package shelf

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/holysheep/relay/internal/answer"
)

// A What says which answers are purged. A nil field is any.
type What struct {
	Tenant *[8]byte
	Model  *[4]byte
	ID     *[8]byte
}

// Fits reports whether an answer of that name is purged.
func (w What) Fits(n answer.Name) bool {
	return (w.Tenant == nil || *w.Tenant == n.Tenant) && (w.Model == nil || *w.Model == n.Model) && (w.ID == nil || *w.ID == n.ID)
}

// pattern returns what the keys of the answers match.
func (w What) pattern(prefix string) string {
	part := func(b []byte) string {
		if b == nil {
			return "*"
		}
		return hex.EncodeToString(b)
	}
	tenant, model, id := part(nil), part(nil), part(nil)
	if w.Tenant != nil {
		tenant = part(w.Tenant[:])
	}
	if w.Model != nil {
		model = part(w.Model[:])
	}
	if w.ID != nil {
		id = part(w.ID[:])
	}
	literal := strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`).Replace(prefix)
	return literal + "cache:" + tenant + ":" + model + ":{" + id + "}"
}

// A purge is one that this shelf knows of.
type purge struct {
	what What
	at   time.Time // when it has learned of it
}

// purges are those of the last hour: no answer takes longer.
type purges struct {
	mu     sync.Mutex
	latest []purge
}

// remembered is for how long a purge is known.
const remembered = time.Hour

// Purged reports whether answers of that name were purged since an instant: what
// was asked for before must not be kept.
func (s *Shelf) Purged(n answer.Name, since time.Time) bool {
	s.purges.mu.Lock()
	defer s.purges.mu.Unlock()
	for _, p := range s.purges.latest {
		if !p.at.Before(since) && p.what.Fits(n) {
			return true
		}
	}
	return false
}

// forget drops from memory what is purged, and remembers that. It returns how
// many answers those are.
func (s *Shelf) forget(w What) int {
	now := s.options.Now()
	s.purges.mu.Lock()
	for len(s.purges.latest) > 0 && now.Sub(s.purges.latest[0].at) > remembered {
		s.purges.latest = s.purges.latest[1:]
	}
	s.purges.latest = append(s.purges.latest, purge{w, now})
	s.purges.mu.Unlock()
	return s.memory.remove(w.Fits)
}

// Removed is how many answers a purge has removed.
type Removed struct{ Memory, Redis int }

// ErrUnreached says that a purge has not reached Redis.
var ErrUnreached = errors.New("redis was not reached: it and other replicas may still have these answers, so purge again once it is there")

// Purge removes answers from the memory of this replica and from Redis at once,
// and from the memory of other replicas within about a second. An answer that
// was asked for before is not kept when it comes. It returns an error that is
// [ErrUnreached] if Redis could not be asked, with what was removed until then.
func (s *Shelf) Purge(ctx context.Context, w What) (n Removed, err error) {
	n.Memory = s.forget(w)
	if !s.Shares() {
		return n, nil
	}
	if err = s.tell(ctx, w); err == nil {
		n.Redis, err = s.scan(ctx, w)
	}
	if err != nil {
		if s.options.Failed != nil {
			s.options.Failed("purge")
		}
		return n, fmt.Errorf("%w: %w", ErrUnreached, err)
	}
	s.again(w)
	return n, nil
}

// late is how long after a purge Redis is gone through once more: by then all
// replicas know of it, so that what comes after that was asked for later.
const late = 3 * time.Second

// again purges Redis once more, of what others have put there who did not know
// yet.
func (s *Shelf) again(w What) {
	if s.ended.Err() != nil {
		return
	}
	s.work.Go(func() {
		timer := time.NewTimer(late)
		defer timer.Stop()
		select {
		case <-s.ended.Done():
			return
		case <-timer.C:
		}
		ctx, cancel := context.WithTimeout(s.ended, time.Minute)
		defer cancel()
		if _, err := s.scan(ctx, w); err != nil && s.ended.Err() == nil {
			s.options.Log.Warn("answers that were on their way while the cache was purged may have stayed in redis: purge again", "err", err)
		}
	})
}

// scanned is how many keys a SCAN looks at: few enough not to hold Redis up.
const scanned = 500

// scan removes the answers from Redis.
func (s *Shelf) scan(ctx context.Context, w What) (n int, err error) {
	pattern := w.pattern(s.options.Prefix)
	cluster, ok := s.options.Redis.(*redis.ClusterClient)
	if !ok {
		return scanOne(ctx, s.options.Redis, pattern)
	}
	var mu sync.Mutex
	err = cluster.ForEachMaster(ctx, func(ctx context.Context, node *redis.Client) error {
		removed, err := scanOne(ctx, node, pattern)
		mu.Lock()
		defer mu.Unlock()
		n += removed
		return err
	})
	return n, err
}

// scanOne removes the keys of one server that match.
func scanOne(ctx context.Context, client redis.Cmdable, pattern string) (n int, err error) {
	for cursor := uint64(0); ; {
		var keys []string
		if keys, cursor, err = client.Scan(ctx, cursor, pattern, scanned).Result(); err != nil {
			return n, err
		}
		pipe := client.Pipeline()
		for _, k := range keys { // one by one: those of a cluster's node are in many slots
			pipe.Unlink(ctx, k)
		}
		cmds, err := pipe.Exec(ctx)
		if err != nil {
			return n, err
		}
		for _, c := range cmds {
			if unlinked, ok := c.(*redis.IntCmd); ok {
				n += int(unlinked.Val())
			}
		}
		if cursor == 0 {
			return n, nil
		}
	}
}
