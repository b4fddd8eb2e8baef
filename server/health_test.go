package server

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"time"
)

func TestProbes(t *testing.T) {
	// No upstream and no Redis answers: probes do not ask them.
	r := (&running{Log: &logs{}, Environ: []string{"SECRET=x"}}).start(t, whole+
		"\nredis: {addresses: [\"127.0.0.1:1\"], password_env: SECRET}\n", "http://127.0.0.1:1/v1")
	for _, url := range []string{r.URL, r.AdminURL} {
		for path, want := range map[string]string{"/health": `{"status":"ok"}`, "/ready": `{"status":"ready"}`} {
			res, body := get(t, url+path)
			if res.StatusCode != http.StatusOK || strings.TrimSpace(body) != want {
				t.Errorf("%s: %d %s, want %s", path, res.StatusCode, body, want)
			}
			req := r.request(t, http.MethodHead, "", "")
			req.URL, _ = req.URL.Parse(url + path)
			if res, body := do(t, req); res.StatusCode != http.StatusOK || body != "" {
				t.Errorf("HEAD %s: %d %q, want 200 and no body", path, res.StatusCode, body)
			}
		}
	}
	if text := r.Log.All(); strings.Contains(text, `"msg":"request"`) {
		t.Errorf("probes are logged:\n%s", text)
	}
}

func TestAClientThatSendsItsHeaderSlowlyIsCut(t *testing.T) {
	r := start(t, whole+"\nread_header_timeout: 100ms\nidle_timeout: 1m\n")
	for name, begin := range map[string]string{
		"nothing at all":     "",
		"half a line":        "GET /v1/mod",
		"half of the header": "GET /v1/models HTTP/1.1\r\nHost: relay\r\nX-Slow: 1\r\n",
	} {
		_, in := r.dial(t, begin)
		if rest, err := io.ReadAll(in); err != nil || strings.HasPrefix(string(rest), "HTTP/1.1 200") {
			t.Errorf("%s: %q, %v, want the end of the connection", name, rest, err)
		}
	}
	if n := r.Demo.Books().Len(); n > 0 {
		t.Errorf("the upstream was asked %d times", n)
	}
}

func TestAHeaderThatIsTooLongIsRefused(t *testing.T) {
	r := start(t, whole)
	_, in := r.dial(t, head("GET /v1/models", "X-Long: "+strings.Repeat("x", 200<<10)))
	if res, err := http.ReadResponse(in, nil); err == nil && res.StatusCode != http.StatusRequestHeaderFieldsTooLarge {
		t.Errorf("got %d, want 431", res.StatusCode)
	}
}

func TestRequestTimeout(t *testing.T) {
	// The stream that is to run for longer than the limit has 40 pieces of
	// 20ms.
	r := start(t, whole+"\nrequest_timeout: 400ms\n")
	stream := strings.Replace(chat, "{", `{"stream":true,`, 1)
	long := strings.Replace(chat, "{", `{"max_tokens":9000,`, 1)
	tests := []struct {
		name, body string
		headers    []string
		status     int
		whole      bool
	}{
		{"an answer that does not come", chat, []string{"X-Demo-Latency", "1h"}, 504, true},
		{"a stream that does not come", stream, []string{"X-Demo-Latency", "1h"}, 504, true},
		{"an answer that stops in the middle", long, []string{"X-Demo-Stall", "bytes=9000", "X-Demo-Tokens", "9000"}, 200, false},
		{"a stream that stops before its first byte", stream, []string{"X-Demo-Stall", "events=0"}, 504, true},
		{"a stream that begins, and whose first token takes long", stream, []string{"X-Demo-First-Token", "600ms"}, 200, true},
		{"an upstream that fails and then is slow", chat, []string{"X-Demo-Fail", "slow=1:503", "X-Demo-Latency", "250ms"}, 504, true},
		{"a stream that runs for long", stream, []string{"X-Demo-Tokens", "40", "X-Demo-Pace", "20ms"}, 200, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			req := r.request(t, http.MethodPost, "/v1/chat/completions", tt.body)
			for i := 0; i < len(tt.headers); i += 2 {
				req.Header.Set(tt.headers[i], tt.headers[i+1])
			}
			began := time.Now()
			res, err := http.DefaultTransport.RoundTrip(req)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = res.Body.Close() }()
			body, err := io.ReadAll(res.Body)
			if res.StatusCode != tt.status || (err == nil) != tt.whole {
				t.Errorf("got %d %q, %v, want %d, whole: %t", res.StatusCode, body, err, tt.status, tt.whole)
			}
			if tt.status == http.StatusGatewayTimeout && errorCode(string(body)) != "upstream_timeout" {
				t.Errorf("code %q, want upstream_timeout", errorCode(string(body)))
			}
			if tt.status == http.StatusOK && tt.whole && time.Since(began) < 400*time.Millisecond {
				t.Error("the stream did not outlast the limit: the test shows nothing")
			}
		})
	}
}
