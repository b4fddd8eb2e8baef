package auth_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/holysheep/relay/internal/credential"
	"github.com/holysheep/relay/plugins"
	"github.com/holysheep/relay/plugins/auth"
	"github.com/holysheep/relay/plugins/plugintest"
)

// one is YAML of one client with one key, which is "sk-hs-" and its name.
func one(name string) string {
	return "clients: {" + name + ": {keys: {k: {sha256: " + credential.Hash("sk-hs-"+name) + "}}}}"
}

func write(t *testing.T, text string) (path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "keys.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestNewMergesItsSources(t *testing.T) {
	file := write(t, one("a"))
	l := plugintest.Link(t, auth.Plugin, plugintest.Env(t, map[string]string{"CLIENTS": one("b")}), func(s *auth.Settings) {
		s.KeysFile, s.KeysEnv = file, "CLIENTS"
	})
	for _, name := range []string{"a", "b"} {
		req := plugintest.Request(t, `{}`)
		req.Header.Set("Authorization", "Bearer sk-hs-"+name)
		if client, err := serve(l, req); err != nil || client.Name != name {
			t.Errorf("client = %v, %v; want %s", client, err, name)
		}
	}
}

func TestNewRefuses(t *testing.T) {
	same := "clients: {b: {keys: {x: {sha256: " + credential.Hash("sk-hs-a") + "}}}}"
	tests := []struct {
		name, env, file string
		want            string
	}{
		{name: "no clients", want: "clients: there is none: name clients here, in keys_file or in keys_env, or take auth out of the chain"},
		{name: "no clients in one of two sources", env: one("a"), file: "clients:", want: "keys_file: FILE: clients: there is none"},
		{name: "a client in two sources", env: one("a"), file: one("a"), want: "keys_env: clients.a: stands in keys_file too: keep one"},
		{name: "a key of two clients", env: one("a"), file: same, want: "clients.b.keys.x.sha256: the same key as clients.a.keys.k"},
		{name: "two bad sources", env: "a: 1", file: "b: 1", want: "keys_file: FILE: b: unknown key\nkeys_env: a: unknown key"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var s auth.Settings
			if tt.env != "" {
				s.KeysEnv = "CLIENTS"
			}
			if tt.file != "" {
				s.KeysFile = write(t, tt.file)
			}
			_, err := auth.New(s, plugintest.Env(t, map[string]string{"CLIENTS": tt.env}))
			want := strings.ReplaceAll(tt.want, "FILE", s.KeysFile)
			if err == nil || err.Error() != want {
				t.Errorf("err = %v\nwant  %s", err, want)
			}
		})
	}
}

func TestNewNamesASourceThatCannotBeRead(t *testing.T) {
	_, err := auth.New(auth.Settings{KeysFile: "missing.yaml", KeysEnv: "NONE"}, plugintest.Env(t, nil))
	want := "keys_file: open missing.yaml: no such file or directory\nkeys_env: NONE is not set"
	if err == nil || err.Error() != want {
		t.Errorf("err = %v\nwant  %s", err, want)
	}
}

func TestClientsAreThoseOfAllSources(t *testing.T) {
	l := plugintest.Link(t, auth.Plugin, plugintest.Env(t, map[string]string{"CLIENTS": clients()}), func(s *auth.Settings) {
		s.KeysFile, s.KeysEnv = write(t, one("a")), "CLIENTS"
	})
	want := []plugins.Client{{Name: "a"}, {Name: "bound", Models: []string{"gpt-*", "openai/*"}}, {Name: "free", Group: "research"}, {Name: "gone"}}
	if diff := cmp.Diff(want, l.Clients()); diff != "" {
		t.Error(diff)
	}
}
