package plugintest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"sync/atomic"
	"testing"

	"github.com/holysheep/relay/plugins"
)

// build makes three generations of a link in one environment, as reloads do:
// two that take over from each other, and one that is thrown away because the
// rest of its configuration was refused.
func build(t *testing.T, p plugins.Plugin, settings plugins.Settings, metrics *recorder) (err error) {
	t.Helper()
	env, logged := Env(t, nil), &counting{}
	env.Metrics, env.Log = metrics, slog.New(logged)
	kept := &keeper{keep: env.Keep}
	env.Keep = kept.Keep
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("panic: %v", r)
		}
		err = errors.Join(err, kept.Close())
	}()
	var links []plugins.Link
	for _, generation := range []string{"first", "second", "third"} {
		before := logged.n.Load()
		link, err := p.Build(settings, env)
		if err != nil {
			return fmt.Errorf("%s: %w", generation, err)
		}
		if logged.n.Load() != before {
			return fmt.Errorf("%s: New logs, but its link may be thrown away: log in Start", generation)
		}
		if link.Serve == nil && link.Fetch == nil && link.Admin == nil {
			return errors.New("the link does nothing: Serve, Fetch and Admin are nil")
		}
		if links = append(links, link); len(links) == 1 {
			if err := metrics.checkZero(); err != nil {
				return err
			}
		}
	}
	chain := plugins.Chain(links[:2])
	chain.Start()
	return errors.Join(chain.Close(context.Background()), plugins.Chain(links[2:]).Close(context.Background()))
}

// counting is a log that counts what an operator would see.
type counting struct{ n atomic.Int64 }

func (c *counting) Enabled(_ context.Context, level slog.Level) bool { return level >= slog.LevelInfo }
func (c *counting) Handle(context.Context, slog.Record) error        { c.n.Add(1); return nil }
func (c *counting) WithAttrs([]slog.Attr) slog.Handler               { return c }
func (c *counting) WithGroup(string) slog.Handler                    { return c }

// keeper frees what was kept, as the server does after the last generation.
type keeper struct {
	keep   func(key string, create func() (any, error)) (any, error)
	closer []io.Closer
}

func (k *keeper) Keep(key string, create func() (any, error)) (any, error) {
	return k.keep(key, func() (any, error) {
		v, err := create()
		if c, ok := v.(io.Closer); ok && err == nil {
			k.closer = append(k.closer, c)
		}
		return v, err
	})
}

func (k *keeper) Close() error {
	var errs []error
	for _, c := range k.closer {
		errs = append(errs, c.Close())
	}
	return errors.Join(errs...)
}
