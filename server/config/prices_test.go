package config_test

import (
	"maps"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/holysheep/relay/plugins"
)

func TestPricesStandOverTheDefaults(t *testing.T) {
	cached := 0.2
	with := func(changes plugins.Prices) plugins.Prices {
		all := plugins.DefaultPrices()
		maps.Copy(all, changes)
		return all
	}
	file := minimal + "prices: {gpt-4.1: {output: 3}, llama-*: {input: 1, cached: 0.2}}"
	for _, tt := range []struct {
		name, file string
		environ    []string
		want       plugins.Prices
	}{
		{"nothing is said", minimal, nil, plugins.DefaultPrices()},
		{"a model replaces the default of that model alone", file, nil, with(plugins.Prices{
			"gpt-4.1": {Output: 3}, "llama-*": {Input: 1, Cached: &cached},
		})},
		{
			"the environment replaces what the file says", file,
			[]string{"RELAY_PRICES={gpt-4o: {request: 0.5, direct: {input: 7}}}"},
			with(plugins.Prices{"gpt-4o": {Request: 0.5, Direct: &plugins.DirectPrice{Input: 7}}}),
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			loaded, err := load(tt.file, tt.environ...)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, loaded.Config.Prices); diff != "" {
				t.Errorf("prices (-want +got):\n%s", diff)
			}
		})
	}
}

func TestExplainShowsPrices(t *testing.T) {
	loaded, err := load(minimal + "prices:\n  gpt-4.1: {input: 3}\n")
	if err != nil {
		t.Fatal(err)
	}
	got := explain(t, loaded)
	for _, want := range []string{
		"\n  deepseek-v3.2:\n    input: 0.42 # default\n    output: 0.42 # default\n",
		"\n    direct:\n      input: 2.8 # default\n",
		"\n  gpt-4.1:\n    input: 3 # relay.yaml:",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("explain lacks %q:\n%s", want, got)
		}
	}
}

func TestAVariableCannotReachIntoPrices(t *testing.T) {
	_, err := load(minimal, "RELAY_PRICES__GPT__INPUT=3")
	const want = "RELAY_PRICES__GPT__INPUT: its names are free: set RELAY_PRICES whole, as YAML"
	if err == nil || err.Error() != want {
		t.Errorf("error %v, want %s", err, want)
	}
}
