package cache

import (
	"context"
	"log/slog"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/holysheep/relay/internal/answer"
	"github.com/holysheep/relay/internal/nearest"
	"github.com/holysheep/relay/plugins"
)

// semantic finds answered questions by what they mean: by the embedding of the
// last message of their user. Everything else of two questions has to be equal.
// A nil semantic finds none.
type semantic struct {
	settings Semantic
	rules    *rules
	index    *nearest.Index[answer.Place]
	vectors  *vectors // in Redis, nil if they are kept in memory alone
	lookups  map[string]prometheus.Counter
	log      *slog.Logger
	now      func() time.Time
	told     atomic.Int64 // when an error was logged last, in nanoseconds since 1970
}

// A meaning is what is known of what a question means.
type meaning struct {
	group  key // of the questions that are equal in all else
	vector []float32
	place  answer.Place // of the answer to the nearest question
	score  float64      // how near that is
	found  bool         // there is one
}

// What came of a lookup.
const (
	lookupHit   = "hit"
	lookupMiss  = "miss"
	lookupError = "error" // the embedding could not be had in time
)

// newSemantic returns nil where no question is compared. The index is kept
// between configurations.
func newSemantic(s Settings, r *rules, env plugins.Env, m *metrics) (*semantic, error) {
	if !s.asksMeanings() {
		return nil, nil
	}
	index, err := plugins.Keep(env, "nearest", func() (*nearest.Index[answer.Place], error) {
		return nearest.New[answer.Place](s.Semantic.MaxEntries), nil
	})
	if err != nil {
		return nil, err
	}
	out := &semantic{settings: s.Semantic, rules: r, index: index, lookups: m.lookups, log: env.Log, now: env.Now}
	if s.Semantic.Redis && env.Redis != nil {
		out.vectors = &vectors{client: env.Redis, prefix: env.RedisPrefix, deadline: s.Redis.Deadline, log: env.Log}
	}
	return out, nil
}

// start begins with the settings of this configuration.
func (s *semantic) start() {
	if s == nil {
		return
	}
	s.index.Resize(s.settings.MaxEntries)
	if s.settings.Redis && s.vectors == nil {
		s.log.Error("there is no redis for the embeddings: memory alone has them", "key", "plugins.cache.semantic.redis")
	}
}

// entries returns how many questions are in memory.
func (s *semantic) entries() int {
	if s == nil {
		return 0
	}
	return s.index.Len()
}

// look returns what q means and which answered question is near enough. It
// returns nil if q is none that can be compared, or if that cannot be known in
// time: the answer is asked for then.
func (s *semantic) look(ctx context.Context, next http.RoundTripper, req *http.Request, q *question) *meaning {
	if s == nil {
		return nil
	}
	text, rest, ok := spoken(q)
	if !ok {
		return nil
	}
	group, err := s.rules.keyOf(q, req, rest)
	if err != nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, s.settings.Timeout)
	defer cancel()
	vector, err := s.embed(ctx, next, req, text)
	if err != nil {
		s.fail(err)
		return nil
	}
	m := &meaning{group: group, vector: vector}
	m.place, m.score, m.found = s.index.Find(group, vector, s.settings.Threshold)
	if !m.found && s.vectors != nil {
		m.place, m.score, m.found = s.vectors.find(ctx, group, vector, s.settings.Threshold)
	}
	if m.found {
		s.lookups[lookupHit].Inc()
	} else {
		s.lookups[lookupMiss].Inc()
	}
	return m
}

// silence is how long an error of embeddings is not logged again.
const silence = time.Minute

// fail counts an embedding that could not be had, and logs some of them.
func (s *semantic) fail(err error) {
	s.lookups[lookupError].Inc()
	now, last := s.now().UnixNano(), s.told.Load()
	if now-last >= int64(silence) && s.told.CompareAndSwap(last, now) {
		s.log.Warn("the embedding of a question could not be had, it is answered as if there were no semantic cache",
			"key", "plugins.cache.semantic.model", "model", s.settings.Model, "err", err)
	}
}

// learn has later questions find the answer at place, which is kept for so long.
func (s *semantic) learn(ctx context.Context, m *meaning, place answer.Place, life time.Duration) {
	if s == nil || m == nil {
		return
	}
	if err := s.index.Add(m.group, place, m.vector); err != nil {
		s.fail(err)
		return
	}
	if s.vectors != nil {
		s.vectors.add(ctx, m, place, life)
	}
}

// forget drops the questions whose answers are purged.
func (s *semantic) forget(fits func(answer.Name) bool) {
	if s != nil {
		s.index.Remove(func(p answer.Place) bool { return fits(p.Name) })
	}
}
