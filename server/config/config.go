// Package config is the configuration of the relay: what it may hold, its
// defaults, and how it is put together from a file and the environment, with
// every problem reported at once and every value's origin remembered.
//
// It starts nothing, watches nothing and reads no secret's value: it knows
// only where secrets stand.
package config

import (
	"time"

	"github.com/holysheep/relay/plugins"
	"github.com/holysheep/relay/server/upstream"
)

// Config is the configuration of a relay.
//
// The comments on the fields are what the schema shows as descriptions.
type Config struct {
	// Listen is the address for clients, such as ":8080": /v1/*, /health and
	// /ready. Where nothing says who may ask it is 127.0.0.1:8080.
	Listen string `koanf:"listen"`

	// Admin is the address for operators, such as ":9090": /metrics, /health
	// and /ready.
	Admin string `koanf:"admin"`

	// AdminTokenEnv names the environment variable that holds the token by which
	// operators may change something at the admin address. Without it and
	// admin_token_file it is read-only.
	AdminTokenEnv string `koanf:"admin_token_env"`

	// AdminTokenFile names the file that holds the token. It is read again when
	// it changes.
	AdminTokenFile string `koanf:"admin_token_file"`

	// TLS makes clients' connections encrypted. Without a certificate they are
	// not.
	TLS TLS `koanf:"tls"`

	// Drain is how long streams in flight may go on after the relay was told to
	// stop.
	Drain time.Duration `koanf:"drain"`

	// DrainDelay is how long the relay goes on accepting after it was told to
	// stop, for load balancers to notice that it is not ready any more.
	DrainDelay time.Duration `koanf:"drain_delay"`

	// RequestTimeout bounds an answer that is not streamed, and the wait for
	// the first byte of one that is. It never cuts a running stream. 0 is no
	// bound.
	RequestTimeout time.Duration `koanf:"request_timeout"`

	// StreamKeepalive is how long a stream may be silent before its first event
	// until a comment is sent in front of it, and then again and again, so that
	// load balancers do not cut the line. The status is 200 from then on: an
	// error comes as an event of the stream. An upstream without a peek, or a
	// body longer than max_replay, gets none. 0 sends none.
	StreamKeepalive time.Duration `koanf:"stream_keepalive"`

	// OnClientGone is what becomes of an answer whose client has left: cancel
	// cancels it at the upstream, drain reads on, so that what it used is known.
	OnClientGone string `koanf:"on_client_gone" jsonschema:"enum=cancel,enum=drain"`

	// ClientGoneTime is how long drain reads on at most.
	ClientGoneTime time.Duration `koanf:"client_gone_time"`

	// ClientGoneBytes is how much of an answer drain reads at most.
	ClientGoneBytes plugins.Size `koanf:"client_gone_bytes"`

	// ReadHeaderTimeout bounds the reading of a request's headers.
	ReadHeaderTimeout time.Duration `koanf:"read_header_timeout"`

	// IdleTimeout is how long a connection may wait for its next request.
	IdleTimeout time.Duration `koanf:"idle_timeout"`

	// MaxBody is the largest body of a request. A larger one is answered 413.
	MaxBody plugins.Size `koanf:"max_body"`

	// MaxReplay is the largest body of a request that is kept so that it can be
	// sent again. A larger one is asked for once only.
	MaxReplay plugins.Size `koanf:"max_replay"`

	// AllowAnonymous lets the relay listen beyond the machine it runs on
	// without the plugin auth in the chain: whoever reaches it may use it.
	AllowAnonymous bool `koanf:"allow_anonymous"`

	// CORS lets browsers on other origins call the relay.
	CORS CORS `koanf:"cors"`

	// Log says what is logged, and how.
	Log Log `koanf:"log"`

	// Redis is what replicas share. Without addresses each keeps its own state.
	Redis Redis `koanf:"redis"`

	// Chain is the plugins that every request goes through, outermost first.
	// Where nothing says who may ask auth is not among its defaults.
	Chain []string `koanf:"chain"`

	// Plugins are the settings of the plugins by name: of each that is in the
	// chain or in the file, over its defaults.
	Plugins map[string]plugins.Settings `koanf:"-"`

	// Upstreams are the APIs that requests are relayed to, by names of our own
	// choice.
	Upstreams map[string]upstream.Settings `koanf:"upstreams" env:"named"`

	// Fallbacks are, by model, the models that are asked in its place when every
	// upstream that serves it is out, in this order. Without any a client gets
	// the model that it asked for, or an error.
	Fallbacks map[string][]string `koanf:"fallbacks"`

	// Prices are what models cost, by the name that clients use or a glob such as
	// "gpt-*", in which a star is any characters: the name goes first, then the
	// longest glob. A model that stands here replaces the default of that model
	// alone.
	Prices plugins.Prices `koanf:"prices"`

	// Health says when an upstream is left alone for a while.
	Health upstream.Health `koanf:"health"`
}

// TLS names the certificate that is shown to clients.
type TLS struct {
	// CertFile names the file with the certificate and its chain, as PEM. It is
	// read again when it changes.
	CertFile string `koanf:"cert_file"`

	// KeyFile names the file with the certificate's private key, as PEM. It is
	// read again when it changes.
	KeyFile string `koanf:"key_file"`

	// MinVersion is the lowest version of TLS that is spoken.
	MinVersion string `koanf:"min_version" jsonschema:"enum=1.2,enum=1.3"`
}

// CORS says which pages in browsers may call the relay.
type CORS struct {
	// Origins are the origins that may call, such as
	// "https://chat.example.com", or "*" for all. Without any CORS is off.
	Origins []string `koanf:"origins"`

	// Headers are the request headers that a page may send. Without any it may
	// send all: SDKs in browsers send many of their own.
	Headers []string `koanf:"headers"`

	// MaxAge is how long a browser may remember the answer to a preflight.
	MaxAge time.Duration `koanf:"max_age"`
}

// Log says what is logged.
type Log struct {
	// Level is the lowest level that is logged.
	Level string `koanf:"level" jsonschema:"enum=debug,enum=info,enum=warn,enum=error"`

	// Format is how a line is written.
	Format string `koanf:"format" jsonschema:"enum=json,enum=text"`

	// Access adds one line for every request.
	Access bool `koanf:"access"`
}

// Defaults returns the configuration of a relay that is told nothing but its
// upstream.
func Defaults() Config {
	return Config{
		Listen:            ":8080",
		Admin:             ":9090",
		TLS:               TLS{MinVersion: "1.2"},
		Drain:             5 * time.Minute,
		DrainDelay:        5 * time.Second,
		RequestTimeout:    10 * time.Minute,
		OnClientGone:      "cancel",
		ClientGoneTime:    time.Minute,
		ClientGoneBytes:   4 * plugins.MiB,
		ReadHeaderTimeout: 10 * time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxBody:           50 * plugins.MiB,
		MaxReplay:         plugins.MiB,
		CORS:              CORS{MaxAge: time.Hour},
		Log:               Log{Level: "info", Format: "json", Access: true},
		Redis:             Redis{Mode: "auto", Prefix: "holysheep", DialTimeout: time.Second},
		Chain:             []string{"auth", "limit", "cache", "retry"},
		Prices:            plugins.DefaultPrices(),
		Health:            upstream.HealthDefaults(),
	}
}
