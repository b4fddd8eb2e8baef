package server

import (
	"bytes"
	"compress/gzip"
	"context"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/andybalholm/brotli"
	"github.com/coder/websocket"

	"github.com/holysheep/relay/internal/demo"
)

// post returns a raw request of the holder of key, for a chat.
func post(key, body string, headers ...string) string {
	return "POST /v1/chat/completions HTTP/1.1\r\nHost: relay\r\nConnection: close\r\nAuthorization: Bearer " + key +
		"\r\nContent-Type: application/json\r\nOrigin: https://page.example\r\nContent-Length: " + itoa(len(body)) + "\r\n" +
		strings.Join(append(headers, "", body), "\r\n")
}

// A planting is a request that could bring a secret to light.
type planting struct {
	name, request string
	want          string // the status, "" if it may be cut off before it
}

const chat = `{"model":"demo","messages":[{"role":"user","content":"hi"}]}`

func answers() []planting {
	stream := strings.Replace(chat, "{", `{"stream":true,`, 1)
	stored := strings.Replace(chat, "{", `{"temperature":0,`, 1)
	return []planting{
		{"an answer", post(clientKey, chat), "200"},
		{"a stream", post(clientKey, stream), "200"},
		{"an answer that is stored", post(clientKey, stored), "200"},
		{"a stored answer", post(clientKey, stored), "200"},
		{"a stream that breaks off", post(clientKey, stream, "X-Demo-Break: events=3"), "200"},
		{"an answer that breaks off", post(clientKey, chat, "X-Demo-Break: bytes=9"), ""},
		{"an error inside of a stream", post(clientKey, stream, "X-Demo-Error-Event: 1"), "200"},
		{"headers of the upstream's account", post(clientKey, chat, "X-Account: true"), "200"},
		{"headers of the upstream's account on a stream", post(clientKey, stream, "X-Account: true"), "200"},
		{"headers of the upstream's account on an error", post(clientKey, chat, "X-Account: true", "X-Demo-Status: 400"), "400"},
		{"a hint before the answer", post(clientKey, chat, "X-Demo-Early: 103"), "103"},
		{"an informational answer", post(clientKey, chat, "X-Demo-Early: 102"), "102"},
		{"a path in dots", strings.Replace(post(clientKey, chat), "/v1/", "/v1/%2e%2e/", 1), "400"},
		{"no such path", strings.Replace(post(clientKey, chat), "/v1/", "/v9/", 1), "404"},
		{"no such method", strings.Replace(post(clientKey, ""), "POST /v1/chat/completions", "DELETE /health", 1), "405"},
		{"a panic before the centre", post(clientKey, chat, "X-Panic: serve"), "500"},
		{"a panic behind the centre", post(clientKey, chat, "X-Panic: fetch"), "500"},
		{"a panic in the middle of an answer", post(clientKey, chat, "X-Panic: body"), ""},
	}
}

// refusals are requests that the relay refuses.
func refusals() []planting {
	long := chat + strings.Repeat(" ", 5000)
	model := func(name string) string { return strings.Replace(chat, `"demo"`, `"`+name+`"`, 1) }
	return []planting{
		{"a stranger's key", post(strangerKey, chat), "401"},
		{"the upstream's own key", post(upstreamKey, chat), "401"},
		{"Redis's password", post(redisPassword, chat), "401"},
		{"two keys", post(clientKey, chat, "X-Api-Key: "+strangerKey), "401"},
		{"a key without its scheme", strings.Replace(post(strangerKey, chat), "Bearer ", "", 1), "401"},
		{"a stranger's key in the query", strings.Replace(post("", chat), "completions", "completions?key="+strangerKey, 1), "401"},
		{"a model that the key may not use", post(narrowKey, chat), "403"},
		{"a model that nobody serves", post(clientKey, model("no-such")), "404"},
		{"a body that is too long", post(clientKey, long), "413"},
		{
			"a body that grows too long", strings.Replace(post(clientKey, ""), "Content-Length: 0", "Transfer-Encoding: chunked", 1) +
				chunked("", long[:3000], long[3000:]), "413",
		},
		{"a body that breaks the protocol", strings.Replace(post(clientKey, ""), "Content-Length: 0", "Transfer-Encoding: chunked", 1) + "zz\r\n", "400"},
		{"a dead upstream", post(clientKey, model("dead")), "502"},
		{"an upstream that refuses the relay's key", post(clientKey, chat, "X-Demo-Status: 401"), "502"},
		{"an upstream that hangs up", post(clientKey, chat, "X-Demo-Reset: true"), "502"},
		{"an upstream that is slow", post(clientKey, chat, "X-Demo-Latency: 1h"), "504"},
		{"an error 400 of the upstream", post(clientKey, chat, "X-Demo-Status: 400"), "400"},
		{"an error 403 of the upstream", post(clientKey, chat, "X-Demo-Status: 403"), "403"},
		{"an error 429 of the upstream", post(clientKey, chat, "X-Demo-Status: 429"), "429"},
		{"an error 500 of the upstream", post(clientKey, chat, "X-Demo-Status: 500"), "500"},
		{"an error 503 of the upstream", post(clientKey, chat, "X-Demo-Status: 503"), "503"},
		{"an error 504 of the upstream", post(clientKey, chat, "X-Demo-Status: 504"), "504"},
		{"an upstream that repeats its key", post(clientKey, model("liar")), "418"},
	}
}

// tells is an answer that repeats the upstream's key wherever it can.
func tells() string {
	body := `{"error":{"message":"the key ` + upstreamKey + ` is wrong, twice ` + upstreamKey + `"}}`
	return "HTTP/1.1 418 X\r\nContent-Type: application/json\r\nX-Echo: Bearer " + upstreamKey + "\r\nX-Key: " + upstreamKey +
		"\r\nX-Fine: 1\r\nContent-Length: " + itoa(len(body)) + "\r\n\r\n" + body
}

func TestSecretsStayWhereTheyBelong(t *testing.T) {
	liar := newRaw(t, tells())
	r := plant(t, liar.URL)
	r.Demo.Script(account)
	for _, tt := range append(answers(), refusals()...) {
		t.Run(tt.name, func(t *testing.T) {
			answer := r.bytes(t, tt.request)
			if !strings.HasPrefix(strings.TrimPrefix(answer, "HTTP/1.1 "), tt.want) {
				t.Errorf("got %.300q, want %s", answer, tt.want)
			}
			checkSecrets(t, "answer", answer)
		})
	}
	r.leave(t)
	r.upgrade(t)
	r.spend(t)
	r.checkBooks(t)
	r.checkAll(t)
}

// account has the demo upstream speak of its account, where X-Account says so.
func account(req *http.Request) http.Header {
	if req.Header.Get("X-Account") == "" {
		return nil
	}
	return http.Header{"X-Demo-Header": {
		"Set-Cookie: s=sk-upstream-canary", "OpenAI-Organization: org-upstream-canary",
		"OpenAI-Project: proj-upstream-canary", "Anthropic-Organization-Id: org-upstream-canary",
		"WWW-Authenticate: Bearer upstream-canary", "X-Api-Key: sk-upstream-canary",
	}}
}

// leave sends requests whose client does not wait for the answer.
func (r *running) leave(t *testing.T) {
	t.Helper()
	for _, shape := range []string{"X-Demo-Latency: 1h", "X-Demo-Stall: bytes=5"} {
		id := "left-" + shape[7:9]
		seen := r.Demo.Books().Len()
		conn, _ := r.dial(t, post(clientKey, chat, shape, "X-Request-Id: "+id))
		if err := r.Demo.Books().Wait(t.Context(), func(s demo.Snapshot) bool { return s.Len > seen }); err != nil {
			t.Fatal(err)
		}
		_ = conn.Close()
		r.Log.access(t, id)
	}
}

// upgrade opens WebSockets, one of which is refused.
func (r *running) upgrade(t *testing.T) {
	t.Helper()
	for _, key := range []string{clientKey, strangerKey} {
		c, res, err := websocket.Dial(t.Context(), r.URL+"/v1/realtime?model=demo", &websocket.DialOptions{
			Subprotocols: []string{"realtime", "openai-insecure-api-key." + key},
		})
		if (err == nil) != (key == clientKey) {
			t.Errorf("upgrade: %v", err)
		}
		checkSecrets(t, "answer to an upgrade", dump(res.Header))
		if err == nil {
			_ = c.Close(websocket.StatusNormalClosure, "")
		}
	}
}

// spend asks until the limit refuses.
func (r *running) spend(t *testing.T) {
	t.Helper()
	for range 250 {
		if answer := r.bytes(t, post(clientKey, chat)); strings.HasPrefix(answer, "HTTP/1.1 429") {
			checkSecrets(t, "answer of the limit", answer)
			return
		}
	}
	t.Error("250 requests passed a limit of 200")
}

// checkAll looks for secrets in all that the relay tells its operators.
func (r *running) checkAll(t *testing.T) {
	t.Helper()
	for _, path := range []string{"/metrics", "/config", "/plugins/auth/", "/plugins/limit/", "/plugins/cache/", "/plugins/retry/", "/nothing"} {
		_, body := get(t, r.AdminURL+path)
		checkSecrets(t, path, body)
	}
	if err := r.Stop(); err != nil {
		t.Error(err)
	}
	if text := r.Log.All(); !strings.Contains(text, `"msg":"panic"`) || !strings.Contains(text, `"msg":"request"`) {
		t.Errorf("the log does not tell what happened:\n%s", text)
	}
	checkSecrets(t, "log", r.Log.All())
}

// get asks for a URL without any key.
func get(t testing.TB, url string) (*http.Response, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(context.Background(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	return do(t, req)
}

func TestAKeyInAnEncodedErrorStaysHidden(t *testing.T) {
	tests := []struct {
		encoding string
		encode   func(io.Writer) io.WriteCloser
	}{
		{"gzip", func(w io.Writer) io.WriteCloser { return gzip.NewWriter(w) }},
		{"br", func(w io.Writer) io.WriteCloser { return brotli.NewWriter(w) }},
	}
	for _, tt := range tests {
		t.Run(tt.encoding, func(t *testing.T) {
			var b bytes.Buffer
			w := tt.encode(&b)
			_, _ = io.WriteString(w, `{"error":{"message":"the key `+upstreamKey+` is wrong"}}`)
			_ = w.Close()
			up := newRaw(t, "HTTP/1.1 400 X\r\nContent-Encoding: "+tt.encoding+"\r\nContent-Length: "+itoa(b.Len())+"\r\n\r\n"+b.String())
			r := start(t, whole+"\nupstreams: {raw: {base_url: "+up.URL+", api_key_env: UPSTREAM_KEY}}\n")
			req := r.request(t, http.MethodPost, "/v1/files", "")
			req.Header.Set("Accept-Encoding", tt.encoding)
			res, body := do(t, req)
			if res.Header.Get("Content-Encoding") != "" || !strings.Contains(body, "**** is wrong") {
				t.Errorf("got %q encoded %q, want the error in plain, with stars", body, res.Header.Get("Content-Encoding"))
			}
			checkSecrets(t, "encoded error", body)
		})
	}
}
