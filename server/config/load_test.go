package config_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/holysheep/relay/plugins"
	"github.com/holysheep/relay/server/config"
)

func TestDefaultsHold(t *testing.T) {
	loaded := mustLoad(t, minimal, "RELAY_CHAIN=auth,limit,cache,retry")
	want := config.Defaults()
	got := loaded.Config
	if diff := cmp.Diff([]string{"auth", "limit", "cache", "retry"}, got.Chain); diff != "" {
		t.Errorf("chain (-want +got):\n%s", diff)
	}
	if len(got.Plugins) != 4 || len(got.Upstreams) != 1 {
		t.Errorf("%d plugins and %d upstreams, want 4 and 1", len(got.Plugins), len(got.Upstreams))
	}
	got.Plugins, got.Upstreams = nil, nil
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("configuration (-want +got):\n%s", diff)
	}
}

func TestPluginsOfTheChainAndOfTheFileHaveSettings(t *testing.T) {
	loaded := mustLoad(t, minimal+"chain: [auth]\nplugins: {retry: }\n")
	var got []string
	for _, name := range []string{"auth", "limit", "cache", "retry"} {
		if loaded.Config.Plugins[name] != nil {
			got = append(got, name)
		}
	}
	if diff := cmp.Diff([]string{"auth", "retry"}, got); diff != "" {
		t.Errorf("plugins with settings (-want +got):\n%s", diff)
	}
}

// TestDefaultsAreNotShared loads twice: a list of the file's must not be
// written into the memory of a plugin's defaults.
func TestDefaultsAreNotShared(t *testing.T) {
	statuses := []int{429, 503}
	all := []plugins.Plugin{define("retry", retrySettings{Attempts: 1, Statuses: statuses})}
	_, err := config.Load(config.Source{
		Path: "relay.yaml",
		ReadFile: func(string) ([]byte, error) {
			return []byte(minimal + "plugins: {retry: {statuses: [500]}}"), nil
		},
	}, all)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]int{429, 503}, statuses); diff != "" {
		t.Errorf("the defaults changed (-want +got):\n%s", diff)
	}
}

func TestAnEmptyFileNeedsAnUpstream(t *testing.T) {
	for _, file := range []string{"\n", "# nothing\n", "---\n", "{}", "null", "upstreams:\n"} {
		if _, err := load(file, "BASE_URL=https://a.example/v1"); err != nil {
			t.Errorf("%q with BASE_URL: %v", file, err)
		}
		if _, err := load(file); message(err) != noUpstream {
			t.Errorf("%q without: error %v, want %q", file, err, noUpstream)
		}
	}
}

func TestAMissingFileIsNamedBesideOtherProblems(t *testing.T) {
	_, err := config.Load(config.Source{
		Path:    "testdata/none.yaml",
		Environ: []string{"RELAY_DRAIN=3", "RELAY_LITSEN=:1"},
	}, known())
	want := "configuration: open testdata/none.yaml: no such file or directory\n" +
		"RELAY_DRAIN: \"3\" has no unit, such as 30s\n" +
		"RELAY_LITSEN: unknown variable, did you mean RELAY_LISTEN?"
	if got := message(err); got != want {
		t.Errorf("error = %q\nwant    %q", got, want)
	}
}

// TestABrokenConfigurationIsLoadedInPart holds that what is left beside an error
// can be built, so that more that is wrong is found.
func TestABrokenConfigurationIsLoadedInPart(t *testing.T) {
	loaded, err := load(`
drain: soon
chain: [auth, retry, limit, retri]
plugins: {retry: {attempts: 99}, auth: {token: }, limit: {max_in_flight: 5}}
upstreams:
  one: {base_url: "https://one.example.com/v1", weight: -1}
  two: {base_url: "https://two.example.com/v1"}
  tri: {bas_url: "https://tri.example.com/v1"}
`, "RELAY_PLUGINS__CACHE__TLL=1s", "MAX_CONCURRENT_REQUESTS=many", "RELAY_TLS__CERT=a")
	if err == nil || loaded == nil {
		t.Fatalf("loaded %v, error %v; want both", loaded, err)
	}
	if diff := cmp.Diff([]string{"auth", "retry", "limit", "retri"}, loaded.Config.Chain); diff != "" {
		t.Errorf("chain (-want +got):\n%s", diff)
	}
	if len(loaded.Config.Plugins) > 0 || len(loaded.Config.Upstreams) != 1 || loaded.Config.Upstreams["two"].BaseURL == "" {
		t.Errorf("plugins %v, upstreams %v; want what is whole alone", loaded.Config.Plugins, loaded.Config.Upstreams)
	}
	for key, want := range map[string]bool{"drain": true, "drain_delay": false, "chain": true, "tls": true, "upstreams": true, "upstreams.two": false, "listen": false} {
		if got := loaded.Refused(key); got != want {
			t.Errorf("Refused(%q) = %t, want %t", key, got, want)
		}
	}
	if loaded, err := load("upstreams: 1\nplugins: 2\n"); err == nil || len(loaded.Config.Plugins)+len(loaded.Config.Upstreams) > 0 {
		t.Errorf("loaded %v, error %v; want neither plugins nor upstreams", loaded, err)
	}
	for _, file := range []string{"a: b: c", "- a"} {
		if loaded, err := load(file); err == nil || loaded != nil {
			t.Errorf("%q: loaded %v, error %v; want nothing of a file that cannot be read", file, loaded, err)
		}
	}
}

func TestThePasswordMustBeThere(t *testing.T) {
	const redis = minimal + "redis: {addresses: [\"redis:6379\"], "
	tests := []struct {
		name, file, want string
		environ          []string
	}{
		{name: "a variable that is set", file: redis + "password_env: REDIS_PW}", environ: []string{"REDIS_PW=canary"}},
		{name: "a variable that is not set", file: redis + "password_env: REDIS_PW}", want: "redis.password_env: REDIS_PW is not set"},
		{name: "a file that is there", file: redis + "password_file: /run/password}"},
		{name: "a file that is not there", file: redis + "password_file: /run/none}", want: "redis.password_file: open /run/none: file does not exist"},
		{name: "a password in place of the variable", file: redis + "password_env: A0B1C2D3E4F5G6H7I8J9}", want: "redis.password_env: holds what looks like a key, not the name of an environment variable: none of this name is set"},
		{name: "a variable of an odd name that is set", file: redis + "password_env: A0B1C2D3E4F5G6H7I8J9}", environ: []string{"A0B1C2D3E4F5G6H7I8J9=canary"}},
		{name: "a password in place of the file", file: redis + "password_file: hunter2}", want: "redis.password_file: holds what may be a key, not the name of a file: write a path, such as ./name"},
		{name: "a file of the folder", file: redis + "password_file: password}"},
		{name: "no Redis", file: minimal + "redis: {password_file: /run/none}"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := load(tt.file, tt.environ...)
			if got := message(err); got != tt.want {
				t.Errorf("error = %q, want %q", got, tt.want)
			}
		})
	}
}

func TestPluginsWithBadNamesAreRefused(t *testing.T) {
	all := []plugins.Plugin{define("Retry", retrySettings{Attempts: 1}), define("a", cacheSettings{TTL: 1}), define("a", cacheSettings{TTL: 1})}
	_, err := config.Load(config.Source{Environ: []string{"BASE_URL=https://a.example"}}, all)
	for _, want := range []string{"plugin Retry: a name is lower-case", "plugin a: is built in twice"} {
		if !strings.Contains(message(err), want) {
			t.Errorf("error = %v, want one that holds %q", err, want)
		}
	}
}
