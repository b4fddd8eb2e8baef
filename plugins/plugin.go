// Package plugins is what a plugin of the relay is made of: the [Link] that it
// becomes in the chain, the [Env] that the server lends it, and the few types
// that plugins and server share, such as [Call], [Ask] and [Error].
//
// It does not know any plugin by name, nor the server.
package plugins

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/labstack/echo/v4"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/redis/go-redis/v9"
)

// A Link is one plugin, configured and ready: what it wraps around the relay.
// A nil field means that the plugin takes no part there.
type Link struct {
	// Serve wraps the answering of a client. It runs once per client request
	// and decides whether the client may ask.
	Serve echo.MiddlewareFunc

	// Fetch wraps the asking of an upstream. It decides how the answer is
	// obtained: it may answer without asking (a cache), ask again (a retry)
	// or ask elsewhere (a fallback). See [Chain] for its contract.
	Fetch func(next http.RoundTripper) http.RoundTripper

	// Shares is whether a client may get the answer to what another client has
	// asked.
	Shares bool

	// Charges is whether what is asked counts for the client that asks, as in
	// limit. A chain in which such a link is inside of one that Shares is
	// refused: one client would be charged for all.
	Charges bool

	// Admin answers operators under /plugins/<name>/ on the admin listener.
	// Reading, by GET and HEAD, is open there; any other method reaches it only
	// with the admin token, which the server checks.
	Admin http.Handler

	// AdminAt is a path of the admin listener, such as "/limits", under which
	// Admin answers too. Empty is none. A chain in which two links have the same,
	// or one has a path of the server's own, is refused.
	AdminAt string

	// Clients returns the clients that the link can name, as auth does. It is
	// nil in a link that names none.
	Clients func() []Client

	// Check is called once after all links of the chain are built, before
	// Start. It returns what settings name that does not exist in scope, such
	// as a client, each problem with its key first. At the start that refuses
	// the configuration; at a reload it is a warning in the log, so that the
	// removal of a client is never refused.
	Check func(scope Scope) error

	// Start is called once, when the configuration that holds the link has
	// become the current one. A link of a configuration that was refused is
	// closed without having been started.
	Start func()

	// Close frees what the link holds. It is called once, after the last
	// request has been answered.
	Close func(context.Context) error
}

// Settings is the configuration of one plugin, as a struct with koanf tags.
type Settings interface {
	// Validate reports every problem at once, joined with [errors.Join]. Each
	// begins with the key at fault: "attempts: 99 is not from 1 to 10".
	Validate() error
}

// A Completer is settings that have defaults within what is named by the
// configuration, such as the rules of limit, where defaults of the whole cannot
// stand. Complete puts them in, once the settings are decoded.
type Completer interface{ Complete() }

// A Scope is what the configuration is about, as a whole.
type Scope struct {
	// Named is whether a link of the chain names clients.
	Named bool

	// Clients are the clients that it can name.
	Clients []Client

	// Serves tells whether any upstream serves a model that the glob matches,
	// as far as the configuration says.
	Serves func(glob string) bool
}

// Env is what the server lends to a plugin while it is built. No field is nil
// unless it says so.
type Env struct {
	Log     *slog.Logger          // carries plugin=<name>
	Metrics prometheus.Registerer // where the plugin registers its metrics
	Now     func() time.Time      // the clock, which tests can hold still

	// LookupEnv reads an environment variable, as [os.LookupEnv] does.
	LookupEnv func(name string) (string, bool)

	// ReadFile reads a file, as [os.ReadFile] does, and has the configuration
	// built anew when the file changes: a plugin never watches files itself.
	ReadFile func(path string) ([]byte, error)

	// Redis is what replicas share, nil if no Redis is configured. All plugins
	// share one client, which the server owns: it closes it after all that the
	// configuration keeps. It asks once and never again by itself, and obeys
	// the context's deadline. Other settings, or another password, make another
	// client: what is kept and uses one names it in its key, as by %p.
	Redis redis.UniversalClient

	// RedisPrefix is what every key in Redis begins with, with a colon at its
	// end.
	RedisPrefix string

	// Prices are what models cost.
	Prices Prices

	// Keep returns the state named key, creating it if no live generation of
	// the configuration holds it. Names of two plugins never meet. The server
	// owns the state and frees it (by Close, if it is an [io.Closer]) after the
	// last generation that kept it. Counters, leases and caches are kept; links
	// are not. The key "metrics" is for collectors: it lives as long as the
	// process, since a collector registers once and never starts again at 0.
	// Use [Keep], which knows the type.
	Keep func(key string, create func() (any, error)) (any, error)
}

// Secret returns the secret that stands in the environment variable env or in
// the file at path, without the white space around it. Exactly one of the two
// is named; an error names the variable or the file, never what it holds.
func (e Env) Secret(env, path string) (string, error) {
	var text string
	switch {
	case env != "" && path != "":
		return "", fmt.Errorf("both %s and %s are named: keep one", env, path)
	case env != "":
		value, ok := e.LookupEnv(env)
		if !ok {
			return "", fmt.Errorf("%s is not set", env)
		}
		text = value
	case path != "":
		b, err := e.ReadFile(path)
		if err != nil {
			return "", err
		}
		text = string(b)
	default:
		return "", errors.New("no source is named")
	}
	if text = strings.TrimSpace(text); text == "" {
		return "", fmt.Errorf("%s%s is empty", env, path)
	}
	return text, nil
}

// Keep returns the state of type T that env keeps under key. See [Env]. It
// returns an error if create does, or if the state is of another type.
func Keep[T any](env Env, key string, create func() (T, error)) (T, error) {
	var none T
	v, err := env.Keep(key, func() (any, error) { return create() })
	if err != nil {
		return none, err
	}
	state, ok := v.(T)
	if !ok {
		return none, fmt.Errorf("the state kept as %q is a %T, not a %T", key, v, none)
	}
	return state, nil
}

// A Plugin is a kind of link: a name, default settings and a way to build.
// Make one with [Define].
type Plugin struct {
	name   string
	decode func(into func(any) error) (Settings, error)
	build  func(Settings, Env) (Link, error)
}

// Define declares a plugin. The name is its key in the configuration, defaults
// returns fresh settings, and build makes a link from settings that are valid.
// The name matches ^[a-z][a-z0-9_]*$ and holds no "__", which separates keys in
// the environment.
func Define[S Settings](name string, defaults func() S, build func(S, Env) (Link, error)) Plugin {
	return Plugin{
		name: name,
		decode: func(into func(any) error) (Settings, error) {
			s := defaults()
			err := into(&s)
			if c, ok := any(&s).(Completer); ok {
				c.Complete()
			}
			return s, err
		},
		build: func(s Settings, env Env) (Link, error) { return build(s.(S), env) },
	}
}

// Name is the plugin's key in the configuration.
func (p Plugin) Name() string { return p.name }

// Defaults returns the settings of a chain that names the plugin and says no
// more.
func (p Plugin) Defaults() Settings {
	s, _ := p.decode(func(any) error { return nil })
	return s
}

// Decode returns the plugin's defaults with what decode puts over them. decode
// gets a pointer to the settings. The result is not yet validated.
func (p Plugin) Decode(decode func(settings any) error) (Settings, error) { return p.decode(decode) }

// Build makes a link from s, which came from Decode and is valid.
func (p Plugin) Build(s Settings, env Env) (Link, error) { return p.build(s, env) }
