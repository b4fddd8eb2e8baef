package server

import (
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"
)

func TestWhatAnUpstreamWroteStandsInNoLogLine(t *testing.T) {
	const secret = "the-secret-answer"
	answers := map[string]string{
		"in place of a status line": secret + " to all\r\n\r\n",
		"in place of a status":      "HTTP/1.1 {\"" + secret + "\"} OK\r\n\r\n",
		"in a broken header line":   "HTTP/1.1 200 OK\r\nSet-Cookie=" + secret + "\r\n\r\n",
		"in a broken length":        "HTTP/1.1 200 OK\r\nContent-Length: " + secret + "\r\n\r\n",
		"in a broken chunk":         "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + secret + "\r\n",
	}
	for name, answer := range answers {
		t.Run(name, func(t *testing.T) {
			up := newRaw(t, answer)
			r := start(t, whole+"\nlog: {level: debug}\nupstreams: {raw: {base_url: "+up.URL+"}}\n")
			_, in := r.dial(t, head("POST /v1/files", "Content-Length: 0", "X-Request-Id: asked", "Connection: close"))
			_, _ = io.Copy(io.Discard, in)
			if line := r.Log.access(t, "asked"); line["err"] == nil {
				t.Errorf("the line does not say what went wrong: %v", line)
			}
			if err := r.Stop(); err != nil {
				t.Error(err)
			}
			if strings.Contains(r.Log.All(), secret) {
				t.Errorf("the log holds what the upstream wrote:\n%s", r.Log.All())
			}
		})
	}
}

func TestInformationalAnswersAreBounded(t *testing.T) {
	hint := func(size int) string { return "HTTP/1.1 103 X\r\nLink: " + strings.Repeat("a", size) + "\r\n\r\n" }
	tests := []struct {
		name, hints, version, expect string
		want                         int
	}{
		{"a few", strings.Repeat(hint(10), 3), "1.1", "", 3},
		{"too large ones", hint(10) + strings.Repeat(hint(mostHeld), 2), "1.1", "", 1},
		{"a client of HTTP/1.0", hint(10), "1.0", "", 0},
		{"100, which the server sends itself", "HTTP/1.1 100 Continue\r\n\r\n", "1.1", "100-continue", 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			up := newRaw(t, tt.hints+ok(`{}`))
			r := start(t, whole+"\nupstreams: {raw: {base_url: "+up.URL+"}}\n")
			request := head("POST /v1/files", "Content-Length: 1", "Connection: close", "X-Expect: "+tt.expect) + "x"
			request = strings.Replace(request, "HTTP/1.1", "HTTP/"+tt.version, 1)
			if tt.expect != "" {
				request = strings.Replace(request, "X-Expect", "Expect", 1)
			}
			_, in := r.dial(t, request)
			text, err := io.ReadAll(in)
			if got := strings.Count(string(text), "HTTP/1.1 1"); got != tt.want || err != nil {
				t.Errorf("%d informational answers, %v, want %d:\n%s", got, err, tt.want, text[:min(len(text), 500)])
			}
			if !strings.Contains(string(text), " 200 OK\r\n") {
				t.Errorf("no answer: %q", text[:min(len(text), 500)])
			}
		})
	}
}

// mostHeld is more than is held of an informational answer.
const mostHeld = 70_000

func TestAStatusThatIsMadeUpIsNoNewLabel(t *testing.T) {
	up := newRaw(t, "HTTP/1.1 777 X\r\nContent-Length: 2\r\n\r\n{}")
	r := start(t, whole+"\nupstreams: {raw: {base_url: "+up.URL+"}}\n")
	res, _ := do(t, r.request(t, http.MethodPost, "/v1/files", ""))
	if res.StatusCode != 777 {
		t.Errorf("got %d, want 777 as it is", res.StatusCode)
	}
	if got := res.Header.Get("Content-Type"); got != "" {
		t.Errorf("Content-Type %q was made up", got)
	}
	if n := r.metric(t, "http_requests_total", "status", "other"); n != 1 {
		t.Errorf("status other counted %s, want 1", strconv.FormatFloat(n, 'g', -1, 64))
	}
}
