package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"github.com/holysheep/relay/internal/watch"
	"github.com/holysheep/relay/server/config"
)

// Reload loads the configuration anew and puts it in place of the running one,
// at once and as a whole. A configuration that is refused changes nothing: the
// last good one runs on, every problem is logged, and the metric
// relay_config_last_reload_successful is 0.
func (s *Server) Reload() error {
	s.reloading.Lock()
	defer s.reloading.Unlock()
	if s.discarded {
		return errors.New("the server has stopped")
	}
	reads := &watch.Reads{}
	g, err := s.load(reads)
	s.metrics.loaded(err)
	if err != nil {
		for _, problem := range problems(err) {
			s.log.Error("configuration refused, the last good one runs on", "err", problem)
		}
	} else {
		s.replace(g)
	}
	// A refused one is watched too: its file will change when it is mended.
	s.watcher.Watch(reads)
	return err
}

// load reads the configuration and builds a generation of it.
func (s *Server) load(reads *watch.Reads) (*generation, error) {
	loaded, err := s.read(reads)
	if loaded == nil {
		return nil, err
	}
	return s.build(loaded, err, reads)
}

// read reads the configuration. Beside an error it returns what is left of it,
// or nil.
func (s *Server) read(reads *watch.Reads) (*config.Loaded, error) {
	loaded, err := config.Load(config.Source{
		Path: s.options.Path, Environ: s.options.Environ, Base: s.options.Base, ReadFile: reads.ReadFile,
	}, s.options.Plugins)
	if loaded != nil && len(s.options.Upstreams) > 0 {
		loaded.Config.Upstreams = s.options.Upstreams
	}
	return loaded, err
}

// replace makes g the current generation.
func (s *Server) replace(g *generation) {
	c := g.config.Config
	s.access.Store(c.Log.Access)
	_ = s.level.UnmarshalText([]byte(c.Log.Level)) // config.Load has checked it
	for _, w := range g.config.Warnings {
		s.log.Warn("configuration", "warning", w)
	}
	for _, odd := range problems(g.odd) {
		s.log.Warn("configuration", "warning", odd)
	}
	if was := s.current.Load(); was != nil && g.cert == nil {
		g.cert = was.cert // without one, handshakes would fail until the restart that is asked for
	}
	old := s.current.Swap(g)
	g.chain.Start()
	g.pool.Start()
	g.redis.greet(s.log)
	if old == nil {
		return
	}
	old.pool.Close() // nobody probes twice; its requests go on
	s.warnFixed(old.config.Config, c)
	s.log.Info("configuration loaded", "chain", g.names)
	old.release()
}

// warnFixed tells which settings wait for a restart.
func (s *Server) warnFixed(old, now config.Config) {
	fixed := []struct {
		key     string
		changed bool
	}{
		{"listen", old.Listen != now.Listen},
		{"admin", old.Admin != now.Admin},
		{"tls.min_version", old.TLS.MinVersion != now.TLS.MinVersion},
		{"tls.cert_file", (old.TLS.CertFile == "") != (now.TLS.CertFile == "")},
		{"log.format", old.Log.Format != now.Log.Format},
		{"read_header_timeout", old.ReadHeaderTimeout != now.ReadHeaderTimeout},
		{"idle_timeout", old.IdleTimeout != now.IdleTimeout},
	}
	for _, f := range fixed {
		if f.changed {
			s.log.Warn("this setting changes with the next start only", "key", f.key)
		}
	}
}

// free closes a generation whose last request has ended. What goes wrong then
// is a warning at most: nothing depends on it any more, and a store that does
// not hear of it forgets by time.
func (s *Server) free(g *generation) {
	s.freeing.Go(func() {
		if err := g.close(context.Background()); err != nil {
			s.log.Warn("closing an old configuration", "err", err)
		}
	})
}

// follow reloads whenever a file has changed, until ctx ends.
func (s *Server) follow(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-s.watcher.Changed():
			_ = s.Reload() // logged there
		}
	}
}

// problems returns the errors that err joins, one for each line of the log.
func problems(err error) []error {
	if err == nil {
		return nil
	}
	joined, ok := err.(interface{ Unwrap() []error }) // one that wraps a join has a text of its own
	if !ok {
		return []error{err}
	}
	var all []error
	for _, e := range joined.Unwrap() {
		all = append(all, problems(e)...)
	}
	return all
}

// under puts the key in front of each of the errors that err joins.
func under(key string, err error) error {
	all := problems(err)
	for i, e := range all {
		all[i] = fmt.Errorf("%s: %w", key, e)
	}
	return errors.Join(all...)
}

// newLog returns the log that the configuration asks for.
func (s *Server) newLog(c config.Log) *slog.Logger {
	options := &slog.HandlerOptions{Level: &s.level}
	if c.Format == "text" {
		return slog.New(slog.NewTextHandler(s.options.Log, options))
	}
	return slog.New(slog.NewJSONHandler(s.options.Log, options))
}
