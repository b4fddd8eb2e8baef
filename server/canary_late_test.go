package server

import (
	"io"
	"strings"
	"testing"
)

// What comes before the answer, and after it, is as hidden as the answer.
func TestTheUpstreamsKeyStaysOutOfHintsAndTrailers(t *testing.T) {
	up := newRaw(t, "HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\nX-Hint: Bearer "+upstreamKey+"\r\n\r\n"+
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Announced\r\n\r\n"+
		chunked("X-Announced: "+upstreamKey+"\r\nX-Sudden: "+upstreamKey+"\r\nX-Sum: 1\r\n", "all is well"))
	r := start(t, whole+"\nupstreams: {raw: {base_url: "+up.URL+", api_key_env: UPSTREAM_KEY}}\n")
	_, in := r.dial(t, head("GET /v1/files", "Te: trailers", "Connection: close"))
	got, err := io.ReadAll(in)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{" 103 ", "</a.css>", "all is well", "X-Sum: 1"} {
		if !strings.Contains(string(got), want) {
			t.Errorf("%q is missing", want)
		}
	}
	if strings.Contains(string(got), upstreamKey) {
		t.Errorf("the client sees the key")
	}
	if t.Failed() {
		t.Logf("the client got:\n%s", got)
	}
}
