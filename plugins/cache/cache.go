// Package cache answers a request with the stored answer to an equal one of
// those who share answers with its client, and stores the answers that pass.
// What is equal is exact: the method, the path, the query, the JSON body by
// value, and the request headers that change an answer. Answers are kept in
// memory, in front of the Redis that replicas share.
//
// Equal requests that are on their way at the same time share one call of an
// upstream, which goes on for as long as any of them waits for it: see flight.
// An answer is recorded while it passes, streams too, and stored once it has
// come whole.
//
// It stores nothing that is drawn at random unless told to, no refusal and no
// error.
package cache

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/holysheep/relay/internal/shelf"
	"github.com/holysheep/relay/internal/tape"
	"github.com/holysheep/relay/plugins"
)

// Plugin is the cache as the server's main takes it.
var Plugin = plugins.Define("cache", Defaults, New)

// A link is the cache of one configuration.
type link struct {
	rules    rules
	settings Settings
	shelf    *shelf.Shelf // where answers are, over configurations
	semantic *semantic    // nil if no question is compared by what it means
	room     *tape.Room   // of recordings, over configurations
	board    board        // what is on its way
	metrics  *metrics
	prices   plugins.Prices
	log      *slog.Logger
	now      func() time.Time

	ended context.Context //nolint:containedctx // of what goes on without a client: Close ends it
	end   context.CancelFunc
	work  sync.WaitGroup
}

// New makes a link that answers from the store and fills it. The store is kept
// between configurations.
func New(s Settings, env plugins.Env) (plugins.Link, error) {
	l, err := newLink(s, env)
	if err != nil {
		return plugins.Link{}, err
	}
	return plugins.Link{
		Fetch:   func(next http.RoundTripper) http.RoundTripper { return &transport{link: l, next: next} },
		Shares:  s.shares(),
		Admin:   &admin{l},
		AdminAt: "/cache",
		Check:   l.rules.check,
		Start:   l.start,
		Close:   l.close,
	}, nil
}

func newLink(s Settings, env plugins.Env) (*link, error) {
	l := &link{
		rules: newRules(s), settings: s, prices: env.Prices, log: env.Log, now: env.Now,
	}
	m, err := plugins.Keep(env, "metrics", func() (*metrics, error) { return newMetrics(env.Metrics), nil })
	if err != nil {
		return nil, err
	}
	l.metrics = m
	if l.room, err = plugins.Keep(env, "room", func() (*tape.Room, error) { return tape.NewRoom(s.roomBytes()), nil }); err != nil {
		return nil, err
	}
	if l.shelf, err = keepShelf(s, env, m); err != nil {
		return nil, err
	}
	if l.semantic, err = newSemantic(s, &l.rules, env, m); err != nil {
		return nil, err
	}
	l.board.flights = map[key]*flight{}
	l.ended, l.end = context.WithCancel(context.Background())
	return l, nil
}

// start begins with the settings of this configuration.
func (l *link) start() {
	l.shelf.Tune(int64(l.settings.MaxBytes), int(l.settings.MaxValue), l.settings.Redis.Deadline)
	l.room.Resize(l.settings.roomBytes())
	l.semantic.start()
	l.metrics.current.Store(l)
	if !l.settings.inMemory() && !l.shelf.Shares() {
		l.log.Warn("the cache keeps nothing: max_bytes is 0, and there is no redis for it", "key", "plugins.cache.max_bytes")
	}
}

// close ends what goes on without a client, and waits for it.
func (l *link) close(ctx context.Context) error {
	l.end()
	done := make(chan struct{})
	go func() {
		l.work.Wait()
		close(done)
	}()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return errors.New("answers are still on their way to the store")
	}
}
