package server

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/holysheep/relay/internal/wire"
	"github.com/holysheep/relay/plugins"
)

// raw sends a raw request and returns the answer. Its connection is closed.
func (r *running) raw(t *testing.T, request string) (*http.Response, string) {
	t.Helper()
	_, in := r.dial(t, request)
	method, _, _ := strings.Cut(request, " ")
	res, err := http.ReadResponse(in, &http.Request{Method: method})
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	if err := res.Write(&b); err != nil {
		t.Fatal(err)
	}
	_, body, _ := strings.Cut(b.String(), "\r\n\r\n")
	return res, body
}

// An ownError is a request that the relay answers itself, with an error.
type ownError struct {
	name, line string
	status     int
	code       string
}

func ownErrors() []ownError {
	return []ownError{
		{"the root", "GET /", 404, "unknown_url"},
		{"another version", "POST /v2/chat/completions", 404, "unknown_url"},
		{"the API's root without a slash", "GET /v1", 404, "unknown_url"},
		{"the API in capitals", "GET /V1/models", 404, "unknown_url"},
		{"two slashes in front", "GET //v1/models", 404, "unknown_url"},
		{"metrics are not for clients", "GET /metrics", 404, "unknown_url"},
		{"the configuration is not for clients", "GET /config", 404, "unknown_url"},
		{"plugins are not for clients", "GET /plugins/auth/", 404, "unknown_url"},
		{"probes can only be read", "POST /health", 405, "invalid_request"},
		{"probes can only be read, by any method", "PROPFIND /ready", 405, "invalid_request"},
		{"a dot segment", "GET /v1/../metrics", 400, "invalid_path"},
		{"a dot segment at the end", "GET /v1/models/..", 400, "invalid_path"},
		{"a dot segment of one dot", "GET /v1/./models", 400, "invalid_path"},
		{"a dot segment in escapes", "GET /v1/%2e%2e/metrics", 400, "invalid_path"},
		{"a dot segment in half escapes", "GET /v1/.%2E/metrics", 400, "invalid_path"},
		{"a dot segment with an escaped slash", "GET /v1/..%2fmetrics", 400, "invalid_path"},
		{"a dot segment with a backslash", "GET /v1/..%5cmetrics", 400, "invalid_path"},
		{"a dot segment behind a backslash", "GET /v1/x%5C..%5Cmetrics", 400, "invalid_path"},
	}
}

func TestEveryErrorHasOpenAIsBody(t *testing.T) {
	r := start(t, whole)
	for _, tt := range ownErrors() {
		t.Run(tt.name, func(t *testing.T) {
			res, body := r.raw(t, head(tt.line, "Content-Length: 0"))
			if res.StatusCode != tt.status || errorCode(body) != tt.code {
				t.Errorf("got %d %s, want %d %s", res.StatusCode, body, tt.status, tt.code)
			}
			for name, want := range map[string]string{"Content-Type": "application/json", "X-Content-Type-Options": "nosniff"} {
				if got := res.Header.Get(name); got != want {
					t.Errorf("%s = %q, want %q", name, got, want)
				}
			}
			if !strings.HasPrefix(res.Header.Get("X-Request-Id"), "req_") {
				t.Errorf("X-Request-Id = %q, want one that was made", res.Header.Get("X-Request-Id"))
			}
			if head, nothing := r.raw(t, head(strings.Replace(tt.line, "GET", "HEAD", 1), "Content-Length: 0")); strings.HasPrefix(tt.line, "GET") &&
				(head.StatusCode != tt.status || nothing != "" || head.ContentLength != res.ContentLength) {
				t.Errorf("HEAD: %d %q of %d bytes, want the header alone", head.StatusCode, nothing, head.ContentLength)
			}
		})
	}
	if n := r.Demo.Books().Len(); n > 0 {
		t.Errorf("the upstream was asked %d times", n)
	}
}

// Whoever speaks another API gets its errors in the form that it knows.
func TestAnErrorHasTheFormOfItsWire(t *testing.T) {
	r := start(t, whole)
	for _, path := range []string{
		"/v1/messages", "/v1/messages/count_tokens", "/v1/chat/completions", "/v1/../messages",
		"/v1beta/models/a:generateContent", "/openai/deployments/a/chat/completions",
	} {
		req := r.request(t, http.MethodPost, path, "")
		req.Header.Del("Authorization")
		want := &plugins.Error{Status: 401, Type: "invalid_request_error", Code: "missing_api_key", Message: `no API key: send it as "Authorization: Bearer <key>"`}
		if strings.Contains(path, "..") {
			want = ErrPath
		}
		res, body := do(t, req)
		route, _ := wire.Of(path)
		if form := string(errorBody(want, route)); res.StatusCode != want.Status || body != form {
			t.Errorf("%s: %d %s, want %s", path, res.StatusCode, body, form)
		}
	}
	req := r.request(t, http.MethodGet, "", "")
	req.URL, _ = req.URL.Parse(r.AdminURL + "/v1/messages")
	if _, body := do(t, req); errorCode(body) != "unknown_url" {
		t.Errorf("on the admin listener: %s, want OpenAI's form", body)
	}
}

func TestTheBodyOfAnErrorIsOpenAIs(t *testing.T) {
	e := &plugins.Error{Status: 400, Type: "a_type", Code: "a_code", Message: "say \"<this>\"", Err: http.ErrNotSupported}
	var got map[string]any
	if err := json.Unmarshal(errorBody(e, wire.Route{}), &got); err != nil {
		t.Fatal(err)
	}
	want := map[string]any{"error": map[string]any{"message": "say \"<this>\"", "type": "a_type", "param": nil, "code": "a_code"}}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

func TestRequestIDs(t *testing.T) {
	r := start(t, whole)
	tests := []struct {
		name, sent string
		kept       bool
	}{
		{"none", "", false},
		{"a usual one", "req-1.2_3:A", true},
		{"the longest", strings.Repeat("a", 128), true},
		{"too long", strings.Repeat("a", 129), false},
		{"a space", "a b", false},
		{"what would begin a line of a log", `x","level":"ERROR`, false},
		{"markup", "<script>", false},
		{"not ASCII", "a\u00e9", false},
		{"an escape of a terminal", "a\x1b[31m", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			for _, line := range []string{"GET /v1/models", "GET /nothing", "GET /health"} {
				res, _ := r.raw(t, head(line, "X-Request-Id: "+tt.sent))
				ids := res.Header["X-Request-Id"]
				if res.StatusCode == http.StatusBadRequest && !tt.kept {
					continue // the server itself refuses control characters
				}
				if len(ids) != 1 || (ids[0] == tt.sent) != tt.kept || !tt.kept && !strings.HasPrefix(ids[0], "req_") {
					t.Errorf("%s: got %q, kept: want %t", line, ids, tt.kept)
				}
			}
		})
	}
}

func TestRequestIDsThatAreMadeDiffer(t *testing.T) {
	r := start(t, whole)
	seen := map[string]bool{}
	for range 50 {
		res, _ := get(t, r.URL+"/health")
		seen[res.Header.Get("X-Request-Id")] = true
	}
	if len(seen) != 50 {
		t.Errorf("%d different ids for 50 requests", len(seen))
	}
}

func TestAnAbsoluteRequestLineDoesNotLeadElsewhere(t *testing.T) {
	r := start(t, whole)
	res, body := r.raw(t, head("GET http://elsewhere.example/v1/models"))
	if rec, asked := r.Demo.Books().Record(1); res.StatusCode != 200 || !asked || strings.Contains(rec.Host, "elsewhere") {
		t.Errorf("got %d %s, upstream asked as %q, want the configured upstream", res.StatusCode, body, rec.Host)
	}
}
