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
		{"no room", func(s *cache.Settings) { s.MaxBytes, s.MaxValue = 0, 0 }, "max_bytes: 0B is not at least 1B\nmax_value: 0B is not from 1B to 1GiB"},
		{"an answer larger than all", func(s *cache.Settings) { s.MaxBytes = 1000 }, "max_value: 1MiB is more than max_bytes, 1000B"},
		{"too large an answer", func(s *cache.Settings) { s.MaxBytes, s.MaxValue = 4*plugins.GiB, 2*plugins.GiB }, "max_value: 2GiB is not from 1B to 1GiB"},
		{"too large a request", func(s *cache.Settings) { s.MaxBody = plugins.GiB + 1 }, "max_body: 1073741825B is not from 1B to 1GiB"},
		{"no path", func(s *cache.Settings) { s.Endpoints = []string{"v1/embeddings", "/["} }, "endpoints: \"v1/embeddings\" is not a path such as /v1/embeddings\nendpoints: \"/[\" is not a path such as /v1/embeddings"},
		{"any path", func(s *cache.Settings) { s.Endpoints = []string{"/v1/*"} }, `endpoints: "/v1/*" leaves its last segment open`},
		{"a file", func(s *cache.Settings) { s.Endpoints = []string{"/v1/audio/speech"} }, `endpoints: "/v1/audio/speech" is never cached: audio`},
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
