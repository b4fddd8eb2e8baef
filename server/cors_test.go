package server

import (
	"net/http"
	"strings"
	"testing"
)

// page is a request as a script on a page sends it.
func (r *running) page(t *testing.T, method, origin string, headers ...string) *http.Request {
	t.Helper()
	req := r.request(t, method, "/v1/chat/completions", "")
	req.Header.Del("Authorization")
	req.Header.Set("Origin", origin)
	for i := 0; i < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	return req
}

func TestCORSIsOffByDefault(t *testing.T) {
	r := start(t, whole)
	res, body := do(t, r.page(t, http.MethodOptions, "https://page.example", "Access-Control-Request-Method", "POST"))
	if res.StatusCode != http.StatusUnauthorized || errorCode(body) != "missing_api_key" {
		t.Errorf("preflight: %d %s, want 401 as for any other request", res.StatusCode, body)
	}
	for _, key := range []string{"", "Bearer " + clientKey} {
		res, _ := do(t, r.page(t, http.MethodPost, "https://page.example", "Authorization", key))
		for name := range res.Header {
			if strings.HasPrefix(name, "Access-Control-") {
				t.Errorf("the answer has %s", name)
			}
		}
	}
}

func TestAPreflightNeedsNoKey(t *testing.T) {
	r := start(t, whole+"\ncors: {origins: [\"https://page.example\"], max_age: 10m}\n")
	preflight := []string{
		"Access-Control-Request-Method", "POST",
		"Access-Control-Request-Headers", "authorization,content-type,x-stainless-lang",
	}
	res, _ := do(t, r.page(t, http.MethodOptions, "https://page.example", preflight...))
	if res.StatusCode != http.StatusNoContent {
		t.Errorf("got %d, want 204", res.StatusCode)
	}
	for name, want := range map[string]string{
		"Access-Control-Allow-Origin":  "https://page.example",
		"Access-Control-Allow-Methods": "GET,HEAD,POST,PUT,PATCH,DELETE",
		"Access-Control-Allow-Headers": "authorization,content-type,x-stainless-lang",
		"Access-Control-Max-Age":       "600",
	} {
		if got := res.Header.Get(name); got != want {
			t.Errorf("%s = %q, want %q", name, got, want)
		}
	}
	if n := r.Demo.Books().Len(); n > 0 {
		t.Errorf("the upstream was asked %d times", n)
	}
	res, _ = do(t, r.page(t, http.MethodOptions, "https://other.example", preflight...))
	if got := res.Header.Get("Access-Control-Allow-Origin"); got != "" {
		t.Errorf("another page: allowed as %q", got)
	}
}

func TestAPageMayReadEveryAnswer(t *testing.T) {
	r := start(t, whole+"\ncors: {origins: [\"https://page.example\"]}\nmax_body: 1KiB\nmax_replay: 1KiB\n")
	long := strings.Repeat("x", 2000)
	tests := []struct {
		name, body string
		headers    []string
		want       int
	}{
		{"an answer", chat, []string{"Authorization", "Bearer " + clientKey}, 200},
		{"an answer whose upstream opens itself to others", chat, []string{
			"Authorization", "Bearer " + clientKey, "X-Demo-Header", "Access-Control-Allow-Origin: *",
		}, 200},
		{"a request without a key", chat, nil, 401},
		{"a body that is too long", long, []string{"Authorization", "Bearer " + clientKey}, 413},
		{"an error of the upstream", chat, []string{"Authorization", "Bearer " + clientKey, "X-Demo-Status", "400"}, 400},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			req := r.request(t, http.MethodPost, "/v1/chat/completions", tt.body)
			req.Header = r.page(t, http.MethodPost, "https://page.example", tt.headers...).Header
			res, _ := do(t, req)
			if res.StatusCode != tt.want {
				t.Errorf("got %d, want %d", res.StatusCode, tt.want)
			}
			if got := res.Header["Access-Control-Allow-Origin"]; len(got) != 1 || got[0] != "https://page.example" {
				t.Errorf("Access-Control-Allow-Origin = %q, want the page alone", got)
			}
			exposed := res.Header.Get("Access-Control-Expose-Headers")
			for _, name := range []string{"X-Request-Id", "Retry-After", "X-Ratelimit-Limit", "X-Cache"} {
				if !strings.Contains(","+exposed+",", ","+name+",") {
					t.Errorf("%s is not exposed: %q", name, exposed)
				}
			}
			if !strings.Contains(strings.Join(res.Header["Vary"], ","), "Origin") {
				t.Errorf("Vary = %q, want Origin in it", res.Header["Vary"])
			}
		})
	}
}
