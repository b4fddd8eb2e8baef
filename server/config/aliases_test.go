package config_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/holysheep/relay/server/config"
)

// two is a file with two upstreams, none of which has a key.
const two = `upstreams:
  one: {base_url: "https://one.example.com/v1"}
  two: {base_url: "https://two.example.com/v1"}
`

func TestAliases(t *testing.T) {
	const both = "upstreams: {holysheep: {base_url: \"https://a.example/v1\"}, two: {base_url: \"https://b.example/v1\"}}"
	tests := []struct {
		name    string
		file    string
		environ []string
		key     string // of what is looked at
		want    any
		origin  string
	}{
		{"BASE_URL alone is a whole configuration", "", []string{"BASE_URL=https://a.example/v1"}, "upstreams.holysheep.base_url", "https://a.example/v1", "from BASE_URL"},
		{"BASE_URL goes before the only upstream's", minimal, []string{"BASE_URL=https://a.example/v1"}, "upstreams.one.base_url", "https://a.example/v1", "from BASE_URL"},
		{"BASE_URL is for holysheep among several", both, []string{"BASE_URL=https://c.example/v1"}, "upstreams.holysheep.base_url", "https://c.example/v1", "from BASE_URL"},
		{"BASE_URL makes no second upstream", "", []string{"BASE_URL=https://a.example/v1", "RELAY_UPSTREAMS__TWO__BASE_URL=https://b.example/v1"}, "upstreams.holysheep", nil, "default"},
		{"RELAY_ goes before BASE_URL without a file", "", []string{"BASE_URL=https://a.example/v1", "RELAY_UPSTREAMS__TWO__BASE_URL=https://b.example/v1"}, "upstreams.two.base_url", "https://b.example/v1", "from RELAY_UPSTREAMS__TWO__BASE_URL"},
		{"BASE_URL is for a RELAY_ upstream without one", "", []string{"BASE_URL=https://a.example/v1", "RELAY_UPSTREAMS__TWO__WEIGHT=2"}, "upstreams.two.base_url", "https://a.example/v1", "from BASE_URL"},
		{"BASE_URL adds nothing to all upstreams from RELAY_", minimal, []string{"BASE_URL=https://a.example/v1", "RELAY_UPSTREAMS={two: {base_url: \"https://b.example/v1\"}}"}, "upstreams.two.base_url", "https://b.example/v1", "from RELAY_UPSTREAMS"},
		{"RELAY_ goes before BASE_URL", minimal, []string{"BASE_URL=https://a.example/v1", "RELAY_UPSTREAMS__ONE__BASE_URL=https://b.example/v1"}, "upstreams.one.base_url", "https://b.example/v1", "from RELAY_UPSTREAMS__ONE__BASE_URL"},
		{"an empty BASE_URL says nothing", minimal, []string{"BASE_URL="}, "upstreams.one.base_url", "https://one.example.com/v1", "relay.yaml:1"},
		{"HOLYSHEEP_API_KEY alone is a whole configuration", "", []string{"HOLYSHEEP_API_KEY=sk-canary"}, "upstreams.holysheep.base_url", "https://api.holysheep.ai/v1", "from HOLYSHEEP_API_KEY"},
		{"HOLYSHEEP_API_KEY is where the key stands", minimal, []string{"HOLYSHEEP_API_KEY=sk-canary", "API_KEY=sk-other"}, "upstreams.one.api_key_env", "HOLYSHEEP_API_KEY", "from HOLYSHEEP_API_KEY"},
		{"API_KEY is second", minimal, []string{"API_KEY=sk-canary", "HOLYSHEEP_API_KEY="}, "upstreams.one.api_key_env", "API_KEY", "from API_KEY"},
		{"a key is for holysheep among several", both, []string{"API_KEY=sk-canary"}, "upstreams.holysheep.api_key_env", "API_KEY", "from API_KEY"},
		{"no other upstream gets the key", both, []string{"API_KEY=sk-canary"}, "upstreams.two.api_key_env", "", "default"},
		{"the file's own source stays", "upstreams: {one: {base_url: \"https://a.example/v1\", api_key_file: /k}}", []string{"API_KEY=sk-canary"}, "upstreams.one.api_key_env", "", "default"},
		{"a source from RELAY_ stays", minimal, []string{"API_KEY=sk-canary", "RELAY_UPSTREAMS__ONE__API_KEY_FILE=/k"}, "upstreams.one.api_key_env", "", "default"},
		{"an empty source says that there is no key", "upstreams: {one: {base_url: \"https://a.example/v1\", api_key_env: \"\"}}", []string{"API_KEY=sk-canary"}, "upstreams.one.api_key_env", "", "relay.yaml:1"},
		{"auth: none says that there is no key", "upstreams: {one: {base_url: \"https://a.example/v1\", auth: none}}", []string{"API_KEY=sk-canary"}, "upstreams.one.api_key_env", "", "default"},
		{"MAX_CONCURRENT_REQUESTS is per replica", minimal, []string{"MAX_CONCURRENT_REQUESTS=7"}, "plugins.limit.max_in_flight", 7, "from MAX_CONCURRENT_REQUESTS"},
		{"an alias goes before the file", minimal + "plugins: {limit: {max_in_flight: 3}}", []string{"MAX_CONCURRENT_REQUESTS=7"}, "plugins.limit.max_in_flight", 7, "from MAX_CONCURRENT_REQUESTS"},
		{"RELAY_ goes before an alias", minimal, []string{"MAX_CONCURRENT_REQUESTS=7", "RELAY_PLUGINS__LIMIT__MAX_IN_FLIGHT=8"}, "plugins.limit.max_in_flight", 8, "from RELAY_PLUGINS__LIMIT__MAX_IN_FLIGHT"},
		{"REQUEST_TIMEOUT is in seconds", minimal, []string{"REQUEST_TIMEOUT=90"}, "request_timeout", "1m30s", "from REQUEST_TIMEOUT"},
		{"REQUEST_TIMEOUT has fractions", minimal, []string{"REQUEST_TIMEOUT=0.5"}, "request_timeout", "500ms", "from REQUEST_TIMEOUT"},
		{"CACHE_TTL is in seconds", minimal, []string{"CACHE_TTL=3600"}, "plugins.cache.ttl", "1h", "from CACHE_TTL"},
		{"three retries are four attempts", minimal, []string{"UPSTREAM_RETRY_LIMIT=3"}, "plugins.retry.attempts", 4, "from UPSTREAM_RETRY_LIMIT"},
		{"no retry is one attempt", minimal, []string{"UPSTREAM_RETRY_LIMIT=0"}, "plugins.retry.attempts", 1, "from UPSTREAM_RETRY_LIMIT"},
		{"REDIS_PASSWORD is where the password stands", minimal, []string{"REDIS_PASSWORD=canary", "RELAY_REDIS__ADDRESSES=redis:6379"}, "redis.password_env", "REDIS_PASSWORD", "from REDIS_PASSWORD"},
		{"REDIS_PASSWORD needs no Redis", minimal, []string{"REDIS_PASSWORD=canary"}, "redis.password_env", "REDIS_PASSWORD", "from REDIS_PASSWORD"},
		{"a file of the password stays", minimal + "redis: {addresses: [\"redis:1\"], password_file: /run/password}", []string{"REDIS_PASSWORD=canary"}, "redis.password_env", "", "default"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			loaded := mustLoad(t, tt.file, tt.environ...)
			if got := at(loaded.Tree(), tt.key); got != tt.want {
				t.Errorf("%s = %v, want %v", tt.key, got, tt.want)
			}
			if got := loaded.Origin(tt.key).String(); got != tt.origin {
				t.Errorf("origin of %s = %q, want %q", tt.key, got, tt.origin)
			}
			if len(warnings(loaded)) > 0 {
				t.Errorf("warnings: %q", warnings(loaded))
			}
		})
	}
}

func TestBadAliasesAreNamed(t *testing.T) {
	tests := []struct {
		name, file, variable, want string
	}{
		{"no number", minimal, "MAX_CONCURRENT_REQUESTS=many", `MAX_CONCURRENT_REQUESTS: "many" is not a whole number such as 100`},
		{"what would round to no bound", minimal, "REQUEST_TIMEOUT=1e-10", `REQUEST_TIMEOUT: "1e-10" seconds are less than a nanosecond`},
		{"a unit", minimal, "REQUEST_TIMEOUT=30s", `REQUEST_TIMEOUT: "30s" is not a number of seconds such as 30`},
		{"not a number", minimal, "CACHE_TTL=NaN", `CACHE_TTL: "NaN" is not a number of seconds such as 30`},
		{"out of range for the plugin", minimal, "CACHE_TTL=0", "plugins.cache.ttl: 0s is not above 0s (from CACHE_TTL)"},
		{"a negative number", minimal, "UPSTREAM_RETRY_LIMIT=-1", `UPSTREAM_RETRY_LIMIT: "-1" is not a number of retries such as 3`},
		{"too many retries", minimal, "UPSTREAM_RETRY_LIMIT=10", "plugins.retry.attempts: 11 is not from 1 to 10 (from UPSTREAM_RETRY_LIMIT)"},
		{"retries beyond the type", minimal, "UPSTREAM_RETRY_LIMIT=300", "UPSTREAM_RETRY_LIMIT: the number is out of range"},
		{"a key in the wrong variable", minimal, "REQUEST_TIMEOUT=sk-canary", "REQUEST_TIMEOUT: \"(hidden)\" is not a number of seconds such as 30"},
		{"no URL", minimal, "BASE_URL=api.example.com", "upstreams.one.base_url: scheme \"\" is neither http nor https (from BASE_URL)"},
		{"several upstreams", two, "BASE_URL=https://a.example/v1", "BASE_URL: there are several upstreams: use RELAY_UPSTREAMS__NAME__BASE_URL"},
		{"somebody's key alone", "", "API_KEY=sk-canary", noUpstream + "; no --config was given"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := load(tt.file, tt.variable)
			if got := message(err); got != tt.want {
				t.Errorf("error = %q\nwant    %q", got, tt.want)
			}
		})
	}
}

// noUpstream says what to do when there is no upstream.
const noUpstream = "upstreams: there is none: name one here, such as holysheep: {base_url: \"https://api.example.com/v1\"}, or set BASE_URL"

func TestAliasWarnings(t *testing.T) {
	tests := []struct {
		name, file, variable, want string
	}{
		{"a plugin that is not in the chain", minimal + "chain: [auth]", "CACHE_TTL=3", "CACHE_TTL has no effect: cache is not in the chain"},
		{"a guide's placeholder", minimal, "HOLYSHEEP_API_KEY=YOUR_HOLYSHEEP_API_KEY", "HOLYSHEEP_API_KEY holds YOUR_HOLYSHEEP_API_KEY, which stands for a key and is none"},
		{"a key for one of several", two, "HOLYSHEEP_API_KEY=sk-canary", "HOLYSHEEP_API_KEY has no effect: there are several upstreams: name it in api_key_env of one"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			loaded := mustLoad(t, tt.file, tt.variable)
			if diff := cmp.Diff([]string{tt.want}, warnings(loaded)); diff != "" {
				t.Errorf("warnings (-want +got):\n%s", diff)
			}
		})
	}
}

func TestAliasOfAPluginThatIsNotBuiltIn(t *testing.T) {
	loaded, err := config.Load(config.Source{
		Environ: []string{"CACHE_TTL=3", "BASE_URL=https://a.example/v1", "RELAY_DRAIN=1s"},
	}, known()[:2])
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"CACHE_TTL has no effect: there is no setting plugins.cache.ttl"}, warnings(loaded)); diff != "" {
		t.Errorf("warnings (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"limit"}, loaded.Config.Chain); diff != "" {
		t.Errorf("chain (-want +got):\n%s", diff)
	}
	if got := loaded.Config.Drain; got != time.Second {
		t.Errorf("drain = %s, want 1s", got)
	}
}

func TestAKeyThatOneOfSeveralNamesHasItsEffect(t *testing.T) {
	const file = "upstreams: {one: {base_url: https://a.example/v1, api_key_env: HOLYSHEEP_API_KEY}, two: {base_url: https://b.example/v1}}\n"
	loaded := mustLoad(t, file+"plugins: {auth: {token: a}}\n", "HOLYSHEEP_API_KEY=sk-canary")
	for _, w := range warnings(loaded) {
		if strings.Contains(w, "HOLYSHEEP_API_KEY") {
			t.Errorf("warning %q, and the variable is named", w)
		}
	}
}
