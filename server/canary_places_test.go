package server

import (
	"net/http"
	"strings"
	"testing"

	"github.com/holysheep/relay/plugins"
)

// lines makes a raw GET of lines that stand as they are.
func lines(target string, headers ...string) string {
	return "GET " + target + " HTTP/1.1\r\nHost: relay\r\nConnection: close\r\n" + strings.Join(append(headers, "", ""), "\r\n")
}

// A standing is a request whose client's key stands somewhere, and the line
// that the upstream gets of it.
type standing struct{ name, request, want string }

func standings() []standing {
	return []standing{
		{"a bearer token", lines("/v1/x", "Authorization: Bearer "+clientKey), "/v1/x"},
		{"a bearer token in odd case", lines("/v1/x", "aUTHORIZATION: bEARER   "+clientKey+"  "), "/v1/x"},
		{"a bearer token twice", lines("/v1/x", "Authorization: Bearer "+clientKey, "authorization: Bearer "+clientKey), "/v1/x"},
		{"Anthropic's header", lines("/v1/x", "x-api-key: "+clientKey), "/v1/x"},
		{"Anthropic's header in odd case", lines("/v1/x", "X-aPI-kEY: "+clientKey), "/v1/x"},
		{"Azure's header", lines("/v1/x", "api-key: "+clientKey), "/v1/x"},
		{"Google's header", lines("/v1/x", "x-goog-api-key: "+clientKey), "/v1/x"},
		{"Google's parameter", lines("/v1/x?a=1&key=" + clientKey + "&b=2"), "/v1/x?a=1&b=2"},
		{"Google's parameter alone", lines("/v1/x?key=" + clientKey), "/v1/x"},
		{"Google's parameter in escapes", lines("/v1/x?%6B%65y=" + clientKey + "&b=%7e"), "/v1/x?b=%7e"},
		{"Google's parameter with an escaped value", lines("/v1/x?key=%73" + clientKey[1:]), "/v1/x"},
		{"Google's parameter twice", lines("/v1/x?key=" + clientKey + "&b=2&key=" + clientKey), "/v1/x?b=2"},
		{
			"a subprotocol", lines("/v1/x", "Sec-WebSocket-Protocol: realtime, openai-insecure-api-key."+clientKey+
				", openai-organization.test-client-key, openai-beta.realtime-v1"), "/v1/x",
		},
		{"a subprotocol in odd case", lines("/v1/x", "Sec-WebSocket-Protocol: OpenAI-Insecure-API-Key."+clientKey), "/v1/x"},
		{
			"every place at once", lines("/v1/x?key="+clientKey+"&z", "Authorization: Bearer "+clientKey, "X-Api-Key: "+clientKey,
				"Api-Key: "+clientKey, "X-Goog-Api-Key: "+clientKey, "Sec-WebSocket-Protocol: openai-insecure-api-key."+clientKey), "/v1/x?z",
		},
		{"a cookie beside it", lines("/v1/x", "Authorization: Bearer "+clientKey, "Cookie: session="+clientKey, "cookie: b=test-client-key"), "/v1/x"},
		{
			"what is the proxy's and the account's beside it", lines("/v1/x", "Authorization: Bearer "+clientKey,
				"Proxy-Authorization: Basic test-client-key", "OpenAI-Organization: test-client-key", "OpenAI-Project: test-client-key"), "/v1/x",
		},
		{"basic credentials beside it", lines("/v1/x", "X-Api-Key: "+clientKey, "Authorization: Basic test-client-key"), "/v1/x"},
		{"a connection header that names it", lines("/v1/x", "Authorization: Bearer "+clientKey, "Connection: Authorization, X-Api-Key"), "/v1/x"},
	}
}

func TestTheUpstreamGetsItsOwnKeyAlone(t *testing.T) {
	up := newRaw(t, ok(`{}`))
	r := start(t, whole+"\nupstreams: {raw: {base_url: "+up.URL+", api_key_env: UPSTREAM_KEY}}\n")
	for _, tt := range standings() {
		t.Run(tt.name, func(t *testing.T) {
			if answer := r.bytes(t, tt.request); !strings.HasPrefix(answer, "HTTP/1.1 200") {
				t.Fatalf("got %q, want 200", answer)
			}
			got := <-up.requests
			if keys := got.Header["Authorization"]; len(keys) != 1 || keys[0] != "Bearer "+upstreamKey {
				t.Errorf("Authorization %q, want the upstream's key alone", keys)
			}
			got.Header.Del("Authorization")
			checkSecrets(t, "request at the upstream", got.RequestURI+"\n"+dump(got.Header)+string(got.Body))
			if got.RequestURI != tt.want {
				t.Errorf("asked for %q, want %q", got.RequestURI, tt.want)
			}
		})
	}
	_ = r.Stop()
	checkSecrets(t, "log", r.Log.All())
}

func TestWithoutAKeyOfItsOwnTheRelaySendsNone(t *testing.T) {
	up := newRaw(t, ok(`{}`))
	r := start(t, whole+"\nupstreams: {raw: {base_url: "+up.URL+"}}\n")
	r.bytes(t, lines("/v1/x?key="+clientKey, "Authorization: Bearer "+clientKey, "Cookie: a=test-client-key"))
	got := <-up.requests
	if keys := got.Header["Authorization"]; len(keys) > 0 {
		t.Errorf("Authorization %q, want none", keys)
	}
	checkSecrets(t, "request at the upstream", got.RequestURI+dump(got.Header))
}

// Without auth the relay does not read the credentials, and takes them off all
// the same.
func TestAnonymousRequestsBringNoKeyToTheUpstream(t *testing.T) {
	up := newRaw(t, ok(`{}`))
	r := start(t, "chain: []\nupstreams: {raw: {base_url: "+up.URL+", api_key_env: UPSTREAM_KEY}}\n")
	r.bytes(t, lines("/v1/x?key="+strangerKey, "Authorization: Bearer "+clientKey, "Api-Key: "+strangerKey))
	got := <-up.requests
	if keys := got.Header["Authorization"]; len(keys) != 1 || keys[0] != "Bearer "+upstreamKey {
		t.Errorf("Authorization %q, want the upstream's key alone", keys)
	}
	got.Header.Del("Authorization")
	checkSecrets(t, "request at the upstream", got.RequestURI+dump(got.Header))
}

func TestAHintBringsNoCookieOfTheUpstream(t *testing.T) {
	up := newRaw(t, "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\nSet-Cookie: s=upstream-canary\r\nOpenAI-Organization: upstream-canary\r\n\r\n"+ok(`{}`))
	r := start(t, whole+"\nupstreams: {raw: {base_url: "+up.URL+"}}\n")
	answer := r.bytes(t, lines("/v1/x", "X-Api-Key: "+clientKey))
	if !strings.HasPrefix(answer, "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n") {
		t.Errorf("got %q, want the hint first", answer)
	}
	checkSecrets(t, "answer", answer)
}

func TestTrailersBringNoSecrets(t *testing.T) {
	up := newRaw(t, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum, Set-Cookie\r\n\r\n"+
		chunked("X-Sum: 1\r\nSet-Cookie: s=upstream-canary\r\n", "abc"))
	r := start(t, whole+"\nupstreams: {raw: {base_url: "+up.URL+"}}\n")
	request := strings.Replace(lines("/v1/x", "X-Api-Key: "+clientKey, "Transfer-Encoding: chunked", "Trailer: X-Sum, Api-Key, Cookie"), "GET", "POST", 1)
	answer := r.bytes(t, request+chunked("X-Sum: 2\r\nApi-Key: "+clientKey+"\r\nCookie: test-client-key\r\n", "abc"))
	if !strings.Contains(answer, "X-Sum: 1") {
		t.Errorf("got %q, want the trailer X-Sum", answer)
	}
	checkSecrets(t, "answer", answer)
	got := <-up.requests
	if got.Trailer.Get("X-Sum") != "2" {
		t.Errorf("trailer %q, want X-Sum", got.Trailer)
	}
	checkSecrets(t, "trailer at the upstream", dump(got.Trailer)+dump(got.Header))
}

// The prefixes of the wires, each with every place in which a client's key may
// stand: auth reads it there, and nothing behind auth finds it.
func TestEveryPlaceIsReadAndStrippedOnEveryWire(t *testing.T) {
	seen := make(chan *http.Request, 1)
	r := &running{Log: &logs{}, Plugins: []plugins.Plugin{sees(seen)}}
	r.start(t, strings.Replace(whole, "limit, cache, retry", "sees", 1), "http://127.0.0.1:9/v1")
	for _, path := range []string{
		"/v1/messages", "/v1/models/a:generateContent", "/v1beta/x", "/v1beta/models/a:streamGenerateContent",
		"/openai/x", "/openai/deployments/a/chat/completions", "/openai/v1/realtime",
	} {
		for _, tt := range standings() {
			t.Run(path+" "+tt.name, func(t *testing.T) {
				answer := r.bytes(t, strings.Replace(tt.request, "/v1/x", path, 1))
				if !strings.HasPrefix(answer, "HTTP/1.1 200") {
					t.Fatalf("got %q, want 200", answer)
				}
				got := <-seen
				if want := strings.Replace(tt.want, "/v1/x", path, 1); got.URL.RequestURI() != want {
					t.Errorf("asked for %q, want %q", got.URL.RequestURI(), want)
				}
				checkSecrets(t, "request in the chain", got.URL.String()+"\n"+dump(got.Header))
			})
		}
		if answer := r.bytes(t, lines(path, "Authorization: Bearer "+strangerKey)); !strings.HasPrefix(answer, "HTTP/1.1 401") {
			t.Errorf("%s: a stranger got %q, want 401", path, answer)
		}
	}
}

// sees is a plugin that answers itself, and shows what it was asked.
func sees(seen chan<- *http.Request) plugins.Plugin {
	return plugins.Define("sees", func() noSettings { return noSettings{} }, func(noSettings, plugins.Env) (plugins.Link, error) {
		return plugins.Link{Fetch: func(http.RoundTripper) http.RoundTripper {
			return roundTrip(func(req *http.Request) (*http.Response, error) {
				seen <- req
				return &http.Response{StatusCode: 200, Header: http.Header{}, Body: http.NoBody}, nil
			})
		}}, nil
	})
}
