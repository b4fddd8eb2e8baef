package server

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/holysheep/relay/plugins"
)

// broken is an upstream that breaks off behind what it has sent, with the
// headers that the request's X-Kind and X-Coding say.
func broken(sent string) http.HandlerFunc {
	return func(w http.ResponseWriter, req *http.Request) {
		_, _ = io.Copy(io.Discard, req.Body)
		w.Header().Set("Content-Type", req.Header.Get("X-Kind"))
		if coding := req.Header.Get("X-Coding"); coding != "" {
			w.Header().Set("Content-Encoding", coding)
		}
		_, _ = io.WriteString(w, sent)
		_ = http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	}
}

func TestABreakIsToldInTheFormOfTheWire(t *testing.T) {
	const events = "text/event-stream"
	message := "event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"text_delta\",\"text\":\"baa\"}}\n\n"
	output := "event: response.output_text.delta\ndata: {\"type\":\"response.output_text.delta\",\"delta\":\"baa\"}\n\n"
	tests := []struct {
		name, path, kind, coding, sent string
		want                           bool
	}{
		{"chat", "/v1/chat/completions", events, "", oneEvent, true},
		{"responses", "/v1/responses", events, "", output, true},
		{"messages", "/v1/messages", events, "", message, true},
		{"messages, with CRLF", "/v1/messages", events, "", strings.ReplaceAll(message, "\n", "\r\n"), true},
		{"within an event", "/v1/messages", events, "", message + "event: x\n", true},
		{"behind the end", "/v1/chat/completions", events, "", oneEvent + "data: [DONE]\n\n", false},
		{"an encoded stream", "/v1/chat/completions", events, "br", oneEvent, false},
		{"an answer that is no stream", "/v1/chat/completions", "text/plain", "", oneEvent, false},
		{"what is not looked into", "/v1/audio/speech", events, "", oneEvent, false},
	}
	for _, protocol := range protocols() {
		for _, tt := range tests {
			t.Run(protocol+" "+tt.name, func(t *testing.T) {
				tidy(t)
				up := httptest.NewServer(broken(tt.sent))
				t.Cleanup(up.Close)
				r := (&running{Log: &logs{}}).start(t, whole, up.URL+"/v1")
				got, err := r.call(t, speaks(t, protocol), tt.path, strings.NewReader(stream),
					http.Header{"X-Kind": {tt.kind}, "X-Coding": {tt.coding}}).rest()
				want := strings.TrimSuffix(tt.sent, "event: x\n") // half an event is of use to nobody
				if tt.want {
					want += string(brokeOff(tt.path))
				}
				if string(got) != want || !severed(err) {
					t.Errorf("got %q, %v, want %q and a break", got, err, want)
				}
				if line := r.line(t); line.Status != 200 || line.Ended != brokenOff {
					t.Errorf("access line %v, want 200 that broke off", line)
				}
			})
		}
	}
}

// Of two attempts beside each other nobody can tell whose a hint was.
func TestHintsOfAttemptsBesideEachOtherAreDropped(t *testing.T) {
	beside := plugins.Define("beside", func() noSettings { return noSettings{} }, func(noSettings, plugins.Env) (plugins.Link, error) {
		return plugins.Link{Fetch: func(next http.RoundTripper) http.RoundTripper {
			return roundTrip(func(req *http.Request) (*http.Response, error) {
				res, err := next.RoundTrip(req)
				trail := &plugins.CallOf(req.Context()).Trail
				if req.Header.Get("X-Beside") != "" {
					trail.Choose(trail.Answer())
				}
				return res, err
			})
		}}, nil
	})
	up := newRaw(t, "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"+ok(`{}`))
	r := &running{Log: &logs{}, Plugins: []plugins.Plugin{beside}}
	r.start(t, strings.Replace(whole, "retry]", "beside]", 1)+"upstreams: {raw: {base_url: "+up.URL+"}}\n", "")
	for _, tt := range []struct {
		header string
		hints  int
	}{{"X-Alone: 1", 1}, {"X-Beside: 1", 0}} {
		_, in := r.dial(t, head("POST /v1/embeddings", "Content-Length: 0", "Connection: close", tt.header))
		text, err := io.ReadAll(in)
		if got := strings.Count(string(text), "103 Early Hints"); got != tt.hints || err != nil {
			t.Errorf("%s: %d hints, %v, want %d", tt.header, got, err, tt.hints)
		}
	}
}

// An upstream decodes what is escaped, so that it has to be counted too.
func TestAnEscapeDoesNotHideWhatIsUsed(t *testing.T) {
	r := start(t, whole)
	_, err := r.call(t, speaks(t, "HTTP/1.1"), "/v1/%63hat/completions", strings.NewReader(unary), nil).rest()
	if err != nil {
		t.Fatal(err)
	}
	if line := r.Log.access(t, "leaver"); line["usage"] != string(plugins.UsageReported) || line["output_tokens"] == 0.0 {
		t.Errorf("access line %v, want what was used", line)
	}
}
