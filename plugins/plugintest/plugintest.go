// Package plugintest helps to test a plugin as a value, without a server: an
// [Env] to build it in, requests to send through it, and upstreams that answer
// as told.
package plugintest

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/holysheep/relay/plugins"
)

// Env returns an environment that logs to the test, reads real files and keeps
// state for as long as the test runs. The clock is time.Now, which stands
// still inside testing/synctest. Environment variables come from environ.
func Env(t testing.TB, environ map[string]string) plugins.Env {
	t.Helper()
	environ = maps.Clone(environ)
	return plugins.Env{
		Log:     slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelDebug})),
		Metrics: prometheus.NewRegistry(),
		Now:     time.Now,
		LookupEnv: func(name string) (string, bool) {
			v, ok := environ[name]
			return v, ok
		},
		ReadFile: os.ReadFile,
		Keep:     Keeper(),
	}
}

// Keeper returns a Keep that never frees. Two Envs that share one are two
// generations of one configuration.
func Keeper() func(key string, create func() (any, error)) (any, error) {
	var mu sync.Mutex
	kept := map[string]any{}
	return func(key string, create func() (any, error)) (any, error) {
		mu.Lock()
		defer mu.Unlock()
		if v, ok := kept[key]; ok {
			return v, nil
		}
		v, err := create()
		if err == nil {
			kept[key] = v
		}
		return v, err
	}
}

// Link builds plugin in env with its defaults and, over them, what change does
// to them, starts it, and closes it when the test ends. It fails the test on
// settings that are not valid.
func Link[S plugins.Settings](t testing.TB, plugin plugins.Plugin, env plugins.Env, change func(*S)) plugins.Link {
	t.Helper()
	s, err := plugin.Decode(func(v any) error {
		if change != nil {
			change(v.(*S))
		}
		return nil
	})
	if err == nil {
		err = s.Validate()
	}
	if err != nil {
		t.Fatalf("settings of %s: %v", plugin.Name(), err)
	}
	link, err := plugin.Build(s, env)
	if err != nil {
		t.Fatalf("building %s: %v", plugin.Name(), err)
	}
	if link.Start != nil {
		link.Start()
	}
	if link.Close != nil {
		t.Cleanup(func() {
			// The test's own context has ended by now.
			if err := link.Close(context.WithoutCancel(t.Context())); err != nil {
				t.Errorf("closing %s: %v", plugin.Name(), err)
			}
		})
	}
	return link
}

// Request returns a POST of a JSON body to /v1/chat/completions, as the chain
// sees it: without a host, with a body that can be read again and a
// [plugins.Call] that knows what is asked. Change it as the test needs.
func Request(t testing.TB, body string) *http.Request {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "/v1/chat/completions", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	call := plugins.NewCall("req-test", func() plugins.Ask { return plugins.ReadAsk(req, []byte(body), true) })
	return req.WithContext(plugins.WithCall(req.Context(), call))
}

// Client returns req as sent by the named client.
func Client(req *http.Request, name string) *http.Request {
	old := plugins.CallOf(req.Context())
	call := plugins.NewCall(old.ID, old.Ask)
	call.SetClient(plugins.Client{Name: name})
	return req.WithContext(plugins.WithCall(req.Context(), call))
}

// A RoundTripFunc is an upstream as a function.
type RoundTripFunc func(*http.Request) (*http.Response, error)

// RoundTrip implements [http.RoundTripper].
func (f RoundTripFunc) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }

// An Upstream answers one request after the other with the answers it was made
// of, the last one again and again, and counts.
type Upstream struct {
	mu      sync.Mutex
	answers []func(*http.Request) (*http.Response, error)
	asked   int
	bodies  []string
}

// Answers returns an upstream that answers with the statuses, one after the
// other, and a JSON body that counts the requests: {"n":1}, then {"n":2}.
func Answers(statuses ...int) *Upstream {
	u := &Upstream{}
	for _, status := range statuses {
		u.Then(func(req *http.Request) (*http.Response, error) {
			return Response(req, status, `{"n":`+strconv.Itoa(u.Asked())+`}`), nil
		})
	}
	return u
}

// Then adds an answer.
func (u *Upstream) Then(answer func(*http.Request) (*http.Response, error)) *Upstream {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.answers = append(u.answers, answer) //nolint:bodyclose // it is called later
	return u
}

// RoundTrip implements [http.RoundTripper]: it reads the body and answers.
func (u *Upstream) RoundTrip(req *http.Request) (*http.Response, error) {
	var body []byte
	if req.Body != nil {
		var err error
		body, err = io.ReadAll(req.Body)
		_ = req.Body.Close()
		if err != nil {
			return nil, err
		}
	}
	u.mu.Lock()
	answer := u.answers[min(u.asked, len(u.answers)-1)]
	u.asked++
	u.bodies = append(u.bodies, string(body))
	u.mu.Unlock()
	return answer(req)
}

// Asked returns how many requests arrived.
func (u *Upstream) Asked() int {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.asked
}

// Bodies returns the bodies that arrived, in order.
func (u *Upstream) Bodies() []string {
	u.mu.Lock()
	defer u.mu.Unlock()
	return append([]string(nil), u.bodies...)
}

// Response returns a JSON answer to req with a body of known length.
func Response(req *http.Request, status int, body string) *http.Response {
	return &http.Response{
		Status:        strconv.Itoa(status) + " " + http.StatusText(status),
		StatusCode:    status,
		Proto:         "HTTP/1.1",
		ProtoMajor:    1,
		ProtoMinor:    1,
		Header:        http.Header{"Content-Type": {"application/json"}, "Content-Length": {strconv.Itoa(len(body))}},
		Body:          io.NopCloser(bytes.NewReader([]byte(body))),
		ContentLength: int64(len(body)),
		Request:       req,
	}
}
