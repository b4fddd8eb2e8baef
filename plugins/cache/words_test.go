package cache_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/holysheep/relay/plugins/cache"
)

func TestWords(t *testing.T) {
	none, on := time.Duration(0), true
	tests := []struct {
		name   string
		change func(*cache.Settings)
		want   []string
	}{
		{"the defaults", func(*cache.Settings) {}, []string{
			"Answers are given again for 1h0m0s, to the same client alone.",
			"This replica keeps them in 64MiB of memory, each of 1MiB at most.",
			"Redis keeps them for all replicas, if there is one; a request waits for it at most 50ms each time it looks there, and goes on without.",
			"Equal requests at the same time share one call; one replica waits for another's answer for at most 10s.",
		}},
		{"all that can be said", func(s *cache.Settings) {
			s.Scope, s.Sampled, s.Effects, s.StaleWhileRevalidate, s.StaleIfError = "shared", true, true, time.Minute, time.Hour
			s.MaxBytes, s.Redis.Enabled, s.Coalesce.Enabled = 0, false, false
			s.Semantic.Enabled, s.Semantic.Model = true, "e"
			s.Rules = map[string]cache.Rule{
				"b": {TTL: &none, Models: []string{"x-*"}, Clients: []string{"ada", "bob"}},
				"a": {Scope: "group", StaleIfError: &none, StaleWhileRevalidate: &none, Effects: new(bool), Sampled: new(bool), Semantic: &on},
			}
		}, []string{
			"Answers are given again for 1h0m0s, to everybody who may use the relay.",
			"Answers that are drawn at random are given again too.",
			"Answers to requests that do something are given again too: it is not done again.",
			"For 1m0s after that they are given while new ones are asked for.",
			"For 1h0m0s after that they are given where the upstream fails.",
			"a: answers to all are given again for 1h0m0s, to the clients of the same group.",
			"b: answers for the models x-*, to the clients ada, bob are not kept.",
			"This replica keeps none in memory.",
			"A question gets the answer to another one whose embedding by e is 0.95 near: that can be wrong.",
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := cache.Defaults()
			tt.change(&s)
			if diff := cmp.Diff(tt.want, s.Words()); diff != "" {
				t.Errorf("words (-want +got):\n%s", diff)
			}
		})
	}
}
