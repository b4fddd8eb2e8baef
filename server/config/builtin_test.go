package config_test

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/holysheep/relay/internal/schema"
	"github.com/holysheep/relay/plugins/cache"
	"github.com/holysheep/relay/plugins/limit"
	"github.com/holysheep/relay/plugins/retry"
	"github.com/holysheep/relay/server/config"
)

// loadBuiltin loads file with the plugins that the binary is built with.
func loadBuiltin(file string, environ ...string) (*config.Loaded, error) {
	return config.Load(config.Source{
		Path: "relay.yaml", Environ: environ,
		ReadFile: func(string) ([]byte, error) { return []byte(file), nil },
	}, schema.Plugins())
}

// TestTheOlderNamesTogether is the environment of an older deployment as it stands
// there, with no file: every alias reaches the setting of the real plugin.
func TestTheOlderNamesTogether(t *testing.T) {
	loaded, err := config.Load(config.Source{Environ: []string{
		"BASE_URL=https://api.holysheep.ai/v1",
		"HOLYSHEEP_API_KEY=sk-canary",
		"REDIS_PASSWORD=canary",
		"MAX_CONCURRENT_REQUESTS=1000",
		"REQUEST_TIMEOUT=30",
		"CACHE_TTL=3600",
		"UPSTREAM_RETRY_LIMIT=3",
	}}, schema.Plugins())
	if err != nil {
		t.Fatal(err)
	}
	c := loaded.Config
	got := []any{
		c.Chain, c.RequestTimeout,
		c.Plugins["limit"].(limit.Settings).MaxInFlight,
		c.Plugins["cache"].(cache.Settings).TTL,
		c.Plugins["retry"].(retry.Settings).Attempts,
		c.Upstreams["holysheep"].BaseURL, c.Upstreams["holysheep"].APIKeyEnv,
	}
	want := []any{
		[]string{"limit", "cache", "retry"}, // it says nothing of clients
		30 * time.Second,
		int64(1000), time.Hour, 4,
		"https://api.holysheep.ai/v1", "HOLYSHEEP_API_KEY",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("configuration (-want +got):\n%s", diff)
	}
	if len(warnings(loaded)) > 0 {
		t.Errorf("warnings: %q", warnings(loaded))
	}
	if strings.Contains(explain(t, loaded), "canary") {
		t.Error("Explain shows a secret")
	}
}

func TestAnEmptyRightIsNoRight(t *testing.T) {
	const hash = "2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae"
	for setting, want := range map[string]string{
		"models: ":                      "plugins.auth.clients.a.keys.k.models: is empty: leave it out, or give it a value",
		"expires: ":                     "plugins.auth.clients.a.keys.k.expires: is empty: leave it out, or give it a value",
		"expires: 0001-01-01T00:00:00Z": "plugins.auth.clients.a.keys.k.expires: the beginning of time: leave it out for a key that is good for ever, or set disabled",
	} {
		_, err := loadBuiltin(minimal + "plugins: {auth: {clients: {a: {keys: {k: {sha256: " + hash + ", " + setting + "}}}}}}")
		if got := message(err); got != want {
			t.Errorf("%q: error = %q, want %q", setting, got, want)
		}
	}
}

func TestBuiltinPluginsTellTheirProblemsByKey(t *testing.T) {
	_, err := loadBuiltin(minimal + `
plugins:
  auth: {clients: {alice: {keys: {laptop: {sha256: short}}}}}
  limit: {max_in_flight: -1, rules: {fast: {per: nobody, requests: 1}}}
  retry: {attempts: 99}
`)
	want := []string{
		"plugins.auth.clients.alice.keys.laptop.sha256: not 64 hexadecimal digits",
		"plugins.limit.max_in_flight: -1 is negative",
		"plugins.limit.rules.fast.per: \"nobody\" is not one of global, client",
		"plugins.retry.attempts: 99 is not from 1 to 10",
	}
	problems := strings.Split(message(err), "\n")
	if len(problems) != len(want) {
		t.Fatalf("%d problems, want %d: %v", len(problems), len(want), err)
	}
	for i, problem := range problems {
		if !strings.HasPrefix(problem, want[i]) {
			t.Errorf("problem = %q, want %q", problem, want[i])
		}
	}
}

// TestTheEnvironmentReachesTheRulesOfLimit is what its page promises.
func TestTheEnvironmentReachesTheRulesOfLimit(t *testing.T) {
	file := minimal + "plugins: {limit: {rules: {each: {per: client, requests: 1, period: 1h}, all: {per: global, requests: 9}}}}"
	all := limit.Rule{Per: "global", Requests: 9, Period: time.Minute, OnStoreDown: "local"}
	tests := []struct {
		name    string
		environ []string
		want    map[string]limit.Rule
	}{
		{"a setting of a rule", []string{"RELAY_PLUGINS__LIMIT__RULES__EACH__REQUESTS=60"}, map[string]limit.Rule{
			"each": {Per: "client", Requests: 60, Period: time.Hour, OnStoreDown: "local"}, "all": all,
		}},
		{"a new rule", []string{"RELAY_PLUGINS__LIMIT__RULES__BIG_1__PER=client", "RELAY_PLUGINS__LIMIT__RULES__BIG_1__IN_FLIGHT=2"}, map[string]limit.Rule{
			"each": {Per: "client", Requests: 1, Period: time.Hour, OnStoreDown: "local"}, "all": all, "big_1": {Per: "client", InFlight: 2, OnStoreDown: "local"},
		}},
		{"the whole, and a setting over it", []string{"RELAY_PLUGINS__LIMIT__RULES={one: {per: global, requests: 1}}", "RELAY_PLUGINS__LIMIT__RULES__ONE__BURST=3"}, map[string]limit.Rule{
			"one": {Per: "global", Requests: 1, Period: time.Minute, Burst: 3, OnStoreDown: "local"},
		}},
		{"settings within a rule", []string{
			"RELAY_PLUGINS__LIMIT__RULES__EACH__TOKENS__LIMIT=5", "RELAY_PLUGINS__LIMIT__RULES__EACH__BUDGET__USD=0.5",
			"RELAY_PLUGINS__LIMIT__RULES__EACH__MODELS=gpt-*,o3", "RELAY_PLUGINS__LIMIT__RULES__EACH__SHADOW=true",
			"RELAY_PLUGINS__LIMIT__RULES__EACH__CLIENTS={Bob B.: {requests: 0, usd: 2.5}}",
		}, map[string]limit.Rule{
			"each": {
				Per: "client", Requests: 1, Period: time.Hour, OnStoreDown: "local",
				Tokens: limit.Tokens{Limit: 5, Period: time.Minute}, Budget: limit.Budget{USD: 0.5, Per: "day"},
				Models: []string{"gpt-*", "o3"}, Shadow: true,
				Clients: map[string]limit.Override{"Bob B.": {Requests: new(int64(0)), USD: new(2.5)}},
			}, "all": all,
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			loaded, err := loadBuiltin(file, tt.environ...)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, loaded.Config.Plugins["limit"].(limit.Settings).Rules); diff != "" {
				t.Errorf("rules (-want +got):\n%s", diff)
			}
		})
	}
	for variable, want := range map[string]string{
		"RELAY_PLUGINS__LIMIT__RULES__EACH__REQESTS=1": "RELAY_PLUGINS__LIMIT__RULES__EACH__REQESTS: unknown variable, did you mean RELAY_PLUGINS__LIMIT__RULES__EACH__REQUESTS?",
		"RELAY_PLUGINS__AUTH__CLIENTS__A__GROUP=g":     "RELAY_PLUGINS__AUTH__CLIENTS__A__GROUP: its names are free: set RELAY_PLUGINS__AUTH__CLIENTS whole, as YAML",
		"RELAY_PLUGINS__LIMIT__RULES___A__REQUESTS=1":  "RELAY_PLUGINS__LIMIT__RULES___A__REQUESTS: a name is lower-case letters, digits and single underscores between them, such as spare_1",
	} {
		if _, err := loadBuiltin(file, variable); message(err) != want {
			t.Errorf("%s: error = %v\nwant %s", variable, err, want)
		}
	}
}

// TestTheExplainedDefaultsAreValid loads what Explain writes of the defaults:
// every setting of every built-in plugin survives being written and read.
func TestTheExplainedDefaultsAreValid(t *testing.T) {
	loaded, err := loadBuiltin(minimal)
	if err != nil {
		t.Fatal(err)
	}
	again, err := loadBuiltin(explain(t, loaded))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(loaded.Tree(), again.Tree()); diff != "" {
		t.Errorf("loaded again (-want +got):\n%s", diff)
	}
}

// TestTheExplainedRulesAreValid holds what Explain writes of rules to the schema,
// and has it say what is meant where the file says nothing.
func TestTheExplainedRulesAreValid(t *testing.T) {
	loaded, err := loadBuiltin(minimal + `plugins: {limit: {rules: {
		requests: {per: global, requests: 1}, tokens: {per: global, tokens: {limit: 1}},
		budget: {per: global, budget: {usd: 1}, on_store_down: open},
		own: {per: client, requests: 60, budget: {usd: 1}, clients: {bob: {requests: 0, usd: 0}}}}}}`)
	if err != nil {
		t.Fatal(err)
	}
	text, err := config.Schema(schema.Plugins())
	if err != nil {
		t.Fatal(err)
	}
	explained := explain(t, loaded)
	if err := validate(t, compile(t, text), explained); err != nil {
		t.Error(err)
	}
	if _, err := loadBuiltin(explained); err != nil {
		t.Error(err)
	}
	rules := dig(loaded.Tree(), strings.Split("plugins.limit.rules", "."))
	for path, want := range map[string]any{
		"requests.period": "1m", "requests.on_store_down": "local", "requests.tokens.period": "0s",
		"tokens.tokens.period": "1m", "tokens.period": "0s", "budget.budget.per": "day", "budget.on_store_down": "open",
	} {
		if got := dig(rules, strings.Split(path, ".")); got != want {
			t.Errorf("%s is explained as %v, want %v", path, got, want)
		}
	}
}

// TestTheShippedSchemaIsThatOfTheBinary compares what "relay schema" prints
// with what stands in the chart.
func TestTheShippedSchemaIsThatOfTheBinary(t *testing.T) {
	shipped, err := os.ReadFile("../../values.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	own, err := config.Schema(schema.Plugins())
	if err != nil {
		t.Fatal(err)
	}
	properties, err := os.ReadFile("../../charts/holysheep-relay/values.properties.json")
	if err != nil {
		t.Fatal(err)
	}
	values, err := schema.Values(properties, own)
	if err != nil {
		t.Fatal(err)
	}
	if string(values) != string(shipped) {
		t.Error("the schema of the binary is not the shipped one: run go generate ./internal/schema")
	}
}
