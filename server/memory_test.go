package server

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"
)

// A memory is a network of one process: what is dialed by a name reaches the
// listener of that name. Inside testing/synctest it lets time stand still while
// something is under way, which sockets do not.
type memory struct {
	mu        sync.Mutex
	listeners map[string]*memoryListener
}

type memoryListener struct {
	name  string
	conns chan net.Conn
	done  chan struct{}
	once  sync.Once
}

// listen returns the listener of a name such as "up:80".
func (m *memory) listen(name string) *memoryListener {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.listeners == nil {
		m.listeners = map[string]*memoryListener{}
	}
	l := &memoryListener{name: name, conns: make(chan net.Conn), done: make(chan struct{})}
	m.listeners[name] = l
	return l
}

// dial connects to the listener of the name, or is refused.
func (m *memory) dial(ctx context.Context, _, name string) (net.Conn, error) {
	m.mu.Lock()
	l := m.listeners[name]
	m.mu.Unlock()
	refused := &net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNREFUSED}
	if l == nil {
		return nil, refused
	}
	ours, theirs := net.Pipe()
	select {
	case l.conns <- theirs:
		return ours, nil
	case <-l.done:
		return nil, refused
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// Accept implements [net.Listener].
func (l *memoryListener) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.done:
		return nil, net.ErrClosed
	}
}

// Close implements [net.Listener].
func (l *memoryListener) Close() error {
	l.once.Do(func() { close(l.done) })
	return nil
}

// Addr implements [net.Listener].
func (l *memoryListener) Addr() net.Addr { return memoryAddr(l.name) }

type memoryAddr string

func (memoryAddr) Network() string  { return "tcp" }
func (a memoryAddr) String() string { return string(a) }

// A bubble is a relay in memory, with upstreams in memory, for synctest.
type bubble struct {
	*Server
	memory
	Log    *logs
	client *http.Client
}

// inMemory runs a relay with the configuration in front of the upstreams, by
// name: http://NAME/v1 is where each is reached. It has to be called inside of
// a synctest bubble, and stop before that ends.
func inMemory(t *testing.T, config string, ups map[string]http.Handler) (b *bubble, stop func()) {
	t.Helper()
	b = &bubble{Log: &logs{}}
	var servers []*http.Server
	serve := func(name string, h http.Handler) {
		s := &http.Server{Handler: h, ReadHeaderTimeout: time.Minute}
		servers = append(servers, s)
		l := b.listen(name + ":80")
		go func() { _ = s.Serve(l) }()
	}
	for name, h := range ups {
		serve(name, h)
	}
	s, err := New(Options{
		Plugins: builtin(), Base: parseYAML(t, complete(config, "http://one/v1")), Log: b.Log, Version: "test",
		Environ: []string{"UPSTREAM_KEY=" + upstreamKey}, dial: b.dial, poll: true,
	})
	if err != nil {
		t.Fatalf("configuration: %v", err)
	}
	b.Server = s
	s.listeners.api, s.listeners.admin = b.listen("relay:80"), b.listen("admin:80")
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	transport := &http.Transport{DialContext: b.dial, DisableCompression: true}
	b.client = &http.Client{Transport: transport}
	return b, func() {
		transport.CloseIdleConnections()
		cancel()
		if err := <-done; err != nil {
			t.Errorf("stop: %v", err)
		}
		for _, s := range servers {
			_ = s.Close()
		}
	}
}

// ask sends a JSON body to a path of the relay and returns the answer, with its
// body as far as it came and why that ended.
func (b *bubble) ask(t *testing.T, path, body string, header ...string) (res *http.Response, text string, broke error) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://relay"+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	res, err = b.client.Do(req)
	if err != nil {
		return nil, "", err
	}
	defer func() { _ = res.Body.Close() }()
	all, err := io.ReadAll(bufio.NewReader(res.Body))
	return res, string(all), err
}

// parseYAML returns a configuration as a layer of it.
func parseYAML(t *testing.T, text string) (m map[string]any) {
	t.Helper()
	if err := yaml.Unmarshal([]byte(text), &m); err != nil {
		t.Fatal(err)
	}
	return m
}
