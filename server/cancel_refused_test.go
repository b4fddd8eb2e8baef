package server

import (
	"io"
	"net/http"
	"testing"
)

// A client that was refused and does not send the rest of its body must not
// hold its connection: it gets the answer, and the connection ends.
func TestARefusedClientThatSendsNoBodyIsNotWaitedFor(t *testing.T) {
	tests := []struct {
		name, request string
		want          int
	}{
		{"a wrong key", "POST /v1/chat/completions HTTP/1.1\r\nHost: relay\r\nAuthorization: Bearer x\r\nContent-Length: 10\r\n\r\n", 401},
		{"a wrong key, in chunks", "POST /v1/files HTTP/1.1\r\nHost: relay\r\nAuthorization: Bearer x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab", 401},
		{"no such URL", "POST /v2/files HTTP/1.1\r\nHost: relay\r\nContent-Length: 10\r\n\r\n", 404},
		{"probes", "GET /health HTTP/1.1\r\nHost: relay\r\nContent-Length: 10\r\n\r\nabc", 200},
		{"a body that is announced as too large", head("POST /v1/files", "Content-Length: 10000"), 413},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := start(t, whole+"max_body: 4KiB\nmax_replay: 4KiB\n")
			_, in := r.dial(t, tt.request)
			res, err := http.ReadResponse(in, nil)
			if err != nil || res.StatusCode != tt.want {
				t.Fatalf("answer %v, %v, want %d", res, err, tt.want)
			}
			if _, err := io.ReadAll(res.Body); err != nil {
				t.Error(err)
			}
			if rest, err := io.ReadAll(in); len(rest) > 0 || err != nil {
				t.Errorf("after the answer: %q, %v, want the connection's end", rest, err)
			}
		})
	}
}
