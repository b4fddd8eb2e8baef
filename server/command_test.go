package server

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/holysheep/relay/internal/credential"
)

// A shell runs the relay's command line as a program would, in an environment
// of its own.
type shell struct {
	environ []string
	hangup  chan os.Signal
	out     logs // standard output; a write is a line
	err     logs // standard error
}

func (s *shell) process(args ...string) process {
	return process{
		args: append([]string{"relay"}, args...), environ: s.environ, hangup: s.hangup,
		stdout: &s.out, stderr: &s.err, plugins: builtin(),
	}
}

// file writes a configuration and returns its path.
func file(t *testing.T, config string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "relay.yaml")
	replaceFile(t, path, complete(config, "http://127.0.0.1:1/v1"))
	return path
}

func TestCommands(t *testing.T) {
	good, missing := file(t, whole), filepath.Join(t.TempDir(), "missing.yaml")
	warned := file(t, strings.Replace(whole, ", cache, retry", "", 1))
	several := file(t, whole+"\nno_such: 1\ndrain: soon\nupstreams: {one: {base_url: \"ftp://x\"}, two: {base_url: \"http://x/v1\", weight: -1}}\n")
	unreadable := file(t, whole+"\nupstreams: {one: {base_url: \"http://x/v1\", api_key_env: NO_SUCH}, two: {base_url: \"http://x/v1\", api_key_file: /no/such}}\n")
	exposed := file(t, "listen: :0\nchain: [limit]\n")
	tests := []struct {
		name   string
		args   []string
		fails  bool
		stdout []string
		stderr []string // of a failure, each the beginning of a line
	}{
		{"nothing", nil, false, []string{"a relay for LLM APIs", "serve", "check", "explain", "key", "limits", "schema", "get", "version"}, nil},
		{"help", []string{"help"}, false, []string{"serve"}, nil},
		{"help of a command", []string{"serve", "--help"}, false, []string{"--demo", "--config"}, nil},
		{"an unknown command", []string{"sevre"}, true, nil, []string{`relay: unknown command "sevre"`}},
		{"an unknown flag", []string{"serve", "--demmo"}, true, nil, []string{"relay: flag provided but not defined: -demmo: see relay serve --help"}},
		{"a flag without its value", []string{"check", "--config"}, true, nil, []string{"relay: flag needs an argument"}},
		{"a file that is no flag", []string{"check", good}, true, nil, []string{"relay: check: unexpected argument"}},
		{"serve with an argument", []string{"serve", good}, true, nil, []string{"relay: serve: unexpected argument"}},
		{"version", []string{"version"}, false, []string{build()}, nil},
		{"check", []string{"check", "--config", good}, false, []string{"ok\n"}, nil},
		{"check by the short flag", []string{"check", "-c", good}, false, []string{"ok\n"}, nil},
		{"check of an odd one", []string{"check", "--config", warned}, false, []string{"warning: ", "CACHE_TTL", "ok\n"}, nil},
		{"check of no file", []string{"check", "--config", missing}, true, nil, []string{"relay: configuration: open "}},
		{
			"check of a file with several problems",
			[]string{"check", "--config", several},
			true, nil,
			[]string{"relay: no_such: ", "relay: drain: ", "relay: upstreams.one.base_url: ", "relay: upstreams.two.weight: "},
		},
		{"check of keys", []string{"check", "--config", unreadable}, true, nil, []string{"relay: upstreams.one", "relay: upstreams.two"}},
		{"serve with several problems", []string{"serve", "--config", several}, true, nil, []string{"relay: no_such: ", "relay: drain: "}},
		{"serve to all without auth", []string{"serve", "--config", exposed}, true, nil, []string{"relay: chain: without auth"}},
		{"explain", []string{"explain", "--config", good}, false, []string{"chain: [auth, limit, cache, retry]", "max_in_flight: 100 # default", "relay.yaml:"}, nil},
		{"explain of a bad one", []string{"explain", "--config", several}, true, nil, []string{"relay: no_such: "}},
		{"key without a name", []string{"key"}, true, nil, []string{"relay: key: name one client"}},
		{"key with two names", []string{"key", "a", "b"}, true, nil, []string{"relay: key: name one client"}},
		{"key with a name that auth refuses", []string{"key", "team: a"}, true, nil, []string{"relay: key: clients.team: a: a name has 1 to 63 letters"}},
		{"get without a URL", []string{"get"}, true, nil, []string{"relay: get: name one URL"}},
		{"get of no relay", []string{"get", "http://127.0.0.1:1/ready"}, true, nil, []string{"relay: get: "}},
		{"schema with an argument", []string{"schema", "x"}, true, nil, []string{"relay: schema: "}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := shell{environ: []string{"UPSTREAM_KEY=" + upstreamKey, "CACHE_TTL=60"}}
			err := s.process(tt.args...).run(t.Context())
			if (err != nil) != tt.fails {
				t.Errorf("err = %v, want failure: %t", err, tt.fails)
			}
			for _, want := range tt.stdout {
				if !strings.Contains(s.out.All(), want) {
					t.Errorf("standard output lacks %q:\n%s", want, s.out.All())
				}
			}
			for _, want := range tt.stderr {
				if !strings.Contains("\n"+s.err.All(), "\n"+want) {
					t.Errorf("standard error lacks a line %q:\n%s", want, s.err.All())
				}
			}
			if got := s.err.All(); tt.fails && strings.Contains(got, "\n\n") || !tt.fails && got != "" {
				t.Errorf("standard error: %q", got)
			}
		})
	}
}

func TestSchemaIsJSON(t *testing.T) {
	var s shell
	if err := s.process("schema").run(t.Context()); err != nil {
		t.Fatal(err)
	}
	var schema struct{ Properties map[string]any }
	if err := json.Unmarshal([]byte(s.out.All()), &schema); err != nil || schema.Properties["upstreams"] == nil {
		t.Errorf("%v, properties %v, want the configuration's", err, schema.Properties)
	}
}

func TestGet(t *testing.T) {
	r := start(t, whole)
	for url, want := range map[string]error{
		r.AdminURL + "/ready": nil,
		r.URL + "/health":     nil,
		r.URL + "/nothing":    errors.New("get: 404 Not Found"),
		r.URL + "/v1/models":  errors.New("get: 401 Unauthorized"),
	} {
		var s shell
		err := s.process("get", url).run(t.Context())
		if (err == nil) != (want == nil) || err != nil && err.Error() != want.Error() {
			t.Errorf("%s: %v, want %v", url, err, want)
		}
		if _, body := get(t, url); s.out.All() != body {
			t.Errorf("%s: printed %q, want %q", url, s.out.All(), body)
		}
	}
}

func TestExplainLive(t *testing.T) {
	r := start(t, whole)
	for _, url := range []string{r.AdminURL, r.AdminURL + "/", strings.TrimPrefix(r.AdminURL, "http://")} {
		var s shell
		if err := s.process("explain", "--live", url).run(t.Context()); err != nil {
			t.Fatal(err)
		}
		if want := "sha256:" + credential.Hash(upstreamKey)[:12]; !strings.Contains(s.out.All(), want) {
			t.Errorf("%s: %s, want the fingerprint %s in it", url, s.out.All(), want)
		}
	}
	for _, url := range []string{r.URL, r.AdminURL + "/config", "127.0.0.1:1", "://"} {
		var s shell
		err := s.process("explain", "--live", url).run(t.Context())
		if want := "give the admin listener's URL, such as http://127.0.0.1:9090\n"; err == nil || s.out.All() != "" ||
			!strings.HasPrefix(s.err.All(), "relay: explain: ") || !strings.HasSuffix(s.err.All(), want) {
			t.Errorf("%s: printed %q and %q, want %q at the end of an error alone", url, s.out.All(), s.err.All(), want)
		}
	}
}

func TestAKeyThatWasMadeOpensTheRelay(t *testing.T) {
	into := filepath.Join(t.TempDir(), "keys.yaml")
	var inline, stored, narrow shell
	for args, s := range map[*shell][]string{
		&inline: {"key", "team-a", "--group", "g"},
		&stored: {"key", "--into", into, "team.b@example-1"},
		&narrow: {"key", "--into", into, "--id", "one", "--model", "gpt-*", "--expires", "24h", "team-c"},
	} {
		if err := args.process(s...).run(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	indented := strings.ReplaceAll(strings.TrimSpace(inline.out.All()), "\n", "\n    ")
	r := start(t, "plugins:\n  auth:\n    keys_file: "+into+"\n    "+indented+"\n")
	for name, tt := range map[string]struct {
		shell *shell
		want  int
	}{"printed": {&inline, 200}, "stored": {&stored, 200}, "narrow": {&narrow, 403}} {
		alone, other := tt.shell.out.All(), tt.shell.err.All()
		if name == "printed" { // the hash is on standard output
			alone, other = other, alone
		}
		key := strings.TrimSpace(alone)
		if !strings.HasPrefix(key, credential.Prefix) || strings.Contains(key, "\n") || strings.Contains(other, key) || name != "printed" && other != "" {
			t.Fatalf("%s: the key is %q beside %q, want it alone", name, key, other)
		}
		req := r.request(t, http.MethodPost, "/v1/chat/completions", chat)
		req.Header.Set("Authorization", "Bearer "+key)
		if res, body := do(t, req); res.StatusCode != tt.want {
			t.Errorf("%s: %d %s, want %d", name, res.StatusCode, body, tt.want)
		}
	}
	text, err := os.ReadFile(into)
	if err != nil || bytes.Contains(text, []byte(credential.Prefix)) {
		t.Errorf("the file holds a key, or %v", err)
	}
}
