package server

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/holysheep/relay/internal/demo"
	"github.com/holysheep/relay/plugins"
)

// A late upstream answers when it is told to, as the demo does, or as it is
// told, if a request's header X-Late says so: "answer", or "stream" for one that
// has begun.
type late struct {
	*demo.Server
	waiting chan struct{}    // gets one for each request that waits
	release chan struct{}    // closed when it may answer
	other   http.HandlerFunc // in place of the demo; may be nil
}

const oneEvent = `data: {"id":"x","object":"chat.completion.chunk","choices":[{"index":0,"delta":{"content":"baa"}}]}` + "\n\n"

// ServeHTTP implements [http.Handler].
func (l *late) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	kind := req.Header.Get("X-Late")
	if kind == "" {
		l.Server.ServeHTTP(w, req)
		return
	}
	body, _ := io.ReadAll(req.Body)
	if kind == "stream" {
		w.Header().Set("Content-Type", "text/event-stream")
		_, _ = io.WriteString(w, oneEvent)
		_ = http.NewResponseController(w).Flush()
	}
	l.waiting <- struct{}{}
	select {
	case <-l.release:
	case <-req.Context().Done():
		return
	}
	req.Body = io.NopCloser(bytes.NewReader(body))
	switch {
	case kind == "stream":
		_, _ = io.WriteString(w, oneEvent+"data: [DONE]\n\n")
	case l.other != nil:
		l.other(w, req)
	default:
		l.Server.ServeHTTP(w, req)
	}
}

// startLate starts a relay in front of a late upstream.
func startLate(t *testing.T, config string, other http.HandlerFunc) (*running, *late) {
	t.Helper()
	up := &late{Server: demo.New(demo.Options{}), waiting: make(chan struct{}, 10), release: make(chan struct{}), other: other}
	served := httptest.NewServer(up)
	t.Cleanup(served.Close)
	r := &running{Demo: up.Server, Log: &logs{}, Plugins: []plugins.Plugin{panics(), metered()}}
	return r.start(t, config, served.URL+"/v1"), up
}

// keeping is a configuration that keeps clients waiting.
const keeping = whole + "\nstream_keepalive: 5ms\n"

// metered is a plugin that says of each answer what it has used, when it ends.
func metered() plugins.Plugin {
	return plugins.Define("metered", func() noSettings { return noSettings{} }, func(noSettings, plugins.Env) (plugins.Link, error) {
		return plugins.Link{Fetch: func(next http.RoundTripper) http.RoundTripper {
			return roundTrip(func(req *http.Request) (*http.Response, error) {
				res, err := next.RoundTrip(req)
				if err != nil {
					return nil, err
				}
				a := plugins.CallOf(req.Context()).Trail.Answer()
				plugins.Watch(res, nil, func(whole bool) {
					u := plugins.Usage{Input: 7, Output: 11, Source: plugins.UsageReported}
					if !whole {
						u.Source = plugins.UsagePartial
					}
					a.SetUsage(u)
				})
				return res, nil
			})
		}}, nil
	})
}
