package server

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/holysheep/relay/internal/credential"
	"github.com/holysheep/relay/internal/demo"
	"github.com/holysheep/relay/plugins"
	"github.com/holysheep/relay/plugins/auth"
	"github.com/holysheep/relay/plugins/cache"
	"github.com/holysheep/relay/plugins/limit"
	"github.com/holysheep/relay/plugins/retry"
)

// clientKey is the key of the client "tester" in every test.
const clientKey = "sk-hs-test-client-key-of-the-tests-0123456789abcdef"

// A running is a relay at work in front of a demo upstream.
type running struct {
	*Server
	URL      string // of the API, without /v1
	AdminURL string
	Config   string // the file's path
	Log      *logs
	Demo     *demo.Server
	Stop     func() error // tells it to stop and waits; may be called twice

	Environ []string         // what the environment holds beside UPSTREAM_KEY
	Plugins []plugins.Plugin // that the binary has beside its own
}

// start runs a relay with the configuration, in which UPSTREAM stands for the
// demo upstream's base URL and HASH for the hash of clientKey. Listeners and
// upstream are added if the configuration names none. It is stopped with the
// test.
func start(t testing.TB, config string) *running {
	t.Helper()
	r := &running{Demo: demo.New(demo.Options{}), Log: &logs{}}
	up := httptest.NewServer(r.Demo)
	t.Cleanup(up.Close)
	return r.start(t, config, up.URL+"/v1")
}

// start does the same in front of any upstream. A file that r names already is
// taken as it is.
func (r *running) start(t testing.TB, config, upstream string) *running {
	t.Helper()
	if r.Config == "" {
		r.Config = filepath.Join(t.TempDir(), "relay.yaml")
		r.write(t, config, upstream)
	}
	s, err := New(Options{
		Plugins: append(builtin(), r.Plugins...), Path: r.Config, Log: r.Log, Version: "test",
		Environ: append([]string{"UPSTREAM_KEY=" + upstreamKey}, r.Environ...),
	})
	if err != nil {
		t.Fatalf("configuration: %v", err)
	}
	api, admin, err := s.Listen()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	r.Server, r.URL, r.AdminURL = s, "http://"+api.String(), "http://"+admin.String()
	r.Stop = sync.OnceValue(func() error { cancel(); return <-done })
	t.Cleanup(func() {
		if err := r.Stop(); err != nil {
			t.Errorf("stop: %v", err)
		}
	})
	return r
}

// upstreamKey is what api_key_env: UPSTREAM_KEY gives.
const upstreamKey = "sk-upstream-canary-0123456789abcdefghijklmnop"

// write replaces the configuration's file, as an editor does: by a rename.
func (r *running) write(t testing.TB, config, upstream string) {
	t.Helper()
	replaceFile(t, r.Config, complete(config, upstream))
}

// replaceFile puts text in place of what the file holds, by a rename.
func replaceFile(t testing.TB, path, text string) {
	t.Helper()
	if err := os.WriteFile(path+".new", []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(path+".new", path); err != nil {
		t.Fatal(err)
	}
}

// complete returns the configuration with what it does not say and a test
// needs, and with what stands for the upstream and the hash.
func complete(config, upstream string) string {
	for key, line := range map[string]string{
		"listen:": "listen: 127.0.0.1:0\n", "admin:": "admin: 127.0.0.1:0\n",
		"drain_delay:": "drain_delay: 0s\n",
		"upstreams:":   "upstreams: {demo: {base_url: UPSTREAM, api_key_env: UPSTREAM_KEY}}\n",
	} {
		if !strings.Contains("\n"+config, "\n"+key) {
			config += "\n" + line
		}
	}
	return strings.NewReplacer("UPSTREAM_KEY", "UPSTREAM_KEY", "UPSTREAM", upstream, "HASH", credential.Hash(clientKey)).Replace(config)
}

// builtin are the plugins of the real binary.
func builtin() []plugins.Plugin {
	return []plugins.Plugin{auth.Plugin, cache.Plugin, limit.Plugin, retry.Plugin}
}

// whole is a configuration with every plugin.
const whole = `
chain: [auth, limit, cache, retry]
plugins:
  auth: {clients: {tester: {group: testers, keys: {one: {sha256: HASH}}}}}
`

// request returns a request of the tester.
func (r *running) request(t testing.TB, method, path, body string) *http.Request {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, r.URL+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+clientKey)
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	return req
}

// do sends req and reads the whole answer.
func do(t testing.TB, req *http.Request) (*http.Response, string) {
	t.Helper()
	res, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatalf("reading the answer: %v", err)
	}
	return res, string(body)
}

// errorCode returns the code of an error in OpenAI's form, "" if body is none.
func errorCode(body string) string {
	var e struct {
		Error struct{ Message, Type, Code string }
	}
	if json.Unmarshal([]byte(body), &e) != nil || e.Error.Message == "" || e.Error.Type == "" {
		return ""
	}
	return e.Error.Code
}

// metric returns the sum of a metric's values over all of its series whose
// labels hold the given ones, such as "status", "200".
func (r *running) metric(t testing.TB, name string, labels ...string) (sum float64) {
	t.Helper()
	families, err := r.Gather().Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() != name {
			continue
		}
		for _, m := range f.GetMetric() {
			have := prometheus.Labels{}
			for _, l := range m.GetLabel() {
				have[l.GetName()] = l.GetValue()
			}
			fits := true
			for i := 0; i < len(labels); i += 2 {
				fits = fits && have[labels[i]] == labels[i+1]
			}
			if fits {
				sum += m.GetCounter().GetValue() + m.GetGauge().GetValue() + float64(m.GetHistogram().GetSampleCount())
			}
		}
	}
	return sum
}

// logs keep what a server logs.
type logs struct {
	mu      sync.Mutex
	lines   []string
	changed chan struct{}
}

// Write implements [io.Writer]: slog writes one line at a time.
func (l *logs) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lines = append(l.lines, string(p))
	if l.changed != nil {
		close(l.changed)
		l.changed = nil
	}
	return len(p), nil
}

// All returns everything that was logged.
func (l *logs) All() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Join(l.lines, "")
}

// Wait waits for the first line that fits and returns its fields. Lines before
// the from-th do not count.
func (l *logs) Wait(t testing.TB, fits func(line map[string]any) bool) map[string]any {
	t.Helper()
	deadline := time.After(time.Minute)
	for {
		l.mu.Lock()
		for _, line := range l.lines {
			var fields map[string]any
			if json.Unmarshal([]byte(line), &fields) == nil && fits(fields) {
				l.mu.Unlock()
				return fields
			}
		}
		if l.changed == nil {
			l.changed = make(chan struct{})
		}
		changed := l.changed
		l.mu.Unlock()
		select {
		case <-changed:
		case <-deadline:
			t.Fatalf("no such line was logged:\n%s", l.All())
		}
	}
}

// access waits for the access line of the request with the given id.
func (l *logs) access(t testing.TB, id string) map[string]any {
	t.Helper()
	return l.Wait(t, func(line map[string]any) bool {
		return line[slog.MessageKey] == "request" && line["request_id"] == id
	})
}
