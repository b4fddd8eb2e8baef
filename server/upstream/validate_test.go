package upstream

import (
	"strings"
	"testing"
	"time"

	"github.com/holysheep/relay/internal/wire"
)

func TestWhatOneUpstreamMaySay(t *testing.T) {
	header := func(name, value string) func(*Settings) {
		return func(s *Settings) { s.Headers = map[string]string{name: value} }
	}
	tests := []struct {
		name   string
		change func(*Settings)
		want   string // of the error; "" is none
	}{
		{"a place of the key", func(s *Settings) { s.Auth, s.APIKeyEnv = "query", "KEY" }, ""},
		{"a place that there is not", func(s *Settings) { s.Auth = "basic" }, `auth: "basic" is not one of bearer, x-api-key`},
		{"no key beside a key", func(s *Settings) { s.Auth, s.APIKeyEnv = "none", "KEY" }, "auth: none sends no key"},
		{"every wire", func(s *Settings) { s.Wires = wire.Names() }, ""},
		{"a wire that there is not", func(s *Settings) { s.Wires = []wire.Name{"bedrock"} }, `wires: "bedrock" is not one of openai, anthropic`},
		{"a header", header("HTTP-Referer", "https://example.com"), ""},
		{"a header's name that is none", header("a b", "x"), `headers: "a b" is not the name`},
		{"a header's value that is none", header("X-A", "hunter2\n"), "headers.X-A: its value"},
		{"a header twice", func(s *Settings) { s.Headers = map[string]string{"x-a": "1", "X-A": "2"} }, "headers.x-a: stands there twice"},
		{"a rewritten model", func(s *Settings) { s.Rewrite = map[string]string{"gpt-4.1": "openai/gpt-4.1"} }, ""},
		{"a model rewritten to nothing", func(s *Settings) { s.Rewrite = map[string]string{"gpt-4.1": ""} }, "rewrite.gpt-4.1: one of the two"},
		{"a glob rewritten", func(s *Settings) { s.Rewrite = map[string]string{"gpt-*": "x"} }, "rewrite.gpt-*: is a glob"},
		{"no bounds in time", func(s *Settings) { s.IdleTimeout = 0 }, ""},
		{"less than no time", func(s *Settings) { s.FirstByteTimeout = -time.Second }, "first_byte_timeout: -1s is negative"},
		{"less than no time for a token", func(s *Settings) { s.FirstTokenTimeout = -time.Second }, "first_token_timeout: -1s"},
		{"less than no pause", func(s *Settings) { s.IdleTimeout = -time.Second }, "idle_timeout: -1s is negative"},
		{"less than no attempt", func(s *Settings) { s.AttemptTimeout = -time.Second }, "attempt_timeout: -1s is negative"},
		{"no period", func(s *Settings) { s.Period = 0 }, "period: 0s is not above 0s"},
		{"a negative peek", func(s *Settings) { s.Peek = -1 }, "peek: -1B is not from 0B to 1MiB"},
		{"a peek that would hold streams back", func(s *Settings) { s.Peek = 2 << 20 }, "peek: 2MiB is not from 0B to 1MiB"},
		{"a time for a token that nobody looks for", func(s *Settings) { s.Peek, s.FirstTokenTimeout = 0, 1 }, "first_token_timeout: needs a peek"},
		{"a negative number in flight", func(s *Settings) { s.MaxInFlight = -1 }, "max_in_flight: -1"},
		{"a negative number of requests", func(s *Settings) { s.Requests = -1 }, "requests: -1"},
		{"a negative number of connections", func(s *Settings) { s.MaxConnections = -1 }, "max_connections: -1"},
		{"no connection to keep", func(s *Settings) { s.IdleConnections = 0 }, "idle_connections: 0 is below 1"},
		{"a probe without a path", func(s *Settings) { s.Probe.Path = "models" }, `probe.path: "models" does not begin`},
		{"a probe of less than no time", func(s *Settings) { s.Probe.Interval = -1 }, "probe.interval: -1ns"},
		{"a probe without time", func(s *Settings) { s.Probe.Timeout = 0 }, "probe.timeout: 0s is not above"},
		{"a certificate without its key", func(s *Settings) { s.CertFile = "a.pem" }, "key_file: missing beside cert_file"},
		{"a key without its certificate", func(s *Settings) { s.KeyFile = "a.pem" }, "cert_file: missing beside key_file"},
		{"roots without TLS", func(s *Settings) { s.BaseURL, s.CAFile = "http://x/v1", "a.pem" }, "ca_file: base_url is http"},
		{"no proxy", func(s *Settings) { s.Proxy = "none" }, ""},
		{"a proxy", func(s *Settings) { s.Proxy = "socks5://proxy:1080" }, ""},
		{"a proxy's password", func(s *Settings) { s.Proxy = "http://user:hunter2@proxy:3128" }, "proxy: holds a user or password"},
		{"a proxy without a scheme", func(s *Settings) { s.Proxy = "proxy:3128" }, `proxy: scheme "proxy"`},
		{"a proxy of another scheme", func(s *Settings) { s.Proxy = "ftp://proxy" }, `proxy: scheme "ftp"`},
		{"a proxy with a path", func(s *Settings) { s.Proxy = "http://proxy/hunter2" }, "proxy: holds more than"},
		{"a proxy without a host", func(s *Settings) { s.Proxy = "http://" }, "proxy: has no host"},
		{"a proxy that is none", func(s *Settings) { s.Proxy = "http://hunter2 x\x7f/" }, "proxy: neither none nor a URL"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			err := settings("https://x/v1", tt.change).Validate()
			if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
				t.Fatalf("err = %v, want %q", err, tt.want)
			}
			if err != nil && strings.Contains(err.Error(), "hunter2") {
				t.Errorf("the error shows a secret: %v", err)
			}
		})
	}
}

func TestHeadersAreNoPlaceForWhatIsTheRelays(t *testing.T) {
	for name, want := range map[string]string{
		"Authorization": "credentials", "x-api-key": "credentials", "API-KEY": "credentials", "X-Goog-Api-Key": "credentials",
		"Cookie": "credentials", "Proxy-Authorization": "credentials",
		"Host": "the relay's", "Content-Length": "the relay's", "transfer-encoding": "the relay's", "Connection": "the relay's",
		"Upgrade": "the relay's", "TE": "the relay's", "Trailer": "the relay's", "Keep-Alive": "the relay's",
		"Accept-Encoding": "the relay's", "Sec-WebSocket-Protocol": "the relay's",
	} {
		err := settings("https://x/v1", func(s *Settings) { s.Headers = map[string]string{name: "hunter2"} }).Validate()
		if err == nil || !strings.Contains(err.Error(), "headers."+name) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", name, err, want)
		}
		if err != nil && strings.Contains(err.Error(), "hunter2") {
			t.Errorf("the error shows the value: %v", err)
		}
	}
}
