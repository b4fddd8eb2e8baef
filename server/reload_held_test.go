package server

import (
	"bufio"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// A held upstream answers at once, but a request with the header X-Hold waits:
// "stream" gets one event, anything else nothing, until the test lets it go.
type held struct {
	URL     string
	waiting chan hold
}

// A hold is a request that waits at the upstream.
type hold struct {
	release chan struct{} // closed by the test
	left    chan struct{} // closed when the relay has given the request up
}

func newHeld(t testing.TB) *held {
	t.Helper()
	h := &held{waiting: make(chan hold, 100)}
	up := httptest.NewServer(h)
	t.Cleanup(up.Close)
	h.URL = up.URL + "/v1"
	return h
}

func (h *held) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	kind := req.Header.Get("X-Hold")
	_, _ = io.Copy(io.Discard, req.Body)
	w.Header().Set("Content-Type", "application/json")
	end := `{"held":"no"}`
	if kind == "stream" {
		w.Header().Set("Content-Type", "text/event-stream")
		end = "data: [DONE]\n\n"
		_, _ = io.WriteString(w, "data: 1\n\n")
		_ = http.NewResponseController(w).Flush()
	}
	if kind != "" {
		one := hold{make(chan struct{}), make(chan struct{})}
		h.waiting <- one
		select {
		case <-one.release:
		case <-req.Context().Done():
			close(one.left)
			return
		}
	}
	_, _ = io.WriteString(w, end)
}

// next returns the next request that waits at the upstream.
func (h *held) next(t testing.TB) hold {
	t.Helper()
	select {
	case one := <-h.waiting:
		return one
	case <-time.After(time.Minute):
		t.Fatal("no request came")
	}
	return hold{}
}

// A heldStream is a streamed answer of which the first event has come.
type heldStream struct {
	hold
	res *http.Response
	in  *bufio.Reader
}

// open begins a stream. It fails the test if the relay refuses it.
func (h *held) open(t testing.TB, r *running) *heldStream {
	t.Helper()
	req := r.request(t, http.MethodPost, "/v1/chat/completions", `{"model":"demo","stream":true}`)
	req.Header.Set("X-Hold", "stream")
	// Streams outlive the test's own context, for they end in its cleanup.
	res, err := http.DefaultTransport.RoundTrip(req.WithContext(context.WithoutCancel(t.Context())))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = res.Body.Close() })
	if res.StatusCode != http.StatusOK {
		body, _ := io.ReadAll(res.Body)
		t.Fatalf("a stream: got %d %s, want 200", res.StatusCode, body)
	}
	s := &heldStream{hold: h.next(t), res: res, in: bufio.NewReader(res.Body)}
	if line, err := s.in.ReadString('\n'); line != "data: 1\n" || err != nil {
		t.Fatalf("first event: %q, %v", line, err)
	}
	return s
}

// finish lets the stream go and reports whether it ends whole.
func (s *heldStream) finish(t testing.TB) {
	t.Helper()
	close(s.release)
	rest, err := io.ReadAll(s.in)
	if err != nil || !strings.HasSuffix(string(rest), "data: [DONE]\n\n") {
		t.Errorf("the rest of a stream: %q, %v, want it whole", rest, err)
	}
}

// count waits until n lines of the log hold the text.
func (l *logs) count(t testing.TB, text string, n int) {
	t.Helper()
	deadline := time.After(time.Minute)
	for {
		l.mu.Lock()
		found := 0
		for _, line := range l.lines {
			if strings.Contains(line, text) {
				found++
			}
		}
		if l.changed == nil {
			l.changed = make(chan struct{})
		}
		changed := l.changed
		l.mu.Unlock()
		if found >= n {
			return
		}
		select {
		case <-changed:
		case <-deadline:
			t.Fatalf("%q was logged %d times, want %d:\n%s", text, found, n, l.All())
		}
	}
}

// loaded waits for the n-th reload that was good.
func (r *running) loaded(t testing.TB, n int) {
	t.Helper()
	r.Log.count(t, `"msg":"configuration loaded"`, n)
}
