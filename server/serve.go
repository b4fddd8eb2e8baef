package server

import (
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"time"

	"github.com/urfave/cli/v3"

	"github.com/holysheep/relay/internal/credential"
	"github.com/holysheep/relay/internal/demo"
	"github.com/holysheep/relay/server/upstream"
)

// serve runs the relay until ctx ends.
func (p process) serve(ctx context.Context, c *cli.Command) error {
	o := p.options(c)
	var key string
	if c.Bool("demo") {
		url, stop, err := startDemo()
		if err != nil {
			return err
		}
		defer stop()
		key = credential.New(rand.Reader)
		o.Base, o.Upstreams = demoLayer(url, key)
	}
	if err := noArguments(c); err != nil {
		return err
	}
	s, err := New(o)
	if err != nil {
		return err
	}
	api, _, err := s.Listen()
	if err != nil {
		return err
	}
	if key != "" {
		greet(p.stdout, reachable(api), key)
	}
	go p.reloads(ctx, s)
	return s.Run(ctx)
}

func (p process) options(c *cli.Command) Options {
	return Options{
		Plugins: p.plugins, Path: p.file(c), Environ: p.environ, Log: p.stderr, Version: build(),
	}
}

// reloads loads the configuration anew at every hangup.
func (p process) reloads(ctx context.Context, s *Server) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-p.hangup:
			_ = s.Reload() // logged there
		}
	}
}

// demoPace is the time between two events of the demo's streams, so that they
// are seen to stream.
const demoPace = 50 * time.Millisecond

// startDemo serves the demo upstream on a free port of this machine.
func startDemo() (url string, stop func(), err error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", nil, fmt.Errorf("demo upstream: %w", err)
	}
	server := &http.Server{Handler: demo.New(demo.Options{Pace: demoPace}), ReadHeaderTimeout: 10 * time.Second}
	go func() { _ = server.Serve(l) }() // ends with Close
	return "http://" + l.Addr().String() + "/v1", func() { _ = server.Close() }, nil
}

// demoLayer returns the configuration of a relay to the demo upstream for one
// client: reachable from this machine only, since anybody may read the key on
// its screen.
func demoLayer(url, key string) (base map[string]any, upstreams map[string]upstream.Settings) {
	s := upstream.Defaults()
	s.BaseURL = url
	return map[string]any{
		"listen":      "127.0.0.1:8080",
		"admin":       "127.0.0.1:9090",
		"drain_delay": "0s", // no load balancer has to notice
		"upstreams":   map[string]any{"demo": map[string]any{"base_url": url}},
		"plugins": map[string]any{"auth": map[string]any{"clients": map[string]any{
			"demo": map[string]any{"keys": map[string]any{"demo": map[string]any{"sha256": credential.Hash(key)}}},
		}}},
	}, map[string]upstream.Settings{"demo": s}
}

// reachable returns the address by which this machine reaches a listener: one on
// every address has none of its own that a client could be given.
func reachable(listener net.Addr) string {
	if a, ok := listener.(*net.TCPAddr); ok && a.IP.IsUnspecified() {
		return net.JoinHostPort("127.0.0.1", strconv.Itoa(a.Port))
	}
	return listener.String()
}

// greet tells how to ask the demo at the address api.
func greet(w io.Writer, api, key string) {
	ask := func(flags, body string) string {
		return fmt.Sprintf("  curl %shttp://%s/v1/chat/completions -H 'Authorization: Bearer %s' "+
			"-H 'Content-Type: application/json' -d '%s'\n", flags, api, key, body)
	}
	_, _ = fmt.Fprintf(w, "The relay is up, in front of a built-in demo upstream whose answers are made up.\n\n"+
		"  URL  http://%s/v1\n  key  %s\n\nAn answer, and a stream:\n\n%s\n%s\n", api, key,
		ask("", `{"model":"demo","messages":[{"role":"user","content":"Hello, sheep"}]}`),
		ask("-N ", `{"model":"demo","stream":true,"messages":[{"role":"user","content":"Count some sheep, please, one by one"}]}`))
}
