package retry

import (
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/holysheep/relay/plugins/plugintest"
)

// TestAttemptsShareAConnection asks a real server: an answer that is given up
// must leave its connection fit for the next attempt.
func TestAttemptsShareAConnection(t *testing.T) {
	tests := []struct {
		name string
		busy string // the body of the answers that are given up
		want int64  // connections
	}{
		{"a short error", `{"error":{"message":"busy"}}`, 1},
		{"an error too long to read", strings.Repeat("x", 1<<20), 3},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var asked, connections atomic.Int64
			server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
				got, _ := io.ReadAll(req.Body)
				if asked.Add(1) < 3 {
					w.WriteHeader(http.StatusServiceUnavailable)
					_, _ = io.WriteString(w, tt.busy)
					return
				}
				_, _ = w.Write(got)
			}))
			server.Config.ConnState = func(_ net.Conn, s http.ConnState) {
				if s == http.StateNew {
					connections.Add(1)
				}
			}
			server.Start()
			defer server.Close()
			transport := &http.Transport{}
			defer transport.CloseIdleConnections()

			req := plugintest.Request(t, `{"n":1}`)
			req.URL.Scheme, req.URL.Host = "http", server.Listener.Addr().String()
			res, err := build(t, func(s *Settings) { s.Wait = 0 }, transport).RoundTrip(req)
			if err != nil {
				t.Fatal(err)
			}
			if got := read(t, res); got != `{"n":1}` || res.StatusCode != http.StatusOK {
				t.Errorf("got %d with %q, want 200 with what was sent", res.StatusCode, got)
			}
			if got := connections.Load(); got != tt.want {
				t.Errorf("%d connections, want %d", got, tt.want)
			}
		})
	}
}
