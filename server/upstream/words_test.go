package upstream

import (
	"strings"
	"testing"

	"github.com/holysheep/relay/internal/wire"
)

// Upstreams of one priority share the requests, those of a higher one wait.
func TestWordsTellWhoSharesAndWhoWaits(t *testing.T) {
	at := func(priority int, wires ...wire.Name) Settings {
		return settings("http://x/v1", func(s *Settings) { s.Priority, s.Models, s.Wires = priority, []string{"m"}, wires })
	}
	tests := []struct {
		name string
		pool map[string]Settings
		want string
	}{
		{"one", map[string]Settings{"a": at(0)}, "m is served by a."},
		{"of one priority", map[string]Settings{"a": at(0), "b": at(0)}, "m is served by a and b."},
		{"of two", map[string]Settings{"a": at(0), "b": at(0), "c": at(1), "d": at(1)}, "m is served by a and b, then c and d."},
		{
			"over two APIs",
			map[string]Settings{"a": at(0, wire.OpenAI), "b": at(1, wire.OpenAI), "c": at(0, wire.Gemini)},
			"m is served by a, then b over openai, and by c over gemini.",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			words := strings.Join(Config{Upstreams: tt.pool, Health: HealthDefaults()}.Words(), "\n")
			if !strings.Contains(words, "\n"+tt.want+"\n") {
				t.Errorf("got %s\nwant %q", words, tt.want)
			}
		})
	}
}
