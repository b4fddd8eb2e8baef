package config_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/holysheep/relay/server/config"
)

var update = flag.Bool("update", false, "write the golden files anew")

// explain returns what Explain writes.
func explain(t *testing.T, l *config.Loaded) string {
	t.Helper()
	var b bytes.Buffer
	if err := l.Explain(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestExplainIsGolden(t *testing.T) {
	loaded, err := config.Load(config.Source{
		Path:     "relay.yaml",
		ReadFile: func(string) ([]byte, error) { return os.ReadFile("testdata/whole.good.yaml") },
		Environ:  []string{"RELAY_LISTEN=:8081", "UPSTREAM_RETRY_LIMIT=3", "RELAY_PLUGINS__LIMIT__RULES={b: {}}"},
		Base:     map[string]any{"plugins": map[string]any{"auth": map[string]any{"keys_env": "KEYS"}}},
	}, known())
	if err != nil {
		t.Fatal(err)
	}
	got := explain(t, loaded)
	const golden = "testdata/explain.golden.yaml"
	if *update {
		if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("what Explain writes (-want +got):\n%s\nrun with -update if this is meant", diff)
	}
}

// TestExplainLoadsAgain holds Explain to the form of the file: loaded again
// without an environment, it is the same configuration.
func TestExplainLoadsAgain(t *testing.T) {
	for name := range fixtures(t, "*.good.yaml") {
		loaded, err := loadFixture(name)
		if err != nil {
			t.Fatal(err)
		}
		want := explain(t, loaded)
		// A hash is shown in part; no setting of the test's reads it.
		again, err := load(want)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if diff := cmp.Diff(loaded.Tree(), again.Tree()); diff != "" {
			t.Errorf("%s, loaded again (-want +got):\n%s", name, diff)
		}
	}
}

func TestExplainSaysTheWay(t *testing.T) {
	tests := []struct {
		name, file, want string
	}{
		{"a chain", minimal + "chain: [auth, retry]", "# A request goes through auth, then retry, then to an upstream; the answer comes back the other way.\n"},
		{"no chain", minimal + "chain: []", "# A request goes straight to an upstream.\n"},
		{"a plugin outside", minimal + "chain: []\nplugins: {cache: {}}", "  # cache is not in the chain.\n  cache:\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := explain(t, mustLoad(t, tt.file)); !strings.Contains(got, tt.want) {
				t.Errorf("Explain lacks %q:\n%s", tt.want, got)
			}
		})
	}
}

func TestSecretsAreNotShown(t *testing.T) {
	hash := strings.Repeat("0123456789abcdef", 4)
	loaded := mustLoad(t, "upstreams: {one: {base_url: \"https://a.example/sk-live-canary123456/v1\", models: [sk-canary]}}\n"+
		"plugins: {auth: {token: canary-token, clients: {a: {sha256: "+hash+"}}}}",
		"HOLYSHEEP_API_KEY=sk-canary", "REDIS_PASSWORD=canary")
	tree, err := json.Marshal(loaded.Tree())
	if err != nil {
		t.Fatal(err)
	}
	for what, text := range map[string]string{"Explain": explain(t, loaded), "Tree": string(tree)} {
		if strings.Contains(text, "canary") || strings.Contains(text, hash) {
			t.Errorf("%s shows a secret or a whole hash:\n%s", what, text)
		}
		if !strings.Contains(text, "(hidden)") || !strings.Contains(text, hash[:12]+"…") {
			t.Errorf("%s does not say that something is hidden:\n%s", what, text)
		}
	}
}

func TestOrigins(t *testing.T) {
	loaded, err := config.Load(config.Source{
		Path:     "/etc/relay/relay.yaml",
		ReadFile: func(string) ([]byte, error) { return []byte(minimal + "log:\n  level: debug\n"), nil },
		Environ:  []string{"RELAY_LISTEN=:1", "REQUEST_TIMEOUT=3"},
		Base:     map[string]any{"admin": ":9191", "log": map[string]any{"level": "warn", "format": "text"}},
	}, known())
	if err != nil {
		t.Fatal(err)
	}
	for key, want := range map[string]config.Origin{
		"drain":           {Kind: config.Default},
		"admin":           {Kind: config.Preset},
		"log.format":      {Kind: config.Preset},
		"log.level":       {Kind: config.File, Name: "relay.yaml", Line: 3},
		"request_timeout": {Kind: config.Alias, Name: "REQUEST_TIMEOUT"},
		"listen":          {Kind: config.Environment, Name: "RELAY_LISTEN"},
	} {
		if got := loaded.Origin(key); got != want {
			t.Errorf("origin of %s = %+v, want %+v", key, got, want)
		}
	}
	if got := loaded.Config; got.Admin != ":9191" || got.Log.Format != "text" || got.Log.Level != "debug" {
		t.Errorf("layers are merged wrongly: %+v", got.Log)
	}
}
