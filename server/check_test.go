package server

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestCheckTellsEverythingAtOnce: what loading finds hides nothing that building
// finds, and is not followed by what is only its consequence.
func TestCheckTellsEverythingAtOnce(t *testing.T) {
	tests := []struct {
		name, config string
		want         []string
	}{
		{
			"keys and variables and their absence", `
no_such: 1
tls: {cert_file: /no/such.crt, key_file: /no/such.key}
plugins: {auth: {keys_file: /no/such.yaml}, limit: {max_in_flight: -1}}
upstreams: {one: {base_url: "http://x/v1", weight: -1}, two: {base_url: "http://x/v1", api_key_env: NO_SUCH}}
`,
			[]string{
				"no_such: unknown key",
				"plugins.limit.max_in_flight: -1 is negative",
				"upstreams.one.weight: -1 is negative",
				"upstreams.two.api_key_env: NO_SUCH is not set",
				"plugins.auth: keys_file: open /no/such.yaml: no such file or directory",
				"tls.cert_file: open /no/such.crt: no such file or directory",
				"tls.key_file: open /no/such.key: no such file or directory",
			},
		},
		{
			"the order of a chain with a plugin that is refused, and one that is none", `
chain: [cache, auth, retry, retri]
plugins: {auth: {clients: {a: {keys: {k: {sha256: HASH}}}}}, retry: {attempts: 99}}
`,
			[]string{
				"plugins.retry.attempts: 99 is not from 1 to 10",
				`chain: unknown plugin "retri", known are auth, cache, limit, retry`,
				"chain: auth faces the client, so it must come before cache",
			},
		},
		{
			"the order of a chain with a plugin that cannot be built", `
chain: [limit, auth, retry]
plugins: {auth: {clients: {a: {keys: {k: {sha256: HASH}}}}}}
upstreams: {one: {base_url: "http://x/v1", api_key_file: /no/such}}
`,
			[]string{
				"upstreams.one.api_key_file: open /no/such: no such file or directory",
				"chain: auth faces the client, so it must come before limit",
			},
		},
		{
			"no client, no upstream and no auth, for another reason each", `
listen: ":0"
chain: [limit, 5]
plugins: {auth: {clients: 1}}
upstreams: {one: {base_url: "http://x/v1", weight: -1}}
`,
			[]string{
				"chain[1]: a number stands where a text is expected: put it in quotes",
				"plugins.auth.clients: a number stands where a map is expected",
				"upstreams.one.weight: -1 is negative",
			},
		},
		{
			"fallbacks of an upstream that is refused, and of one that cannot be built", `
upstreams: {one: {base_url: "http://x/v1", models: [a], api_key_env: NO_SUCH}, two: {base_url: "http://x/v1", models: [b], weight: -1}}
fallbacks: {a: [b]}
`,
			[]string{
				"upstreams.two.weight: -1 is negative",
				"upstreams.one.api_key_env: NO_SUCH is not set",
			},
		},
		{
			"fallbacks that nobody serves", `
upstreams: {one: {base_url: "http://x/v1", models: [a]}}
fallbacks: {a: [b]}
`,
			[]string{"fallbacks.a: no upstream serves b: see models and rewrite of the upstreams"},
		},
		{"nothing but what is no map", "plugins: 1\nupstreams: 2\ntls: 3\n", []string{
			"plugins: a number stands where a map is expected",
			"tls: a number stands where a map is expected",
			"upstreams: a number stands where a map is expected",
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := shell{environ: []string{"UPSTREAM_KEY=" + upstreamKey}}
			if err := s.process("check", "--config", file(t, tt.config)).run(t.Context()); err == nil {
				t.Error("no error")
			}
			want := "relay: " + strings.Join(tt.want, "\nrelay: ") + "\n"
			if diff := cmp.Diff(want, s.err.All()); diff != "" {
				t.Errorf("standard error (-want +got):\n%s", diff)
			}
		})
	}
}

// TestAReloadTellsEverythingAtOnce looks at the log of a relay that goes on.
func TestAReloadTellsEverythingAtOnce(t *testing.T) {
	r := start(t, whole)
	replaceFile(t, r.Config, complete(whole+"\nno_such: 1\ntls: {cert_file: /no/such.crt, key_file: /no/such.key}\n", "http://127.0.0.1:1/v1"))
	if err := r.Reload(); err == nil || len(problems(err)) != 3 {
		t.Errorf("%d problems, want three: %v", len(problems(err)), err)
	}
	expect(t, r.URL+"/v1/models", 401, "missing_api_key")
}
