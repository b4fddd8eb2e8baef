package server

import (
	"errors"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/holysheep/relay/plugins"
)

// The model decides the upstream, so that a body that breaks is looked into
// before it is sent.
const byModel = "\nrequest_timeout: 300ms\nmax_body: 4KiB\nmax_replay: 4KiB\nupstreams: {demo: {base_url: UPSTREAM, models: [demo]}}\n"

func TestTheAccessLineHasTheCodeThatTheClientGot(t *testing.T) {
	const chat = "POST /v1/chat/completions"
	tests := []struct {
		name, request string
		code, err     string
	}{
		{"no such URL", head("GET /nothing", "X-Request-Id: asked"), "unknown_url", "unknown_url: no such URL: this relay answers under /v1/, /v1beta/ and /openai/"},
		{"no key", "GET /v1/models HTTP/1.1\r\nHost: x\r\nX-Request-Id: asked\r\n\r\n", "missing_api_key", `missing_api_key: no API key: send it as "Authorization: Bearer <key>"`},
		{"a body that stops", head(chat, "X-Request-Id: asked", "Content-Length: 100") + "12345", "body_timeout", "body_timeout: the request's body did not arrive in time: read tcp "},
		{"a body in broken chunks", head(chat, "X-Request-Id: asked", "Transfer-Encoding: chunked") + "zz\r\n", "body_broken", "body_broken: the request's body ended before its length or broke the protocol: invalid byte in chunk length"},
		{"a body that says it is too large", head(chat, "X-Request-Id: asked", "Content-Length: 5000"), "request_too_large", "request_too_large: the request's body is larger than 4KiB, which is max_body here"},
		{"a model of nobody", head(chat, "X-Request-Id: asked", "Content-Length: 13") + `{"model":"x"}`, "model_not_found", "model_not_found: "},
		{"an answer that does not come", head(chat, "X-Request-Id: asked", "X-Demo-Latency: 1h", "Content-Length: 16") + `{"model":"demo"}`, "upstream_timeout", "upstream_timeout: the upstream did not answer within request_timeout"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := start(t, whole+byModel)
			_, body := r.raw(t, tt.request)
			line := r.Log.access(t, "asked")
			if got := errorCode(body); got != tt.code || line["code"] != tt.code {
				t.Errorf("the client got %q, the line has %q, want %q", got, line["code"], tt.code)
			}
			text, _ := line["err"].(string)
			if whole := !strings.HasSuffix(tt.err, " "); !strings.HasPrefix(text, tt.err) || whole && text != tt.err {
				t.Errorf("err = %q, want %q", text, tt.err)
			}
			if line["ended"] != nil {
				t.Errorf("ended = %q of an answer that is whole", line["ended"])
			}
		})
	}
}

func TestAClientThatLeftGotNoBytes(t *testing.T) {
	r := start(t, whole+byModel)
	conn, in := r.dial(t, head("POST /v1/chat/completions", "X-Request-Id: asked", "Content-Length: 100")+"12345")
	if err := conn.(*net.TCPConn).CloseWrite(); err != nil {
		t.Fatal(err)
	}
	if res, err := http.ReadResponse(in, nil); err != nil || res.StatusCode != 499 {
		t.Errorf("got %v, %v, want 499: it could still read", res, err)
	}
	line := r.Log.access(t, "asked")
	if line["status"] != 499.0 || line["ended"] != clientGone || line["code"] != "client_closed_request" || line["level"] != "INFO" {
		t.Errorf("access line %v, want 499 of a client that left", line)
	}
	for _, name := range []string{"bytes", "first_byte_ms"} {
		if line[name] != nil {
			t.Errorf("%s = %v, want none", name, line[name])
		}
	}
}

func TestTheTextOfAFaultIsScrubbedButForWhatTheClientIsTold(t *testing.T) {
	told := &plugins.Error{Code: "rate_limit_exceeded", Message: `the limit "fair" is reached`}
	tests := []struct {
		name string
		err  error
		want string
	}{
		{"what the client is told", told, `rate_limit_exceeded: the limit "fair" is reached`},
		{"with a cause", told.Because(errors.New(`read "secret"`)), `rate_limit_exceeded: the limit "fair" is reached: read "…"`},
		{"what it is not told", errors.New(`read "secret"`), `read "…"`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := faultText(tt.err); got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
		})
	}
}
