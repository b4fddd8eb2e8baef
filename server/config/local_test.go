package config_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/holysheep/relay/server/config"
)

// asked begins the warning that nobody is asked for a key.
const asked = "nobody is asked for a key"

// warnings returns what was odd, but for the warning that no client is named,
// which most configurations of these tests get.
func warnings(loaded *config.Loaded) []string {
	return slices.DeleteFunc(slices.Clone(loaded.Warnings), func(w string) bool { return strings.HasPrefix(w, asked) })
}

func TestAnUpstreamAloneIsAWholeConfiguration(t *testing.T) {
	const url = "BASE_URL=https://api.example/v1"
	whole := []string{"auth", "limit", "cache", "retry"}
	tests := []struct {
		name, file string
		environ    []string
		listen     string
		chain      []string
		warned     bool
	}{
		{"alone, it is for this machine", "", []string{url}, config.LocalListen, whole[1:], true},
		{"with anonymous clients it is open", "", []string{url, "RELAY_ALLOW_ANONYMOUS=true"}, ":8080", whole[1:], true},
		{"an address that is said stays", "listen: \":80\"", []string{url}, ":80", whole[1:], true},
		{"a client brings auth", "plugins: {auth: {keys_file: ./keys.yaml}}", []string{url}, ":8080", whole, false},
		{"a client from the environment brings auth", "", []string{url, "RELAY_PLUGINS__AUTH__KEYS_FILE=./keys.yaml"}, ":8080", whole, false},
		{"a chain that is said stays", "chain: [auth]", []string{url}, ":8080", whole[:1], false},
		{"a chain without auth that is said stays", "chain: [retry]", []string{url}, ":8080", whole[3:], false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			loaded := mustLoad(t, tt.file, tt.environ...)
			if got := loaded.Config.Listen; got != tt.listen {
				t.Errorf("listen = %q, want %q", got, tt.listen)
			}
			if diff := cmp.Diff(tt.chain, loaded.Config.Chain); diff != "" {
				t.Errorf("chain (-want +got):\n%s", diff)
			}
			if warned := len(loaded.Warnings) > 0; warned != tt.warned {
				t.Errorf("warnings %q, want one: %t", loaded.Warnings, tt.warned)
			}
		})
	}
}
