package charttests

import (
	"context"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/holysheep/relay/server"
)

// newRelay builds the relay that a pod runs: its configuration, its environment
// and its Secret, with a folder of the test's own in place of the mounts.
func newRelay(t *testing.T, values string, environ ...string) (*server.Server, error) {
	t.Helper()
	dir := t.TempDir()
	text := configFile(t, values)
	if err := os.Mkdir(filepath.Join(dir, "secrets"), 0o700); err != nil {
		t.Fatal(err)
	}
	files := map[string]string{"relay.yaml": strings.ReplaceAll(text, configDir, dir)}
	for _, name := range secretFiles(text) {
		files["secrets/"+name] = "sk-upstream"
	}
	files["secrets/client-keys.yaml"] = "clients: {alice: {keys: {first: {sha256: " + strings.Repeat("a", 64) + "}}}}"
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, v := range container(t, values).Env {
		environ = append(environ, v.Name+"="+valueOf(v))
	}
	return server.New(server.Options{
		Plugins: known(),
		Path:    filepath.Join(dir, "relay.yaml"),
		Environ: environ,
		Log:     io.Discard,
	})
}

// TestRelayStarts runs the relay of a pod and asks it what the kubelet and
// Prometheus ask.
func TestRelayStarts(t *testing.T) {
	for _, file := range valuesFiles() {
		t.Run(file, func(t *testing.T) {
			values := readFile(t, "testdata/"+file)
			relay, err := newRelay(t, values, "RELAY_LISTEN=127.0.0.1:0", "RELAY_ADMIN=127.0.0.1:0", "RELAY_DRAIN_DELAY=0s")
			if err != nil {
				t.Fatal(err)
			}
			api, admin, err := relay.Listen()
			if err != nil {
				t.Fatal(err)
			}
			ctx, stop := context.WithCancel(t.Context())
			done := make(chan error, 1)
			go func() { done <- relay.Run(ctx) }()
			c := container(t, values)
			checkAnswer(t, "http://"+api.String()+c.LivenessProbe.HTTPGet.Path)
			checkAnswer(t, "http://"+api.String()+c.ReadinessProbe.HTTPGet.Path)
			checkAnswer(t, "http://"+admin.String()+"/metrics")
			stop()
			if err := <-done; err != nil {
				t.Error(err)
			}
		})
	}
}

// checkAnswer fails the test where the address does not answer 200.
func checkAnswer(t *testing.T, address string) {
	t.Helper()
	res, err := http.Get(address)
	if err != nil {
		t.Fatal(err)
	}
	_ = res.Body.Close()
	if res.StatusCode != http.StatusOK {
		t.Errorf("%s answers %s", address, res.Status)
	}
}

func TestRelayIsNotOpenToAll(t *testing.T) {
	relay, err := newRelay(t, "config: {chain: [limit]}")
	if err == nil {
		_ = relay.Discard()
		t.Fatal("the relay takes anyone without allow_anonymous")
	}
	if want := "allow_anonymous"; !strings.Contains(err.Error(), want) {
		t.Errorf("error = %v, want %q in it", err, want)
	}
}
