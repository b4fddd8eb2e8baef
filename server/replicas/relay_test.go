package replicas

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/holysheep/relay/internal/credential"
	"github.com/holysheep/relay/server"
)

// clients are who asks in the tests. The key of each is its name behind "sk-".
var clients = []string{"ada", "bob", "cy", "dee"}

// A relay is one replica at work.
type relay struct {
	url, admin string
	log        *lines
	process    *os.Process // nil if it runs in this process
}

// configure writes a configuration with the given settings of limit, indented
// by two, in front of the upstream.
func configure(t testing.TB, redis, upstream, limits string) (path string) {
	t.Helper()
	text := "listen: 127.0.0.1:0\nadmin: 127.0.0.1:0\ndrain_delay: 0s\nchain: [auth, limit, retry]\nlog: {access: false}\n" + prices
	if redis != "" {
		text += redis + "\n"
	}
	text += "upstreams: {up: {base_url: \"" + upstream + "/v1\"}}\nplugins:\n  auth:\n    clients:\n"
	for _, name := range clients {
		text += "      " + name + ": {group: all, keys: {one: {sha256: " + credential.Hash(key(name)) + "}}}\n"
	}
	text += "  limit:\n    max_in_flight: 0\n" + limits
	path = filepath.Join(t.TempDir(), "relay.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// key is the key of a client.
func key(client string) string { return "sk-hs-" + client + strings.Repeat("-0123456789", 4) }

// spawn starts n relays as processes of their own.
func spawn(t testing.TB, n int, config string) []*relay {
	t.Helper()
	all := make([]*relay, n)
	for i := range all {
		all[i] = spawnOne(t, config)
	}
	return all
}

func spawnOne(t testing.TB, config string) *relay {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self, "serve", "--config", config)
	cmd.Env = append(os.Environ(), asRelay+"=1")
	r := &relay{log: &lines{found: make(chan string, 1)}}
	cmd.Stderr = r.log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	r.process = cmd.Process
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGCONT)
		_ = cmd.Process.Signal(syscall.SIGTERM)
		if err := cmd.Wait(); err != nil && cmd.ProcessState.ExitCode() > 0 {
			t.Errorf("the relay ended with %v:\n%s", err, r.log.all())
		}
	})
	r.listening(t)
	return r
}

// run starts one relay in this process, whose clock is off by skew.
func run(t testing.TB, config string, skew time.Duration) *relay {
	t.Helper()
	r := &relay{log: &lines{found: make(chan string, 1)}}
	s, err := server.New(server.Options{
		Plugins: builtin(), Path: config, Log: r.log, Version: "test",
		Now: func() time.Time { return time.Now().Add(skew) },
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("stop: %v", err)
		}
	})
	r.listening(t)
	return r
}

// listening waits until the relay has said where it listens.
func (r *relay) listening(t testing.TB) {
	t.Helper()
	select {
	case line := <-r.log.found:
		var at struct{ API, Admin string }
		if err := json.Unmarshal([]byte(line), &at); err != nil {
			t.Fatal(err)
		}
		r.url, r.admin = "http://"+at.API, "http://"+at.Admin
	case <-time.After(30 * time.Second):
		t.Fatalf("the relay does not listen:\n%s", r.log.all())
	}
}

// lines is a log that tells where the relay listens.
type lines struct {
	mu    sync.Mutex
	text  strings.Builder
	found chan string
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	_, _ = l.text.Write(p)
	for s := bufio.NewScanner(strings.NewReader(string(p))); s.Scan(); {
		if strings.Contains(s.Text(), `"msg":"listening"`) {
			l.found <- s.Text()
		}
	}
	return len(p), nil
}

func (l *lines) all() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

var _ io.Writer = (*lines)(nil)
