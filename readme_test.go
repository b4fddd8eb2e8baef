package main

import (
	"context"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil/promlint"

	"github.com/holysheep/relay/plugins"
	"github.com/holysheep/relay/plugins/auth"
	"github.com/holysheep/relay/plugins/cache"
	"github.com/holysheep/relay/plugins/limit"
	"github.com/holysheep/relay/plugins/retry"
	"github.com/holysheep/relay/server"
)

// pages are the READMEs whose YAML is a whole configuration.
func pages(t *testing.T) []string {
	t.Helper()
	found, err := filepath.Glob("plugins/*/README.md")
	if err != nil || len(found) < 4 {
		t.Fatalf("found %v, %v, want a README of every plugin", found, err)
	}
	return append(found, "README.md", "server/upstream/README.md")
}

func read(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// newServer returns a relay with the built-in plugins and the configuration,
// on free ports of this machine.
func newServer(t *testing.T, config string, environ ...string) *server.Server {
	t.Helper()
	file := filepath.Join(t.TempDir(), "relay.yaml")
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	s, err := server.New(server.Options{
		Plugins: []plugins.Plugin{auth.Plugin, cache.Plugin, limit.Plugin, retry.Plugin},
		Path:    file, Log: io.Discard,
		Environ: append([]string{
			"HOLYSHEEP_API_KEY=key", "RELAY_LISTEN=127.0.0.1:0", "RELAY_ADMIN=127.0.0.1:0", "RELAY_DRAIN_DELAY=0s",
		}, environ...),
	})
	if err != nil {
		t.Fatalf("%v\n%s", err, config)
	}
	return s
}

func TestEveryExampleStartsARelay(t *testing.T) {
	block := regexp.MustCompile("(?s)```yaml\n(.*?)```")
	for _, page := range pages(t) {
		t.Run(page, func(t *testing.T) {
			examples := block.FindAllStringSubmatch(read(t, page), -1)
			if len(examples) == 0 {
				t.Fatal("there is no example")
			}
			for _, example := range examples {
				ready(t, newServer(t, example[1]))
			}
		})
	}
}

func TestAnUpstreamAloneStartsARelay(t *testing.T) {
	s, err := server.New(server.Options{
		Plugins: []plugins.Plugin{auth.Plugin, cache.Plugin, limit.Plugin, retry.Plugin}, Log: io.Discard,
		Environ: []string{"BASE_URL=http://127.0.0.1:9/v1", "RELAY_LISTEN=127.0.0.1:0", "RELAY_ADMIN=127.0.0.1:0", "RELAY_DRAIN_DELAY=0s"},
	})
	if err != nil {
		t.Fatal(err)
	}
	ready(t, s)
}

// ready runs s until its /ready has answered.
func ready(t *testing.T, s *server.Server) {
	t.Helper()
	api, _, err := s.Listen()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	res, err := http.Get("http://" + api.String() + "/ready")
	if err != nil {
		t.Fatal(err)
	}
	_ = res.Body.Close()
	if res.StatusCode != http.StatusOK {
		t.Errorf("/ready answered %s", res.Status)
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func TestEveryMetricIsDocumentedAndWellNamed(t *testing.T) {
	var docs strings.Builder
	for _, page := range pages(t) {
		docs.WriteString(read(t, page))
	}
	s := newServer(t, "upstreams: {a: {base_url: http://127.0.0.1:9/v1}}\nchain: [limit, cache, retry]\n")
	defer func() { _ = s.Discard() }()
	families, err := prometheus.Gatherers{s.Gather()}.Gather()
	if err != nil {
		t.Fatal(err)
	}
	problems, err := promlint.NewWithMetricFamilies(families).Lint()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		t.Errorf("%s: %s", p.Metric, p.Text)
	}
	for _, f := range families {
		name := f.GetName()
		ours := strings.HasPrefix(name, "relay_") || strings.HasPrefix(name, "http_")
		if ours && !regexp.MustCompile("`"+name+"[`{]").MatchString(docs.String()) {
			t.Errorf("%s stands in no README", name)
		}
	}
}

func TestMetricsStandInMetricsFiles(t *testing.T) {
	name := regexp.MustCompile(`Name:\s+"((?:relay|http)_[a-z_]+)"|NewDesc\(\s*"((?:relay|http)_[a-z_]+)"`)
	for _, file := range sources(t) {
		if filepath.Base(file) == "metrics.go" || strings.HasSuffix(file, "_test.go") {
			continue
		}
		if m := name.FindStringSubmatch(read(t, file)); m != nil {
			t.Errorf("%s declares %s%s: move it to metrics.go, where a name from a dashboard is looked for", file, m[1], m[2])
		}
	}
}

func TestTheSchemaIsOneFileTwice(t *testing.T) {
	if read(t, "values.schema.json") != read(t, "charts/holysheep-relay/values.schema.json") {
		t.Error("values.schema.json and the chart's copy differ: run make generate")
	}
}
