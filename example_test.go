package main

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/holysheep/relay/internal/credential"
	"github.com/holysheep/relay/internal/schema"
	"github.com/holysheep/relay/server/config"
)

// teamFile is the example of a whole configuration.
const teamFile = "examples/team.yaml"

// teamEnviron returns the environment that the example's first lines make, and
// what stands in for the team's Redis and its file of keys.
func teamEnviron(t *testing.T) []string {
	t.Helper()
	keys := filepath.Join(t.TempDir(), "keys.yaml")
	text := "clients:\n"
	made := regexp.MustCompile(`relay key --into keys.yaml --group (\S+) (\S+)`).FindAllStringSubmatch(read(t, teamFile), -1)
	for _, m := range made {
		text += fmt.Sprintf("  %s: {group: %s, keys: {one: {sha256: %s}}}\n", m[2], m[1], credential.Hash("key of "+m[2]))
	}
	if err := os.WriteFile(keys, []byte(text), 0o600); err != nil || len(made) == 0 {
		t.Fatalf("%d clients, %v", len(made), err)
	}
	environ := []string{"RELAY_PLUGINS__AUTH__KEYS_FILE=" + keys, "RELAY_REDIS__ADDRESSES=127.0.0.1:1"}
	for _, m := range regexp.MustCompile(`([A-Z_]+)=…`).FindAllStringSubmatch(read(t, teamFile), -1) {
		environ = append(environ, m[1]+"=secret")
	}
	return environ
}

// TestTheExampleOfATeamStartsARelay: it names no client, model or variable that
// does not exist.
func TestTheExampleOfATeamStartsARelay(t *testing.T) {
	ready(t, newServer(t, read(t, teamFile), teamEnviron(t)...))
}

func TestTheExampleOfATeamHasWhatItIsFor(t *testing.T) {
	loaded, err := config.Load(config.Source{Path: teamFile, Environ: teamEnviron(t)}, schema.Plugins())
	if err != nil {
		t.Fatal(err)
	}
	if len(loaded.Warnings) > 0 {
		t.Errorf("warnings: %q", loaded.Warnings)
	}
	var b strings.Builder
	if err := loaded.Explain(&b); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"share what plugins keep in Redis", "beyond which 50 in each replica wait", "20.00 US dollars in a day", "for the client nightly: ",
		"for the group research: ", "It only counts and reports", "nothing passes monthly", "text-embedding-*", "admin_token_env: ADMIN_TOKEN", "keys_file: ",
	} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("explain of the example lacks %q:\n%s", want, b.String())
		}
	}
}
