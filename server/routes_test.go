package server

import (
	"errors"
	"net/url"
	"strings"
	"testing"

	"github.com/holysheep/relay/internal/wire"
)

func TestADotSegmentInAnyGuiseIsRefused(t *testing.T) {
	tests := []struct {
		name, path string
		want       error
	}{
		{"plain", "/v1/../admin", ErrPath},
		{"a single dot", "/v1/./admin", ErrPath},
		{"at the end", "/v1/models/..", ErrPath},
		{"escaped", "/v1/%2e%2e/admin", ErrPath},
		{"escaped with its slash", "/v1/..%2Fadmin", ErrPath},
		{"with a backslash", `/v1/..\admin`, ErrPath},
		{"with empty parameters", "/v1/..;/admin", ErrPath},
		{"with parameters", "/v1/..;a=b/admin", ErrPath},
		{"escaped with parameters", "/v1/%2e%2e;a=b/x", ErrPath},
		{"with parameters behind an escape", "/v1/..%3Ba=b/x", ErrPath},
		{"a single dot with parameters", "/v1/.;a/x", ErrPath},
		{"escaped twice", "/v1/%252e%252e/admin", ErrPath},
		{"escaped twice with its slash", "/v1/x%252F..%252Fadmin", ErrPath},
		{"escaped twice with a backslash", "/v1/..%255cadmin", ErrPath},
		{"escaped twice with parameters", "/v1/%252E.%253ba/admin", ErrPath},
		{"escaped three times", "/v1/%25252e%25252e/admin", ErrPath},
		{"escaped twice beside a bad escape", "/v1/%25zz%25/%252e%252e/admin", ErrPath},
		{"escaped in part each time", "/v1/.%25%32%65/admin", ErrPath},
		{"on Gemini's path", "/v1beta/%2e%2e/admin", ErrPath},
		{"on Azure's path", "/openai/deployments/..;/x", ErrPath},
		{"three dots", "/v1/.../x", nil},
		{"dots in a name", "/v1/models/gpt-4.1..mini", nil},
		{"dots in a parameter", "/v1/x;..;/y;a=..", nil},
		{"escapes in a name", "/v1/models/a%252Fb%2520c%25", nil},
		{"no name", "/v1/;/", nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			u, err := url.ParseRequestURI(tt.path)
			if err != nil {
				t.Fatal(err)
			}
			if _, relayed := wire.OfURL(u); !relayed {
				t.Error("it is not relayed")
			}
			if got := checkPath(u.Path); !errors.Is(got, tt.want) {
				t.Errorf("checkPath(%q) = %v, want %v", u.Path, got, tt.want)
			}
		})
	}
}

func TestThePrefixIsMatchedAsSent(t *testing.T) {
	up := newRaw(t, ok("{}"))
	r := (&running{Log: &logs{}}).start(t, "chain: []\n", up.URL) // which stands for /v1
	tests := []struct{ name, path, want string }{
		{"plain", "/v1/a/b", "/v1/a/b"},
		{"an escape behind it stays", "/v1/%76/a%2Fb", "/v1/%76/a%2Fb"},
		{"an escaped letter in it", "/%761/a%2Fb", ""},
		{"an escaped slash in front", "/%2Fv1/a", ""},
		{"an escaped slash behind", "/v1%2Fa", ""},
		{"an escaped letter in Gemini's", "/v1bet%61/a", ""},
		{"an escaped slash behind Azure's", "/openai%2Fa", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			res, body := r.raw(t, head("GET "+tt.path, "Content-Length: 0", "Connection: close"))
			got := ""
			select {
			case req := <-up.requests:
				got = req.RequestURI
			default:
			}
			if got != tt.want {
				t.Errorf("the upstream was asked %q, want %q", got, tt.want)
			}
			if tt.want == "" && (res.StatusCode != 404 || errorCode(body) != "unknown_url") {
				t.Errorf("got %d %s, want 404 unknown_url", res.StatusCode, body)
			}
		})
	}
}

// FuzzCheckPath holds that no path that passes holds a dot segment when it is
// decoded as the upstream might.
func FuzzCheckPath(f *testing.F) {
	for _, path := range []string{"/v1/a", "/v1/..;/a", "/v1/%2e%2e", "/v1/%252e%2e%5c", "/v1/%%32e./"} {
		f.Add(path)
	}
	f.Fuzz(func(t *testing.T, path string) {
		if checkPath(path) != nil {
			return
		}
		for range 3 {
			for segment := range strings.SplitSeq(strings.ReplaceAll(path, `\`, "/"), "/") {
				if name, _, _ := strings.Cut(segment, ";"); name == "." || name == ".." {
					t.Fatalf("%q passed", path)
				}
			}
			again, err := url.PathUnescape(path)
			if err != nil {
				return
			}
			path = again
		}
	})
}

func BenchmarkCheckPath(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if err := checkPath("/v1/chat/completions"); err != nil {
			b.Fatal(err)
		}
	}
}

func TestTheLabelOfARoute(t *testing.T) {
	r := start(t, whole)
	for path, want := range map[string]string{
		"/v1/chat/completions":                   "/v1/chat/completions",
		"/v1/%63hat/completions":                 "/v1/chat/completions",
		"/v1/messages/count_tokens":              "/v1/messages",
		"/v1beta/models/a:streamGenerateContent": "/v1beta/models/:generateContent",
		"/openai/deployments/a/chat/completions": "/openai/deployments/*",
		"/v1/brand/new":                          "/v1/*",
		"/health":                                "/health",
		"/ready":                                 "/ready",
		"/v1":                                    "other",
		"/openai":                                "other",
	} {
		before := r.metric(t, "http_requests_total", "route", want)
		get(t, r.URL+path)
		if got := r.metric(t, "http_requests_total", "route", want); got != before+1 {
			t.Errorf("%s is not counted as %s", path, want)
		}
	}
}
