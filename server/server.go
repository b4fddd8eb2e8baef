package server

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/holysheep/relay/internal/keep"
	"github.com/holysheep/relay/internal/watch"
	"github.com/holysheep/relay/plugins"
	"github.com/holysheep/relay/server/upstream"
)

// Options are what a server is told from outside of its configuration.
type Options struct {
	Plugins []plugins.Plugin // that a chain may name
	Path    string           // of the configuration's file; "" is none
	Environ []string         // as [os.Environ] returns it
	Base    map[string]any   // a layer of configuration under the file; may be nil
	Log     io.Writer        // where the log goes
	Version string           // of the build

	// Now is the clock of the plugins; nil is [time.Now].
	Now func() time.Time

	// Upstreams, if there are any, take the place of those configured.
	Upstreams map[string]upstream.Settings

	// dial, if not nil, connects to upstreams in place of the network, and poll
	// has files looked at every few seconds: tests with a clock of their own can
	// wait for neither the network nor inotify.
	dial upstream.Dial
	poll bool
}

// A Server is a relay: two listeners and the current configuration.
type Server struct {
	options Options
	plugins map[string]plugins.Plugin
	environ map[string]string

	log      *slog.Logger
	level    slog.LevelVar
	access   atomic.Bool
	registry *prometheus.Registry
	metrics  *metrics

	current   atomic.Pointer[generation]
	kept      keep.Store
	watcher   *watch.Watcher
	reloading sync.Mutex
	discarded bool // guarded by reloading
	freeing   sync.WaitGroup

	draining  atomic.Bool
	visits    sync.WaitGroup // requests in flight, upgraded connections included
	api       *http.Server
	admin     *http.Server
	listeners struct{ api, admin net.Listener }
	bound     atomic.Pointer[string] // the address that clients reach, once it is listened on
	base      context.Context        //nolint:containedctx // of every request: its end cuts them all
	cut       context.CancelCauseFunc
}

// New loads the configuration and builds the server. It listens on nothing
// yet. The error holds every problem of the configuration.
func New(o Options) (*Server, error) {
	s, polls := empty(o)
	s.base, s.cut = context.WithCancelCause(context.Background())
	if err := s.first(); err != nil {
		s.cut(nil)
		_ = s.watcher.Close()
		return nil, err
	}
	if polls != nil {
		s.log.Warn("changes of files are seen late", "err", polls)
	}
	s.api, s.admin = s.newAPI(), s.newAdmin()
	return s, nil
}

// empty returns a server without a configuration, and why it sees changes of
// files late, if it does.
func empty(o Options) (s *Server, polls error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	watcher, polls := watcher(o.poll)
	registry := prometheus.NewRegistry()
	s = &Server{
		options:  o,
		plugins:  make(map[string]plugins.Plugin, len(o.Plugins)),
		environ:  environ(o.Environ),
		registry: registry,
		metrics:  newMetrics(registry, o.Version),
		watcher:  watcher,
	}
	for _, p := range o.Plugins {
		s.plugins[p.Name()] = p
	}
	return s, polls
}

// watcher returns what watches files, and why it sees changes late, if it does.
func watcher(poll bool) (*watch.Watcher, error) {
	if poll {
		return watch.Poll(), nil
	}
	return watch.New()
}

// first loads the configuration that the server starts with, and the log that
// it asks for.
func (s *Server) first() error {
	reads := &watch.Reads{}
	loaded, err := s.read(reads)
	if loaded == nil {
		return err
	}
	s.log = s.newLog(loaded.Config.Log)
	g, err := s.build(loaded, err, reads)
	if err != nil {
		return err
	}
	s.replace(g)
	s.metrics.loaded(nil)
	s.watcher.Watch(reads)
	return nil
}

// env is what the server lends to the plugin of the given name in g.
func (s *Server) env(name string, g *generation, reads *watch.Reads) plugins.Env {
	env := plugins.Env{
		Log:         s.log.With("plugin", name),
		Metrics:     s.registry,
		Now:         s.options.Now,
		LookupEnv:   s.lookup,
		ReadFile:    reads.ReadFile,
		Prices:      g.config.Config.Prices,
		RedisPrefix: g.config.Config.Redis.Prefix + ":",
		Keep: func(key string, create func() (any, error)) (any, error) {
			return g.hold.Keep(name+"."+key, key == "metrics", create)
		},
	}
	if g.redis != nil {
		env.Redis = g.redis.client
	}
	return env
}

// lookup reads an environment variable, as [os.LookupEnv] does.
func (s *Server) lookup(key string) (string, bool) {
	v, ok := s.environ[key]
	return v, ok
}

// environ returns the variables by name; the last of a name wins.
func environ(list []string) map[string]string {
	vars := make(map[string]string, len(list))
	for _, kv := range list {
		if k, v, ok := strings.Cut(kv, "="); ok {
			vars[k] = v
		}
	}
	return vars
}

// Listen opens both listeners and returns their addresses. [Server.Run] does
// it too, if it has not been done.
func (s *Server) Listen() (api, admin net.Addr, err error) {
	if s.listeners.api == nil {
		c := s.current.Load().config.Config
		a, err := net.Listen("tcp", c.Listen)
		if err != nil {
			return nil, nil, taken("listen", c.Listen, err)
		}
		b, err := net.Listen("tcp", c.Admin)
		if err != nil {
			_ = a.Close()
			return nil, nil, taken("admin", c.Admin, err)
		}
		s.listeners.api, s.listeners.admin = a, b
		bound := a.Addr().String()
		s.bound.Store(&bound)
	}
	return s.listeners.api.Addr(), s.listeners.admin.Addr(), nil
}

// taken returns why the address of a setting cannot be listened on.
func taken(key, address string, err error) error {
	if errors.Is(err, syscall.EADDRINUSE) {
		return fmt.Errorf("%s: %s is taken by another program: set another address, here or by RELAY_%s",
			key, address, strings.ToUpper(key))
	}
	return fmt.Errorf("%s: %w", key, err)
}

// Gather returns the server's metrics.
func (s *Server) Gather() prometheus.Gatherer { return s.registry }
