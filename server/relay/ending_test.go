package relay

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/holysheep/relay/internal/wire"
	"github.com/holysheep/relay/plugins"
)

var errBroken = errors.New("broken")

// newExchange returns an exchange of a client that asks for chat, or for what
// path says, through rt.
func newExchange(ctx context.Context, path string, rt http.RoundTripper, o Options) *exchange {
	call := plugins.NewCall("id", func() plugins.Ask { return plugins.Ask{Stream: true, Whole: true} })
	route, _ := wire.Of(path)
	return &exchange{Relay: New(rt, o), client: ctx, call: call, route: route, w: &writer{call: call}}
}

func TestAnErrorEventStandsBetweenTwoEvents(t *testing.T) {
	tests := []struct {
		name, sent string
		want       bool
	}{
		{"nothing", "", true},
		{"behind an event", "data: 1\n\n", true},
		{"behind a comment", ": wait\n\n", true},
		{"behind CRLF", "data: 1\r\n\r\n", true},
		{"behind CR", "data: 1\r\r", true},
		{"behind mixed line ends", "data: 1\n\r\n", true},
		{"behind other mixed line ends", "data: 1\r\r\n", true},
		{"within CRLF that may go on", "data: 1\r\n\r", true},
		{"behind many", strings.Repeat("data: 1\n\n", 500), true},
		{"behind a blank line at the beginning", "\n", true},
		{"within a line", "data: 1\n\ndata: 2", false},
		{"within an event", "data: 1\n\ndata: 2\n", false},
		{"within an event of CRLF", "data: 1\r\n", false},
		{"within an event of CR", "data: 1\r", false},
		{"behind the sign that it is whole", "data: 1\n\ndata: [DONE]\n\n", false},
		{"behind that sign with CRLF", "data: 1\r\n\r\ndata: [DONE]\r\n\r\n", false},
		{"behind an event that speaks of it", "data: {\"text\":\"[DONE]\"}\n\n", true},
		{"behind a short event that speaks of it", "data: [DONE]\"}\n\n", true},
		{"behind an event after a sign", "data: [DONE]\n\ndata: more\n\n", true},
	}
	readers := map[string]func(io.Reader) io.Reader{
		"whole": func(r io.Reader) io.Reader { return r }, "by the byte": iotest.OneByteReader, "with the error at once": iotest.DataErrReader,
	}
	for _, tt := range tests {
		for how, reader := range readers {
			t.Run(tt.name+" "+how, func(t *testing.T) {
				x := newExchange(t.Context(), "/v1/chat/completions", nil, Options{})
				src := reader(io.MultiReader(strings.NewReader(tt.sent), iotest.ErrReader(errBroken)))
				e := &ending{ReadCloser: io.NopCloser(src), x: x, tail: newTail()}
				got, err := io.ReadAll(iotest.OneByteReader(e))
				rest, found := strings.CutPrefix(string(got), tt.sent)
				if !found || !errors.Is(err, errBroken) {
					t.Errorf("got %q, %v, want what was sent, and the error", got, err)
				}
				want := ""
				if tt.want {
					want = string(x.route.Event(problem(errBroken)))
				}
				if rest != want || tt.want == (want == "") {
					t.Errorf("at the end %q, want %q", rest, want)
				}
			})
		}
	}
}

func TestAStreamThatEndsIsNotEndedAnew(t *testing.T) {
	x := newExchange(t.Context(), "/v1/chat/completions", nil, Options{})
	e := &ending{ReadCloser: io.NopCloser(strings.NewReader("data: 1\n\n")), x: x, tail: newTail()}
	if got, err := io.ReadAll(e); string(got) != "data: 1\n\n" || err != nil {
		t.Errorf("got %q, %v, want the stream as it is", got, err)
	}
}

func TestWhoIsToldThatAStreamBrokeOff(t *testing.T) {
	cut := &plugins.Error{Status: 503, Type: "server_error", Code: "draining", Message: "stops"}
	tests := []struct {
		name  string
		cause error
		code  string
	}{
		{"a client that is there", nil, "upstream_broke_off"},
		{"a client that has left", context.Canceled, ""},
		{"a client that is cut", cut, "upstream_broke_off"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			ctx, cancel := context.WithCancelCause(t.Context())
			if tt.cause != nil {
				cancel(tt.cause)
			}
			x := newExchange(ctx, "/v1/chat/completions", nil, Options{})
			e := &ending{ReadCloser: io.NopCloser(iotest.ErrReader(errBroken)), x: x, tail: newTail()}
			got, err := io.ReadAll(e)
			if !errors.Is(err, errBroken) || (len(got) > 0) != (tt.code != "") || !strings.Contains(string(got), tt.code) {
				t.Errorf("got %q, %v, want the code %q", got, err, tt.code)
			}
			cancel(nil)
		})
	}
}

func TestTheProblemIsWhatBrokeTheStream(t *testing.T) {
	idle := &plugins.Error{Status: 504, Type: "upstream_error", Code: "upstream_idle_timeout", Message: "silent", Again: true}
	if got, want := problem(idle.Because(errBroken)), (wire.Problem{Status: 504, Type: "upstream_error", Code: "upstream_idle_timeout", Message: "silent"}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if got := problem(errBroken); got.Code != "upstream_broke_off" || got.Status != 502 || strings.Contains(got.Message, "broken") {
		t.Errorf("got %+v, want what anybody may know", got)
	}
}

func TestWhichAnswersAreStreamsOfEvents(t *testing.T) {
	tests := []struct {
		name, kind, coding string
		status             int
		want               bool
	}{
		{"a stream", "text/event-stream", "", 200, true},
		{"with a charset, in odd case", "Text/Event-Stream ; charset=utf-8", "Identity", 200, true},
		{"encoded", "text/event-stream", "gzip", 200, false},
		{"an error", "text/event-stream", "", 500, false},
		{"JSON", "application/json", "", 200, false},
		{"nothing", "", "", 200, false},
	}
	for _, tt := range tests {
		res := &http.Response{StatusCode: tt.status, Header: http.Header{"Content-Type": {tt.kind}, "Content-Encoding": {tt.coding}}}
		if got := sendsEvents(res); got != tt.want {
			t.Errorf("%s: %t, want %t", tt.name, got, tt.want)
		}
	}
}

func BenchmarkTail(b *testing.B) {
	piece := []byte(`data: {"choices":[{"delta":{"content":"baa"}}]}` + "\n\n")
	last := newTail()
	for b.Loop() {
		last.add(piece)
	}
	if !last.open() {
		b.Fatal("an event is not over")
	}
}
