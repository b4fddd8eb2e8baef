package server

import (
	"bytes"
	"io"
	"maps"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"

	"github.com/holysheep/relay/internal/demo"
	"github.com/holysheep/relay/plugins"
	"github.com/holysheep/relay/server/relay"
)

const keepAlive = ": keep-alive\n\n"

func TestAClientIsKeptWaiting(t *testing.T) {
	for _, protocol := range protocols() {
		t.Run(protocol, func(t *testing.T) {
			tidy(t)
			r, up := startLate(t, keeping, nil)
			c := r.call(t, speaks(t, protocol), "/v1/chat/completions", strings.NewReader(stream), http.Header{"X-Late": {"answer"}})
			if got := string(c.read(t, 3*len(keepAlive))); got != strings.Repeat(keepAlive, 3) {
				t.Errorf("got %q, want comments", got)
			}
			close(up.release)
			rest, err := c.rest()
			events := bytes.TrimLeft(bytes.ReplaceAll(rest, []byte(keepAlive), nil), "\n")
			if err != nil || !bytes.HasPrefix(events, []byte("data: ")) || !bytes.HasSuffix(events, []byte("data: [DONE]\n\n")) {
				t.Errorf("got %q, %v, want the stream", rest, err)
			}
			if i := bytes.Index(rest, []byte("data: ")); bytes.Contains(rest[max(i, 0):], []byte(keepAlive)) {
				t.Error("a comment stands behind the first event")
			}
			got := c.res.Header.Clone()
			for name, want := range map[string]string{
				"Content-Type": "text/event-stream", "Cache-Control": "no-cache", "X-Accel-Buffering": "no",
				"X-Request-Id": "leaver", "X-Ratelimit-Limit-Requests": "100", "X-Cache": "BYPASS",
			} {
				if got.Get(name) != want {
					t.Errorf("%s = %q, want %q", name, got.Get(name), want)
				}
			}
			if diff := cmp.Diff(r.line(t), told{200, nil, 1}); diff != "" {
				t.Errorf("access line (-got +want):\n%s", diff)
			}
		})
	}
}

func TestAnErrorThatComesLate(t *testing.T) {
	answer := func(status int, kind, body string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", kind)
			w.WriteHeader(status)
			_, _ = io.WriteString(w, body)
		}
	}
	limited := &plugins.Error{Status: 429, Type: "tokens", Code: "slow", Message: "the-secret-answer"}
	tests := []struct {
		name, config string
		other        http.HandlerFunc
		want         *plugins.Error
		line         told
		code         any
	}{
		{"the upstream's", "", answer(429, "application/json", `{"error":{"message":"the-secret-answer","type":"tokens","code":"slow"}}`), limited, told{429, lateError, 1}, nil},
		{"no stream", "", answer(200, "application/json", `{}`), relay.ErrNoStream, told{502, lateError, 1}, "upstream_no_stream"},
		{"no answer", "", func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, relay.ErrUnreachable, told{502, lateError, 1}, "upstream_unreachable"},
		{"the relay's key is refused", "", answer(401, "application/json", `{}`), &plugins.Error{
			Status: 502, Type: "upstream_error", Code: "upstream_unauthorized", Message: "the upstream refused the relay's own credentials",
		}, told{502, lateError, 1}, "upstream_unauthorized"},
	}
	for _, tt := range tests {
		for _, path := range []string{"/v1/chat/completions", "/v1/messages"} {
			t.Run(tt.name+" "+path, func(t *testing.T) {
				tidy(t)
				r, up := startLate(t, strings.Replace(keeping, ", retry]", "]", 1), tt.other)
				c := r.call(t, speaks(t, "HTTP/1.1"), path, strings.NewReader(stream), http.Header{"X-Late": {"answer"}})
				c.read(t, len(keepAlive))
				close(up.release)
				got, err := c.rest()
				if want := eventOf(path, tt.want); !severed(err) || !bytes.HasSuffix(got, want) {
					t.Errorf("got %q, %v, want %q and a break", got, err, want)
				}
				if diff := cmp.Diff(r.line(t), tt.line); diff != "" {
					t.Errorf("access line (-got +want):\n%s", diff)
				}
				if line := r.Log.access(t, "leaver"); line["code"] != tt.code {
					t.Errorf("code = %v, want %v", line["code"], tt.code)
				}
				if n := r.metric(t, "http_requests_total", "status", itoa(int(tt.line.Status))); n != 1 {
					t.Errorf("%g requests of status %g were counted, want 1", n, tt.line.Status)
				}
				if strings.Contains(r.Log.All(), "the-secret-answer") {
					t.Error("the log holds what the upstream wrote")
				}
			})
		}
	}
}

func TestTheSDKSeesALateError(t *testing.T) {
	tidy(t)
	r, up := startLate(t, keeping, nil)
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	client := openai.NewClient(option.WithBaseURL(r.URL+"/v1"), option.WithAPIKey(clientKey),
		option.WithHTTPClient(&http.Client{Transport: transport}), option.WithHeader("X-Late", "answer"),
		option.WithHeader("X-Demo-Status", "400"), option.WithHeader("X-Demo-Code", "odd"))
	s := client.Chat.Completions.NewStreaming(t.Context(), question("hello"))
	close(up.release)
	for s.Next() {
		t.Errorf("event %s, want none", s.Current().RawJSON())
	}
	if err := s.Err(); err == nil || !strings.Contains(err.Error(), "odd") {
		t.Errorf("error %v, want that of the upstream", err)
	}
}

func TestAClientThatIsKeptWaitingLeaves(t *testing.T) {
	for _, protocol := range protocols() {
		t.Run(protocol, func(t *testing.T) {
			tidy(t)
			r, _ := startLate(t, keeping, nil)
			c := r.call(t, speaks(t, protocol), "/v1/chat/completions", strings.NewReader(stream), http.Header{"X-Demo-Latency": {"1h"}})
			c.read(t, len(keepAlive))
			c.leave()
			if rec := r.await(t, ended); rec.State != demo.Cancelled {
				t.Errorf("at the upstream the request is %q, want cancelled", rec.State)
			}
			if diff := cmp.Diff(r.line(t), told{499, "client_gone", 1}); diff != "" {
				t.Errorf("access line (-got +want):\n%s", diff)
			}
		})
	}
}

func TestAClientThatIsKeptWaitingIsTheLastToHear(t *testing.T) {
	tests := []struct {
		name, config string
		header       http.Header
		stop         bool
		want         *plugins.Error
		line         told
	}{
		{"of a limit in time", "request_timeout: 1s\n", nil, false, relay.ErrTimeout, told{504, lateError, 1}},
		{"of the relay's end", "drain: 10ms\n", nil, true, ErrDraining, told{503, drained, 1}},
		{"of a panic", "", http.Header{"X-Panic": {"body"}}, false, nil, told{200, "broken_off", 1}},
	}
	for _, tt := range tests {
		for _, gone := range []string{"cancel", "drain"} {
			t.Run(tt.name+" "+gone, func(t *testing.T) {
				config := strings.Replace(keeping, "auth, limit", "auth, panics, limit", 1)
				r, up := startLate(t, config+tt.config+"on_client_gone: "+gone+"\n", nil)
				header := http.Header{"X-Late": {"answer"}}
				maps.Copy(header, tt.header)
				c := r.call(t, speaks(t, "HTTP/1.1"), "/v1/chat/completions", strings.NewReader(stream), header)
				c.read(t, len(keepAlive))
				if tt.stop {
					_ = r.Stop()
				}
				if tt.header != nil {
					close(up.release)
				}
				got, err := c.rest()
				if want := ""; tt.want != nil {
					want = string(eventOf("/v1/chat/completions", tt.want))
					if !bytes.HasSuffix(got, []byte(want)) {
						t.Errorf("got %q, want %q at the end", got, want)
					}
				}
				if !severed(err) {
					t.Errorf("ended with %v, want a break", err)
				}
				if diff := cmp.Diff(r.line(t), tt.line); diff != "" {
					t.Errorf("access line (-got +want):\n%s", diff)
				}
				if tt.header != nil {
					r.Log.count(t, `"msg":"panic"`, 1)
				}
			})
		}
	}
}

// A hint of an attempt that has not answered yet says nothing about the answer.
func TestAHintBeforeAnAnswerThatIsLateIsDropped(t *testing.T) {
	up := newRaw(t, "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n")
	r := start(t, whole+"\nstream_keepalive: 20ms\nupstreams: {raw: {base_url: "+up.URL+"}}\n")
	_, in := r.dial(t, head("POST /v1/chat/completions", "Content-Type: application/json", "Connection: close", "Content-Length: "+itoa(len(stream)))+stream)
	got, err := io.ReadAll(in)
	if err != nil || strings.Contains(string(got), "103") {
		t.Errorf("got %q, %v, want no hint", got, err)
	}
}

// What is no stream waits in silence, and answers with its own status.
func TestWhatIsNoStreamIsNotKeptWaiting(t *testing.T) {
	bodies := map[string]string{
		"a whole answer":    unary,
		"a stream in doubt": `{"model":"demo","stream":true,"stream":true,"messages":[]}`,
	}
	for name, body := range bodies {
		t.Run(name, func(t *testing.T) {
			up := newHeld(t)
			r := (&running{Log: &logs{}}).start(t, whole+"stream_keepalive: 1ns\n", up.URL)
			c := r.call(t, speaks(t, "HTTP/1.1"), "/v1/chat/completions", strings.NewReader(body), http.Header{"X-Hold": {"answer"}})
			one := up.next(t)
			close(one.release)
			got, err := c.rest()
			if err != nil || string(got) != `{"held":"no"}` {
				t.Errorf("got %q, %v, want the answer", got, err)
			}
		})
	}
}
