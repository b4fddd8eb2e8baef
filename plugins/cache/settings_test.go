package cache_test

import (
	"strings"
	"testing"
	"time"

	"github.com/holysheep/relay/plugins"
	"github.com/holysheep/relay/plugins/cache"
)

func TestValidate(t *testing.T) {
	tests := []struct {
		name   string
		change func(*cache.Settings)
		want   string // the problems, one a line
	}{
		{"the defaults", func(*cache.Settings) {}, ""},
		{"off", func(s *cache.Settings) { s.TTL = 0 }, ""},
		{"nothing to cache", func(s *cache.Settings) { s.Endpoints = nil }, ""},
		{"an asterisk", func(s *cache.Settings) { s.Endpoints = []string{"/a/*/embeddings"} }, ""},
		{"a header", func(s *cache.Settings) { s.Headers = []string{"X-Tier"} }, ""},
		{"a time that is over", func(s *cache.Settings) { s.TTL = -time.Second }, "ttl: -1s is negative"},
		{"no room", func(s *cache.Settings) { s.MaxBytes, s.MaxValue = 0, 0 }, "max_value: 0B is not from 1B to 1GiB"},
		{"an answer larger than all", func(s *cache.Settings) { s.MaxBytes = 1000 }, "max_value: 1MiB is more than max_bytes, 1000B"},
		{"too large an answer", func(s *cache.Settings) { s.MaxBytes, s.MaxValue = 4*plugins.GiB, 2*plugins.GiB }, "max_value: 2GiB is not from 1B to 1GiB"},
		{"too large a request", func(s *cache.Settings) { s.MaxBody = plugins.GiB + 1 }, "max_body: 1073741825B is not from 1B to 1GiB"},
		{"no path", func(s *cache.Settings) { s.Endpoints = []string{"v1/embeddings", "/["} }, "endpoints: \"v1/embeddings\" is not a path such as /v1/embeddings\nendpoints: \"/[\" is not a path such as /v1/embeddings"},
		{"any path", func(s *cache.Settings) { s.Endpoints = []string{"/v1/*"} }, `endpoints: "/v1/*" leaves its last segment open`},
		{"a file", func(s *cache.Settings) { s.Endpoints = []string{"/v1/audio/speech"} }, `endpoints: "/v1/audio/speech" is cached only with effects: true, for its answers are made or kept by the upstream: audio`},
		{"no header", func(s *cache.Settings) { s.Headers = []string{"a b"} }, `headers: "a b" is no name of a header`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := cache.Defaults()
			tt.change(&s)
			got := ""
			if err := s.Validate(); err != nil {
				got = err.Error()
			}
			if got != tt.want {
				t.Errorf("Validate = %q, want %q", got, tt.want)
			}
		})
	}
}

// TestDefaultsAreOnesOwn changes one's defaults and looks at another's.
func TestDefaultsAreOnesOwn(t *testing.T) {
	cache.Defaults().Endpoints[0] = "/x"
	if got := cache.Defaults().Endpoints[0]; !strings.HasPrefix(got, "/v1/") {
		t.Errorf("the first endpoint = %q, want the default", got)
	}
}

func TestValidateRulesAndParts(t *testing.T) {
	negative, on := -time.Second, true
	tests := []struct {
		name   string
		change func(*cache.Settings)
		want   string
	}{
		{"no memory", func(s *cache.Settings) { s.MaxBytes = 0 }, ""},
		{"too much jitter", func(s *cache.Settings) { s.TTLJitter = 0.6 }, "ttl_jitter: 0.6 is not from 0 to 0.5"},
		{"windows that are over", func(s *cache.Settings) { s.StaleWhileRevalidate, s.StaleIfError = negative, negative }, "stale_while_revalidate: -1s is negative\nstale_if_error: -1s is negative"},
		{"an unheard scope", func(s *cache.Settings) { s.Scope = "all" }, `scope: "all" is not one of client, group, shared`},
		{"a deadline without end", func(s *cache.Settings) { s.Redis.Deadline = time.Hour }, "redis.deadline: 1h0m0s is not from 1ms to 10s"},
		{"a lease of no time", func(s *cache.Settings) { s.Coalesce.Lease = 0 }, "coalesce.lease: 0s is not from 200ms to 1m0s"},
		{"a wait that is over", func(s *cache.Settings) { s.Coalesce.Wait = negative }, "coalesce.wait: -1s is negative"},
		{"an empty glob", func(s *cache.Settings) { s.Models = []string{""} }, "models: an empty glob fits no model"},
		{"no model of embeddings", func(s *cache.Settings) { s.Semantic.Enabled = true }, "semantic.model: name the model of the embeddings, such as text-embedding-3-small"},
		{"no model of embeddings for a rule", func(s *cache.Settings) { s.Rules = map[string]cache.Rule{"a": {Semantic: &on}} }, "semantic.model: name the model of the embeddings, such as text-embedding-3-small"},
		{"anything is near", func(s *cache.Settings) { s.Semantic.Threshold = 0.1 }, "semantic.threshold: 0.1 is not from 0.5 to 1"},
		{"no questions", func(s *cache.Settings) { s.Semantic.MaxEntries = 0 }, "semantic.max_entries: 0 is not from 1 to 1000000"},
		{"no time", func(s *cache.Settings) { s.Semantic.Timeout = 0 }, "semantic.timeout: 0s is not from 1ms to 1m0s"},
		{"speech with effects", func(s *cache.Settings) { s.Effects, s.Endpoints = true, []string{"/v1/audio/speech"} }, ""},
		{"speech by a rule with effects", func(s *cache.Settings) {
			s.Rules = map[string]cache.Rule{"a": {Effects: &on, Endpoints: []string{"/v1/audio/speech"}}}
		}, ""},
		{"a rule of no name", func(s *cache.Settings) { s.Rules = map[string]cache.Rule{"A": {}} }, `rules: "A" is not a name of lower-case letters, digits and single _ between them that begins with a letter`},
		{"a rule with all wrong", func(s *cache.Settings) {
			s.Rules = map[string]cache.Rule{"a": {
				Endpoints: []string{"/v1/files/x"}, Models: []string{""}, Clients: []string{""}, Groups: []string{""}, Scope: "x", TTL: &negative,
			}}
		}, `rules.a.endpoints: "/v1/files/x" is cached only with effects: true, for its answers are made or kept by the upstream: files
rules.a.models: an empty glob fits no model
rules.a.scope: "x" is not one of client, group, shared
rules.a.ttl: -1s is negative
rules.a.clients: an empty name is nobody's
rules.a.groups: an empty name is no group's`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := cache.Defaults()
			tt.change(&s)
			got := ""
			if err := s.Validate(); err != nil {
				got = err.Error()
			}
			if got != tt.want {
				t.Errorf("Validate = %q, want %q", got, tt.want)
			}
		})
	}
}
