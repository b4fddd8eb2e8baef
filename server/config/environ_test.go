package config_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/holysheep/relay/plugins"
	"github.com/holysheep/relay/server/upstream"
)

func TestEnvironmentBeatsTheFile(t *testing.T) {
	file := minimal + `
listen: ":1"
max_body: 9MiB
plugins: {limit: {share: 0.5, rules: {a: {requests: 1}}}, retry: {attempts: 2, statuses: [500]}}
`
	loaded := mustLoad(t, file,
		"RELAY_LISTEN=:2",
		"RELAY_DRAIN_DELAY=0",
		"RELAY_MAX_BODY=7MiB",
		"RELAY_ALLOW_ANONYMOUS=true",
		"RELAY_REDIS__DB=3",
		"RELAY_CORS__ORIGINS=https://a.example, https://b.example",
		"RELAY_CHAIN=auth, retry,",
		"RELAY_PLUGINS__RETRY__ATTEMPTS=5",
		"RELAY_PLUGINS__RETRY__STATUSES=429,503",
		"RELAY_PLUGINS__LIMIT__SHARE=0.25",
		"RELAY_PLUGINS__LIMIT__EXTRA=[1, two]",
		"RELAY_PLUGINS__LIMIT__RULES={gpt-4.1: {requests: 5, size: 1KiB}}",
		"RELAY_UPSTREAMS__ONE__WEIGHT=0",
		"RELAY_UPSTREAMS__SPARE_1__BASE_URL=https://spare.example.com/v1",
	)
	one, spare := upstream.Defaults(), upstream.Defaults()
	one.BaseURL, one.Weight = "https://one.example.com/v1", 0
	spare.BaseURL = "https://spare.example.com/v1"
	c := loaded.Config
	got := []any{c.Listen, c.DrainDelay, c.MaxBody, c.AllowAnonymous, c.Redis.DB, c.CORS.Origins, c.Chain, c.Plugins["retry"], c.Plugins["limit"], c.Upstreams}
	want := []any{
		":2", time.Duration(0), 7 * plugins.MiB, true, 3,
		[]string{"https://a.example", "https://b.example"},
		[]string{"auth", "retry"},
		retrySettings{Attempts: 5, Wait: 100 * time.Millisecond, Statuses: []int{429, 503}},
		limitSettings{
			MaxInFlight: 100, Hint: time.Second, Share: 0.25, Extra: []any{1, "two"},
			Rules: map[string]rule{"gpt-4.1": {Requests: 5, Size: plugins.KiB}},
		},
		map[string]upstream.Settings{"one": one, "spare_1": spare},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("configuration (-want +got):\n%s", diff)
	}
}

// TestAnEmptyVariableIsNotSet holds variables that somebody left empty, most
// likely by another variable that is not set, to take nothing away.
func TestAnEmptyVariableIsNotSet(t *testing.T) {
	file := minimal + `
listen: ":1"
chain: [auth]
redis: {db: 3}
plugins: {limit: {rules: {a: {requests: 1}}}}
`
	want := mustLoad(t, file)
	for _, empty := range []string{"", " ", "\t\n"} {
		got := mustLoad(t, file, "RELAY_LISTEN="+empty, "RELAY_CHAIN="+empty, "RELAY_REDIS__DB="+empty,
			"RELAY_PLUGINS__LIMIT__RULES="+empty, "RELAY_UPSTREAMS__ONE__BASE_URL="+empty, "RELAY_UPSTREAMS="+empty,
			"BASE_URL="+empty, "CACHE_TTL="+empty, "API_KEY="+empty, "REDIS_PASSWORD="+empty, "RELAY_NOTHING_LIKE_IT="+empty)
		if diff := cmp.Diff(want.Config, got.Config); diff != "" {
			t.Errorf("variables that hold %q changed the configuration:\n%s", empty, diff)
		}
	}
	got := mustLoad(t, file, "RELAY_CHAIN=[]", "RELAY_PLUGINS__LIMIT__RULES={}").Config
	if rules := got.Plugins["limit"].(limitSettings).Rules; len(got.Chain) > 0 || len(rules) > 0 {
		t.Errorf("chain = %v and rules = %v, want none", got.Chain, rules)
	}
}

func TestBadVariablesAreNamed(t *testing.T) {
	tests := []struct {
		name, variable, want string
	}{
		{"a misspelt key", "RELAY_PLUGINS__RETRY__ATEMPTS=2", "RELAY_PLUGINS__RETRY__ATEMPTS: unknown variable, did you mean RELAY_PLUGINS__RETRY__ATTEMPTS?"},
		{"single underscores", "RELAY_PLUGINS_RETRY_ATTEMPTS=2", "RELAY_PLUGINS_RETRY_ATTEMPTS: unknown variable, did you mean RELAY_PLUGINS__RETRY__ATTEMPTS?"},
		{"a misspelt key of an upstream", "RELAY_UPSTREAMS__ONE__WIEGHT=2", "RELAY_UPSTREAMS__ONE__WIEGHT: unknown variable, did you mean RELAY_UPSTREAMS__ONE__WEIGHT?"},
		{"nothing like it", "RELAY_FROBNICATE=1", "RELAY_FROBNICATE: unknown variable: a setting is spelled like RELAY_LOG__LEVEL"},
		{"below a plain value", "RELAY_LISTEN__PORT=1", "RELAY_LISTEN__PORT: unknown variable: a setting is spelled like RELAY_LOG__LEVEL"},
		{"a group", "RELAY_PLUGINS__RETRY={}", "RELAY_PLUGINS__RETRY: is a group of settings: name one of them, such as RELAY_PLUGINS__RETRY__ATTEMPTS"},
		{"into free names", "RELAY_PLUGINS__LIMIT__RULES__A__REQUESTS=1", "RELAY_PLUGINS__LIMIT__RULES__A__REQUESTS: its names are free: set RELAY_PLUGINS__LIMIT__RULES whole, as YAML"},
		{"a secret", "RELAY_UPSTREAMS__ONE__API_KEY=sk-canary", "RELAY_UPSTREAMS__ONE__API_KEY: unknown variable, and a secret is named, not given: use RELAY_UPSTREAMS__ONE__API_KEY_ENV or RELAY_UPSTREAMS__ONE__API_KEY_FILE"},
		{"a text for a number", "RELAY_REDIS__DB=zero", "RELAY_REDIS__DB: a text stands where a whole number is expected"},
		{"a fraction for a whole number", "RELAY_REDIS__DB=0.5", "RELAY_REDIS__DB: a text stands where a whole number is expected"},
		{"a list of nothing", "RELAY_CHAIN=,", "RELAY_CHAIN: holds nothing: an empty list is [], an empty table {}"},
		{"a table of nothing", "RELAY_PLUGINS__LIMIT__RULES=null", "RELAY_PLUGINS__LIMIT__RULES: holds nothing: an empty list is [], an empty table {}"},
		{"a key twice in a table", "RELAY_PLUGINS__LIMIT__RULES={a: {requests: 1, requests: 2}}", "RELAY_PLUGINS__LIMIT__RULES.a.requests: stands twice, in line 1 and in line 1"},
		{"no unit", "RELAY_DRAIN=30", `RELAY_DRAIN: "30" has no unit, such as 30s`},
		{"a text in a list of numbers", "RELAY_PLUGINS__RETRY__STATUSES=429,x", "RELAY_PLUGINS__RETRY__STATUSES[1]: a text stands where a whole number is expected"},
		{"an unknown key in a map", "RELAY_PLUGINS__LIMIT__RULES={a: {reqests: 1}}", "RELAY_PLUGINS__LIMIT__RULES.a.reqests: unknown key, did you mean requests?"},
		{"a map that is no YAML", "RELAY_PLUGINS__LIMIT__RULES={a", "RELAY_PLUGINS__LIMIT__RULES: line 1: did not find expected ',' or '}'"},
		{"a name that cannot be", "RELAY_UPSTREAMS__1__WEIGHT=2", "RELAY_UPSTREAMS__1__WEIGHT: a name is lower-case letters, digits and single underscores between them, such as spare_1"},
		{"a value out of range", "RELAY_PLUGINS__RETRY__ATTEMPTS=99", "plugins.retry.attempts: 99 is not from 1 to 10 (from RELAY_PLUGINS__RETRY__ATTEMPTS)"},
		{"an unknown plugin", "RELAY_CHAIN=retri", `chain: unknown plugin "retri", known are auth, cache, limit, retry (from RELAY_CHAIN)`},
		{"a key in place of a variable's name", "RELAY_UPSTREAMS__ONE__API_KEY_ENV=sk-canary", "upstreams.one.api_key_env: is not the name of an environment variable: capitals, digits and _, such as UPSTREAM_API_KEY (from RELAY_UPSTREAMS__ONE__API_KEY_ENV)"},
		{"several nodes of Redis", "RELAY_REDIS__ADDRESSES=a:1,b:2", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := load(minimal, tt.variable)
			if got := message(err); got != tt.want {
				t.Errorf("error = %q\nwant    %q", got, tt.want)
			}
			if _, value, _ := strings.Cut(tt.variable, "="); len(value) > 8 && strings.Contains(message(err), "canary") {
				t.Errorf("the error holds the value: %v", err)
			}
		})
	}
}

func TestKubernetesServiceLinksAreIgnored(t *testing.T) {
	links := []string{
		"RELAY_SERVICE_HOST=10.0.0.1",
		"RELAY_SERVICE_PORT=80",
		"RELAY_SERVICE_PORT_HTTP=80",
		"RELAY_PORT=tcp://10.0.0.1:80",
		"RELAY_PORT_8080_TCP=tcp://10.0.0.1:8080",
		"RELAY_PORT_8080_TCP_PROTO=tcp",
		"RELAY_PORT_8080_TCP_PORT=8080",
		"RELAY_PORT_8080_TCP_ADDR=10.0.0.1",
		"RELAY_PORT_53_UDP_ADDR=10.0.0.1",
		"RELAY_HOLYSHEEP_RELAY_METRICS_SERVICE_HOST=10.0.0.1",
		"RELAY_ADMIN_SERVICE_PORT_HTTP=9090",
		"RELAY_ADMIN_PORT=tcp://10.0.0.1:80",
		"RELAY_ADMIN_PORT_9090_TCP_ADDR=10.0.0.1",
	}
	loaded, err := load(minimal, links...)
	if err != nil {
		t.Fatalf("with service links: %v", err)
	}
	if diff := cmp.Diff(mustLoad(t, minimal).Config, loaded.Config); diff != "" {
		t.Errorf("service links changed the configuration:\n%s", diff)
	}
	for _, other := range []string{"RELAY_PORT=8080", "RELAY_SERVICE=1", "RELAY_PORT_TCP=1", "RELAY_HOST=a"} {
		if _, err := load(minimal, other); err == nil {
			t.Errorf("%s: no error", other)
		}
	}
}

func TestVariablesThatHoldSecretsAreNoSettings(t *testing.T) {
	file := "upstreams: {one: {base_url: \"https://one.example.com/v1\", api_key_env: RELAY_KEY_OF_ONE}}"
	if _, err := load(file, "RELAY_KEY_OF_ONE=sk-canary", "RELAY_CONFIG=/etc/relay.yaml", "RELAYED=1"); err != nil {
		t.Errorf("error: %v", err)
	}
}
