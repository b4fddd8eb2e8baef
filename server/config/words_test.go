package config_test

import (
	"strings"
	"testing"
)

func TestExplainSaysWhatReplicasShareAndWhatHasAPrice(t *testing.T) {
	const shared = "#   Relays with the prefix holysheep share what plugins keep in Redis, such as the counters of limits: at "
	tests := []struct {
		name, file, want string
	}{
		{"no Redis", "", "# Replicas:\n#   There is no Redis: each replica counts and remembers for itself alone.\n"},
		{"a server", "redis: {addresses: [redis:6379]}", "# Replicas:\n" + shared + "redis:6379.\n"},
		{"a cluster", "redis: {addresses: [a:1, b:2]}", shared + "the cluster at a:1, b:2.\n"},
		{"sentinels", "redis: {addresses: [a:1], sentinel: {master: m}}", shared + "the master m of the Sentinels at a:1.\n"},
		{"what looks like a key", "redis: {addresses: [a:1], prefix: sk-canary1234}", "# Replicas:\n" + strings.Replace(shared, "holysheep", "(hidden)", 1)},
		{"prices", "prices: {\"llama-*\": {input: 0}}", "# Prices:\n#   Known for claude-sonnet-4.5, deepseek-v3.2, gemini-2.5-flash, gpt-4.1, llama-*; what an answer of any other model costs is not.\n"},
		{"limits", "plugins: {limit: {rules: {a: {per: client, requests: 9}}}}", "# limit:\n#   At most 100 requests are in flight in this replica.\n#   a, for each client: 9 requests in 1m.\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			loaded, err := loadBuiltin(minimal + tt.file)
			if err != nil {
				t.Fatal(err)
			}
			if got := explain(t, loaded); !strings.Contains(got, tt.want) {
				t.Errorf("Explain lacks %q:\n%s", tt.want, got)
			}
		})
	}
}

// TestExplainLeavesOutWhatIsNothing: of rules and upstreams it writes what they
// are about, and all that somebody has set.
func TestExplainLeavesOutWhatIsNothing(t *testing.T) {
	loaded, err := loadBuiltin(minimal + "plugins: {limit: {rules: {a: {per: client, requests: 9, shadow: false, input_tokens: {burst: 0}, models: [], clients: {bob: {requests: 0}}}}}}")
	if err != nil {
		t.Fatal(err)
	}
	got := explain(t, loaded)
	for _, want := range []string{"requests: 9 # relay", "shadow: false # relay", "burst: 0 # relay", "models: [] # relay", "requests: 0 # relay", "weight: 1 # default", "max_wait: 5s # default"} {
		if !strings.Contains(got, want) {
			t.Errorf("Explain lacks %q", want)
		}
	}
	for _, nothing := range []string{" tokens:", "usd:", "queue:", "groups:", "in_flight: 0", "header:", "api_key_file:"} {
		if strings.Contains(got, "\n"+nothing) || strings.Contains(got, " "+nothing) {
			t.Errorf("Explain holds %q", nothing)
		}
	}
	if t.Failed() {
		t.Log(got)
	}
	rules := dig(loaded.Tree(), []string{"plugins", "limit", "rules", "a"})
	if n := dig(rules, []string{"tokens", "limit"}); n != 0 {
		t.Errorf("tokens.limit of the tree is %v, want all settings in it", n)
	}
}
