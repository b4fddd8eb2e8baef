package config_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestWhatFollowsFromASettingThatCannotBeReadIsNotTold holds what is told of a
// rule to what is true of it.
func TestWhatFollowsFromASettingThatCannotBeReadIsNotTold(t *testing.T) {
	const (
		whole    = "a text stands where a whole number is expected"
		fraction = "a fraction stands where a whole number is expected"
	)
	tests := []struct {
		name, rules string
		want        []string // what is wrong, without plugins.limit.rules
	}{
		{
			"a number with a letter, and all that depends on it",
			"a: {per: client, requests: 1k, period: 1m, burst: 5, clients: {bob: {requests: 5}}}",
			[]string{"a.requests: " + whole},
		},
		{"a fraction", "a: {per: client, requests: 1.5, burst: 1}", []string{"a.requests: " + fraction}},
		{"a number with a dollar", "a: {per: client, budget: {usd: $5, per: day}}", []string{"a.budget.usd: a text stands where a number is expected"}},
		{
			"a number in place of a map", "a: {per: client, tokens: 20000, clients: {bob: {tokens: 5}}}",
			[]string{"a.tokens: a number stands where a map is expected"},
		},
		{"a misspelt key", "a: {per: client, reqests: 5, burst: 1}", []string{"a.reqests: unknown key, did you mean requests?"}},
		{
			"an override that cannot be read, in a rule that limits nothing",
			"a: {per: client, clients: {bob: {requests: 1k}, x.y: {burst: -1}}}",
			[]string{
				"a.clients.bob.requests: " + whole, "a.clients.x.y.burst: -1 is negative",
				"a.requests: the rule limits nothing: set requests, tokens, input_tokens, output_tokens, in_flight or budget",
			},
		},
		{
			"an override with a dot in its name, and its neighbour",
			"a: {per: client, requests: 5, clients: {x.y: {requests: 1k}, x: {tokens: 5}}}",
			[]string{"a.clients.x.tokens: the rule has no such limit, so there is nothing to change", "a.clients.x.y.requests: " + whole},
		},
		{
			"another rule", "a: {per: client, requests: 1k}, b: {per: client}",
			[]string{"a.requests: " + whole, "b.requests: the rule limits nothing: set requests, tokens, input_tokens, output_tokens, in_flight or budget"},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := loadBuiltin(minimal + "plugins: {limit: {rules: {" + tt.rules + "}}}")
			if diff := cmp.Diff(tt.want, problemsOf(err)); diff != "" {
				t.Errorf("problems (-want +got):\n%s", diff)
			}
		})
	}
}

// problemsOf returns the problems of rules that err joins, sorted.
func problemsOf(err error) []string {
	lines := strings.Split(message(err), "\n")
	for i, line := range lines {
		lines[i] = strings.TrimPrefix(line, "plugins.limit.rules.")
	}
	slices.Sort(lines)
	return lines
}
