package server

import (
	"bytes"
	"compress/gzip"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/andybalholm/brotli"
)

// odd are bodies that a relay which decodes and encodes again would change.
func odd() map[string]string {
	return map[string]string{
		"an ordinary one":               `{"model":"demo","messages":[{"role":"user","content":"hi"}]}`,
		"numbers beyond 53 bits":        `{"model":"demo","seed":9007199254740993,"big":123456789012345678901234567890,"e":1e400,"f":1.0}`,
		"a key twice":                   `{"model":"demo","a":1,"a":2}`,
		"unknown fields in odd order":   `{"zz":{"b":1,"a":[]},"model":"demo","":null,"x_new":{"deep":[[[{}]]]}}`,
		"white space and escapes":       "\n\t{ \"model\" : \"\\u0064emo\" ,\r\n\"s\":\"\\/ \\ud83d\\ude00 <>&\u2028\" }\n ",
		"text that is not UTF-8":        "{\"model\":\"demo\",\"s\":\"\xff\xfe\xc3\x28\"}",
		"no JSON at all":                "model=demo&x=%zz",
		"JSON that breaks off":          `{"model":"demo","messages":[`,
		"zero bytes and line ends":      "\x00\x01\r\n\r\n0\r\n\r\n",
		"nothing but a list":            `[1,2,3]`,
		"a body of a megabyte and more": `{"model":"demo","s":"` + strings.Repeat("0123456789abcdef", 80_000) + `"}`,
	}
}

func TestRequestBodiesPassUnchanged(t *testing.T) {
	up := newRaw(t, ok(`{}`))
	r := start(t, whole+"\nupstreams: {raw: {base_url: "+up.URL+"}}\n")
	for name, body := range odd() {
		t.Run(name, func(t *testing.T) {
			sent := map[string]string{
				"of fixed length": head("POST /v1/chat/completions", "Content-Type: application/json", "Content-Length: "+itoa(len(body))) + body,
				"in chunks": head("POST /v1/chat/completions", "Transfer-Encoding: chunked") +
					chunked("", body[:len(body)/3], body[len(body)/3:len(body)/3+1], body[len(body)/3+1:]),
			}
			for form, bytes := range sent {
				_, in := r.dial(t, bytes)
				got := <-up.requests
				if string(got.Body) != body {
					t.Errorf("%s: %d bytes arrived, want the %d that were sent", form, len(got.Body), len(body))
				}
				if fixed := got.ContentLength == int64(len(body)); fixed != (form == "of fixed length") {
					t.Errorf("%s: length %d, transfer encoding %q", form, got.ContentLength, got.TransferEncoding)
				}
				if res, err := http.ReadResponse(in, nil); err != nil || res.StatusCode != http.StatusOK {
					t.Errorf("%s: %v, %v, want 200", form, res, err)
				}
			}
		})
	}
}

func TestAnswersPassUnchanged(t *testing.T) {
	for name, body := range odd() {
		t.Run(name, func(t *testing.T) {
			forms := map[string]string{
				"of fixed length": ok(body),
				"in chunks": "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Type: application/json\r\n\r\n" +
					chunked("", body[:len(body)/2], body[len(body)/2:]),
				"until the connection ends": "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n" + body,
			}
			for form, answer := range forms {
				up := newRaw(t, answer)
				r := start(t, whole+"\nupstreams: {raw: {base_url: "+up.URL+"}}\n")
				res, got := do(t, r.request(t, http.MethodPost, "/v1/chat/completions", `{"model":"demo"}`))
				if got != body {
					t.Errorf("%s: %d bytes arrived, want the %d that were sent", form, len(got), len(body))
				}
				if fixed := res.ContentLength == int64(len(body)); fixed != (form == "of fixed length") {
					t.Errorf("%s: length %d", form, res.ContentLength)
				}
			}
		})
	}
}

func TestEncodedAnswersPassAsTheyAre(t *testing.T) {
	var zip, br bytes.Buffer
	for _, w := range []io.WriteCloser{gzip.NewWriter(&zip), brotli.NewWriter(&br)} {
		_, _ = io.WriteString(w, `{"hello":"world"}`)
		_ = w.Close()
	}
	tests := []struct{ name, encoding, path, body, asked string }{
		{"gzip where nobody looks", "gzip", "/v1/files", zip.String(), "gzip, br"},
		{"brotli where nobody looks", "br", "/v1/files", br.String(), "gzip, br"},
		{"gzip that was not asked for", "gzip", "/v1/chat/completions", zip.String(), "identity"},
		{"bytes that only claim to be gzip", "gzip", "/v1/chat/completions", "not gzip", "identity"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			up := newRaw(t, ok(tt.body, "Content-Encoding: "+tt.encoding+"\r\n"))
			r := start(t, whole+"\nupstreams: {raw: {base_url: "+up.URL+"}}\n")
			req := r.request(t, http.MethodPost, tt.path, `{"model":"demo"}`)
			req.Header.Set("Accept-Encoding", "gzip, br")
			res, got := do(t, req)
			if got != tt.body || res.Header.Get("Content-Encoding") != tt.encoding {
				t.Errorf("got %q encoded %q, want the same %d bytes encoded %q", got, res.Header.Get("Content-Encoding"), len(tt.body), tt.encoding)
			}
			if asked := (<-up.requests).Header.Get("Accept-Encoding"); asked != tt.asked {
				t.Errorf("the upstream was asked for %q, want %q", asked, tt.asked)
			}
		})
	}
}

func TestLinesPassUnchanged(t *testing.T) {
	up := newRaw(t, ok(`{}`))
	r := start(t, whole+"\nupstreams: {raw: {base_url: "+up.URL+"}}\n")
	tests := []struct{ name, line, want string }{
		{"an unknown endpoint", "POST /v1/brand/new", "/v1/brand/new"},
		{"an unknown method", "PROPFIND /v1/x", "/v1/x"},
		{"a query in its order", "GET /v1/x?b=2&a=1&a=&c", "/v1/x?b=2&a=1&a=&c"},
		{"a query that cannot be parsed", "GET /v1/x?a=%zz;b&&=", "/v1/x?a=%zz;b&&="},
		{"an escaped slash", "GET /v1/files/a%2Fb%20c", "/v1/files/a%2Fb%20c"},
		{"two slashes", "GET /v1//x", "/v1//x"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r.dial(t, head(tt.line, "User-Agent: test/1", "X-Custom: a", "X-Custom: b", "Connection: close, X-Hop", "X-Hop: 1"))
			got := <-up.requests
			method, _, _ := strings.Cut(tt.line, " ")
			if got.RequestURI != tt.want || got.Method != method {
				t.Errorf("got %s %s, want %s %s", got.Method, got.RequestURI, method, tt.want)
			}
			if custom := got.Header["X-Custom"]; len(custom) != 2 || got.Header.Get("User-Agent") != "test/1" {
				t.Errorf("headers changed: %q", got.Header)
			}
			if got.Header.Get("X-Hop") != "" || got.Header.Get("X-Forwarded-For") != "" {
				t.Errorf("headers between client and relay arrived: %q", got.Header)
			}
		})
	}
}
