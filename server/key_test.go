package server

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/holysheep/relay/internal/credential"
)

// handmade is a file of keys as people write it: with comments, and with a date
// as a name.
func handmade() string {
	return "# who may ask\nclients:\n  team-a: # the first\n    keys:\n      2025-01-01: {sha256: " + credential.Hash(clientKey) + "} # Ann's\n"
}

func TestKeyAddsToAFileAsPeopleWriteIt(t *testing.T) {
	tests := []struct {
		name, text string
		args       []string
		want       []string // in what is written, in this order
	}{
		{"comments and dates", handmade(), []string{"--id", "2026-12-01", "team-a"}, []string{
			"# who may ask", "team-a: # the first", "2025-01-01: {sha256: " + credential.Hash(clientKey) + "} # Ann's", "2026-12-01\":", "sha256: ",
		}},
		{"another client", handmade(), []string{"--group", "g", "team-b"}, []string{"# Ann's", "team-b:", "group: g", "keys:"}},
		{"an empty file", "", []string{"team-b"}, []string{"clients:", "team-b:"}},
		{"comments alone", "# who may ask\n", []string{"team-b"}, []string{"# who may ask", "clients:", "team-b:"}},
		{"null", "null\n", []string{"team-b"}, []string{"clients:", "team-b:"}},
		{"no clients yet", "clients:\n", []string{"team-b"}, []string{"clients:", "team-b:"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "keys.yaml")
			if err := os.WriteFile(path, []byte(tt.text), 0o640); err != nil {
				t.Fatal(err)
			}
			var s shell
			if err := s.process(append([]string{"key", "--into", path}, tt.args...)...).run(t.Context()); err != nil {
				t.Fatal(err)
			}
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			rest := string(text)
			for _, want := range tt.want {
				_, after, found := strings.Cut(rest, want)
				if !found {
					t.Fatalf("the file lacks %q in its place:\n%s", want, text)
				}
				rest = after
			}
			if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o640 {
				t.Errorf("mode %v, %v; want that of the old file", info.Mode(), err)
			}
			start(t, "plugins: {auth: {keys_file: "+path+"}}\n")
		})
	}
}

// TestKeyLeavesALiveFileAlone: a relay that follows the file would refuse what
// is wrong, and every later change with it.
func TestKeyLeavesALiveFileAlone(t *testing.T) {
	canary := credential.Prefix + strings.Repeat("CANARY0", 7)
	tests := []struct {
		name, text string
		args       []string
		want       string
	}{
		{"a name that auth refuses", handmade(), []string{"a b"}, "relay: key: clients.a b: a name has 1 to 63 letters"},
		{"a key as a name", handmade(), []string{canary}, "relay: key: clients.***: begins with sk-"},
		{"an id that auth refuses", handmade(), []string{"--id", "a/b", "team-a"}, "relay: key: clients.team-a.keys.a/b: a name has 1 to 63 letters"},
		{"a group that auth refuses", handmade(), []string{"--group", "a/b", "team-a"}, "relay: key: clients.team-a.group: a name has 1 to 63 letters"},
		{"a glob that is none", handmade(), []string{"--model", "gpt-[45]", "team-a"}, "models: \"gpt-[45]\" is not a glob"},
		{"an id twice", handmade(), []string{"--id", "2025-01-01", "team-a"}, `relay: key: the client "team-a" has a key named "2025-01-01" already`},
		{"no time left", handmade(), []string{"--expires", "-1h", "team-a"}, "relay: key: expires: -1h0m0s is not above 0s"},
		{"a file that was refused before", "clients: {a: {keys: {k: {sha256: SECRET}}}}\n", []string{"team-a"}, "relay: key: clients.a.keys.k.sha256: not 64 hexadecimal digits"},
		{"a file that is no YAML", "clients: {SECRET", []string{"team-a"}, "is not YAML"},
		{"two documents", "clients: {}\n---\nclients: {}\n", []string{"team-a"}, "holds more than one document"},
		{"a text", "SECRET\n", []string{"team-a"}, "is not a map of clients"},
		{"a whole configuration", "listen: \":8080\"\nclients: {}\n", []string{"team-a"}, "relay.yaml is not a file of keys: name the one in plugins.auth.keys_file, or leave --into out and paste what is printed\n"},
		{"plugins alone", "plugins: {auth: {keys_file: SECRET}}\n", []string{"team-a"}, "is not a file of keys"},
		{"a word misspelt", "clientz: {}\n", []string{"team-a"}, "relay: key: clientz: unknown key"},
		{"a list of clients", "clients: [SECRET]\n", []string{"team-a"}, `"clients" is not a map`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			path, text := filepath.Join(t.TempDir(), "relay.yaml"), strings.ReplaceAll(tt.text, "SECRET", canary)
			replaceFile(t, path, text)
			var s shell
			err := s.process(append([]string{"key", "--into", path}, tt.args...)...).run(t.Context())
			if err == nil || !strings.Contains(s.err.All(), tt.want) || strings.Contains(s.err.All(), "CANARY") {
				t.Errorf("standard error %q, want %q in it and no key", s.err.All(), tt.want)
			}
			if got, err := os.ReadFile(path); err != nil || string(got) != text {
				t.Errorf("the file holds %q, %v; want it as it was", got, err)
			}
			if left, _ := filepath.Glob(path + "?*"); len(left) > 0 {
				t.Errorf("%q is left behind", left)
			}
		})
	}
}
