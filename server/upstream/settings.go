// Package upstream is the innermost part of the relay: a pool of upstreams
// that is asked as if it were one. It routes by model, prefers upstreams that a
// request has not asked yet, and puts the upstream's key where the client's was.
//
// It does not retry: the plugin retry does, and gets a new choice each time.
package upstream

import (
	"time"

	"github.com/holysheep/relay/internal/wire"
	"github.com/holysheep/relay/plugins"
)

// Settings describe one upstream.
type Settings struct {
	// BaseURL is where the upstream's API begins, its version included:
	// https://api.example.com/v1. It stands in place of /v1, of /v1beta (Gemini)
	// or of /openai (Azure), whichever the client's path begins with. It holds no
	// user, password, query or fragment.
	BaseURL string `koanf:"base_url" jsonschema:"format=uri"`

	// APIKeyEnv names the environment variable that holds the upstream's key, or
	// several, between white space or commas. Without it and api_key_file,
	// requests go out without a key.
	APIKeyEnv string `koanf:"api_key_env"`

	// APIKeyFile names the file that holds the upstream's key, or several, one a
	// line. It is read again when it changes.
	APIKeyFile string `koanf:"api_key_file"`

	// Auth is where the key stands in a request: bearer (Authorization),
	// x-api-key, api-key, x-goog-api-key (headers of these names), query (the
	// parameter key) or none. Empty is as the wire has it where wires are named:
	// x-api-key for anthropic, api-key for azure, x-goog-api-key for gemini,
	// bearer for openai. Where none is named it is bearer.
	Auth string `koanf:"auth" jsonschema:"enum=,enum=bearer,enum=x-api-key,enum=api-key,enum=x-goog-api-key,enum=query,enum=none"`

	// Wires are the APIs that the upstream speaks: openai, anthropic, gemini,
	// azure. Without any it gets what is under /v1: openai, and anthropic too as
	// long as no other upstream names that.
	Wires []wire.Name `koanf:"wires" jsonschema:"enum=openai,enum=anthropic,enum=gemini,enum=azure"`

	// Headers are headers that every request to the upstream carries, in place of
	// the client's of the same name, such as "HTTP-Referer". They are no place
	// for credentials.
	Headers map[string]string `koanf:"headers"`

	// Models are globs of the models that the upstream serves, such as "gpt-*". A
	// star stands for any characters, slashes too. Without any it serves every
	// model.
	Models []string `koanf:"models"`

	// Rewrite is what the upstream calls a model, by the name that clients use:
	// gpt-4.1: openai/gpt-4.1. Where models names some, these are served besides.
	Rewrite map[string]string `koanf:"rewrite"`

	// Priority orders the upstreams: those of the lowest number are asked
	// first, others only when all of the former have been tried.
	Priority int `koanf:"priority" jsonschema:"minimum=0"`

	// Weight is the upstream's share of the requests among those of its
	// priority. 0 takes no request as long as another is left.
	Weight int `koanf:"weight" jsonschema:"minimum=0"`

	// ConnectTimeout bounds connecting and the TLS handshake, each.
	ConnectTimeout time.Duration `koanf:"connect_timeout"`

	// FirstByteTimeout bounds the wait for the answer's headers once the request
	// has been sent. With 0 only request_timeout does.
	FirstByteTimeout time.Duration `koanf:"first_byte_timeout"`

	// FirstTokenTimeout bounds the time until the first event of a stream that
	// means something, from when the request was sent. 0 is no bound, for models
	// that reason may think for many minutes. It needs a peek.
	FirstTokenTimeout time.Duration `koanf:"first_token_timeout"`

	// IdleTimeout is how long an answer that has begun may pause, counted from
	// the last byte. 0 is no bound.
	IdleTimeout time.Duration `koanf:"idle_timeout"`

	// AttemptTimeout bounds a whole attempt at the upstream, up to the last byte
	// of its answer, streams included. 0 is no bound.
	AttemptTimeout time.Duration `koanf:"attempt_timeout"`

	// Peek is how much of a stream is read before its answer begins, at most:
	// up to the first event that means something to a client. An error, an end
	// or silence before it can still be answered by another upstream. 0 reads
	// nothing ahead.
	Peek plugins.Size `koanf:"peek"`

	// IncludeUsage has the upstream tell what a stream of chat or completions has
	// used, by stream_options.include_usage, where the client did not ask. The
	// client does not see it. Some upstreams refuse the field.
	IncludeUsage bool `koanf:"include_usage"`

	// MaxInFlight is how many requests the upstream gets at once. One that has as
	// many is passed over. 0 is no bound.
	MaxInFlight int `koanf:"max_in_flight" jsonschema:"minimum=0"`

	// Requests is how many requests the upstream gets within period. One that has
	// had as many is passed over. 0 is no bound.
	Requests int `koanf:"requests" jsonschema:"minimum=0"`

	// Period is the time that requests counts over.
	Period time.Duration `koanf:"period"`

	// Probe asks the upstream again and again whether it is well.
	Probe Probe `koanf:"probe"`

	// MaxConnections is how many connections to the upstream are open at most, the
	// requests of which wait for one another beyond it. 0 is no bound.
	MaxConnections int `koanf:"max_connections" jsonschema:"minimum=0"`

	// IdleConnections is how many connections are kept for later requests.
	IdleConnections int `koanf:"idle_connections" jsonschema:"minimum=1"`

	// HTTP2 has HTTP/2 spoken where the upstream offers it by TLS. Without it is
	// HTTP/1.1.
	HTTP2 bool `koanf:"http2"`

	// CAFile names the file of the certificates, as PEM, that the upstream's is
	// checked by, in place of the system's. It is read again when it changes.
	CAFile string `koanf:"ca_file"`

	// CertFile names the file of the certificate, as PEM, that is shown to the
	// upstream. It is read again when it changes.
	CertFile string `koanf:"cert_file"`

	// KeyFile names the file of that certificate's private key, as PEM. It is
	// read again when it changes.
	KeyFile string `koanf:"key_file"`

	// Proxy is the URL of the proxy that the upstream is reached through, of the
	// scheme http, https or socks5. Empty is as HTTPS_PROXY, HTTP_PROXY and
	// NO_PROXY say, none is no proxy.
	Proxy string `koanf:"proxy"`
}

// Probe says how an upstream is asked whether it is well.
type Probe struct {
	// Path is what is asked for, below base_url.
	Path string `koanf:"path"`

	// Interval is the time from one such question to the next. 0 asks none.
	Interval time.Duration `koanf:"interval"`

	// Timeout bounds the wait for the answer.
	Timeout time.Duration `koanf:"timeout"`
}

// Defaults returns the settings of an upstream that says no more than its URL.
// 256 idle connections: net/http's own 2 have a busy relay dial for nearly
// every request.
func Defaults() Settings {
	return Settings{
		Weight:          1,
		ConnectTimeout:  10 * time.Second,
		IdleTimeout:     5 * time.Minute,
		Peek:            64 * plugins.KiB,
		IncludeUsage:    true,
		Period:          time.Minute,
		Probe:           Probe{Path: "/models", Timeout: 5 * time.Second},
		IdleConnections: 256,
		HTTP2:           true,
	}
}
