package server

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/holysheep/relay/plugins"
)

// A wants is the settings of the plugin of that name.
type wants struct {
	Client string `koanf:"client"`
	Model  string `koanf:"model"`
}

func (wants) Validate() error { return nil }

// wanting is a plugin that wants its client to be named, and its model to be
// served.
func wanting() plugins.Plugin {
	check := func(s wants, scope plugins.Scope) error {
		var errs []error
		named := slices.ContainsFunc(scope.Clients, func(c plugins.Client) bool { return c.Name == s.Client })
		if s.Client != "" && (!scope.Named || !named) {
			errs = append(errs, fmt.Errorf("client: there is no %s among %d", s.Client, len(scope.Clients)))
		}
		if s.Model != "" && !scope.Serves(s.Model) {
			errs = append(errs, fmt.Errorf("model: nobody serves %s", s.Model))
		}
		return errors.Join(errs...)
	}
	return plugins.Define("wants", func() wants { return wants{} }, func(s wants, _ plugins.Env) (plugins.Link, error) {
		return plugins.Link{
			Admin: http.NotFoundHandler(),
			Check: func(scope plugins.Scope) error { return check(s, scope) },
		}, nil
	})
}

// wanted is a configuration of wanting in front of one upstream with models.
func wanted(client, model string) string {
	return "chain: [auth, wants]\nplugins:\n  auth: {clients: {tester: {keys: {one: {sha256: HASH}}}}}\n" +
		"  wants: {client: " + client + ", model: \"" + model + "\"}\n" +
		"upstreams: {demo: {base_url: UPSTREAM, models: [\"gpt-*\"], rewrite: {fast: gpt-x}}}\n"
}

func TestWhatDoesNotExistIsRefusedAtTheStart(t *testing.T) {
	unnamed := strings.Replace(wanted("tester", ""), "[auth, wants]", "[wants]", 1)
	tests := []struct {
		name, config string
		want         []string // none: it is good
	}{
		{"a client and a model that exist", wanted("tester", "gpt-4*"), nil},
		{"a model under another name", wanted("tester", "fast"), nil},
		{"every model", wanted("tester", "*"), nil},
		{"neither exists", wanted("ada", "claude-*"), []string{"plugins.wants: client: there is no ada among 1", "plugins.wants: model: nobody serves claude-*"}},
		{"nobody names clients", unnamed, []string{"plugins.wants: client: there is no tester among 0"}},
		{"what names clients is refused", strings.Replace(wanted("ada", ""), "HASH", "x", 1), []string{"plugins.auth.clients.tester.keys.one.sha256: not 64"}},
		{"the upstreams are refused", strings.Replace(wanted("tester", "claude"), "rewrite:", "weight: -1, rewrite:", 1), []string{"upstreams.demo.weight: -1 is negative"}},
		{"an upstream cannot be built", strings.Replace(wanted("tester", "claude"), "rewrite:", "api_key_env: NO_SUCH, rewrite:", 1), []string{"upstreams.demo.api_key_env: NO_SUCH is not set"}},
		{"something else is wrong too", wanted("ada", "") + "no_such: 1\n", []string{"no_such: unknown key", "plugins.wants: client: there is no ada among 1"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			path := file(t, tt.config)
			known := append(builtin(), wanting())
			server, started := New(Options{Plugins: known, Path: path, Log: &logs{}})
			if started == nil {
				defer func() { _ = server.Discard() }()
			}
			s := shell{}
			p := s.process("check", "--config", path)
			p.plugins = known
			for by, err := range map[string]error{"New": started, "check": p.run(t.Context())} {
				var got []string
				for _, problem := range problems(err) {
					got = append(got, problem.Error())
				}
				fits := func(got, want string) bool { return strings.HasPrefix(got, want) }
				if !slices.EqualFunc(got, tt.want, fits) {
					t.Errorf("%s: %q, want %q", by, got, tt.want)
				}
			}
		})
	}
}

func TestWhatDoesNotExistIsAWarningAtAReload(t *testing.T) {
	r := &running{Log: &logs{}, Plugins: []plugins.Plugin{wanting()}}
	r.start(t, wanted("tester", "gpt-4"), "http://127.0.0.1:1/v1")
	r.write(t, wanted("ada", "claude"), "http://127.0.0.1:1/v1")
	r.loaded(t, 1)
	for _, want := range []string{"plugins.wants: client: there is no ada among 1", "plugins.wants: model: nobody serves claude"} {
		if n := strings.Count(r.Log.All(), `"msg":"configuration","warning":"`+want+`"`); n != 1 {
			t.Errorf("%d warnings %q, want 1:\n%s", n, want, r.Log.All())
		}
	}
}
