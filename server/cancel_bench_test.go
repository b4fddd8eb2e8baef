package server

import (
	"context"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"
)

// noticing is an upstream that tells when its request began, and when it saw
// that its client had left.
type noticing struct {
	begun chan struct{}
	gone  chan time.Time
}

// ServeHTTP implements [http.Handler]. For a stream, an event goes out first.
func (n *noticing) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body) // only then net/http notices that a client leaves
	if r.Header.Get("X-Begin") != "" {
		w.Header().Set("Content-Type", "text/event-stream")
		_, _ = w.Write([]byte("data: 1\n\n"))
		_ = http.NewResponseController(w).Flush()
	}
	n.begun <- struct{}{}
	<-r.Context().Done()
	n.gone <- time.Now()
}

// BenchmarkCancel reports, as ns/op, the time from the moment in which a client
// gives up to that in which the upstream sees it.
func BenchmarkCancel(b *testing.B) {
	for _, protocol := range protocols() {
		for name, header := range map[string]http.Header{
			"before an answer": nil,
			"in a stream":      {"X-Begin": {"1"}},
		} {
			b.Run(protocol+" "+name, func(b *testing.B) {
				up := &noticing{begun: make(chan struct{}), gone: make(chan time.Time)}
				served := httptest.NewServer(up)
				b.Cleanup(served.Close)
				r := start(b, whole+"upstreams: {noticing: {base_url: \""+served.URL+"/v1\"}}\nlog: {access: false}\n")
				rt := speaks(b, protocol)
				var total, most time.Duration
				for b.Loop() {
					took := up.cancel(b, r, rt, header)
					total, most = total+took, max(most, took)
				}
				b.ReportMetric(float64(total.Nanoseconds())/float64(b.N), "ns/op")
				b.ReportMetric(float64(most.Nanoseconds()), "most-ns")
			})
		}
	}
}

// cancel sends a request, gives it up, and returns how long the upstream took
// to see it.
func (n *noticing) cancel(b *testing.B, r *running, rt *http.Transport, header http.Header) time.Duration {
	b.Helper()
	ctx, leave := context.WithCancel(b.Context())
	defer leave()
	req := r.request(b, http.MethodPost, "/v1/chat/completions", stream).WithContext(ctx)
	maps.Copy(req.Header, header)
	read, left := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(left)
		if res, err := rt.RoundTrip(req); err == nil {
			_, _ = res.Body.Read(make([]byte, 1<<10))
			close(read)
			_, _ = io.Copy(io.Discard, res.Body) // until it leaves
			_ = res.Body.Close()
		}
	}()
	<-n.begun
	if header != nil {
		<-read
	}
	before := time.Now()
	leave()
	took := (<-n.gone).Sub(before)
	<-left
	return took
}
