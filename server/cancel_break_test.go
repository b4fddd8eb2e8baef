package server

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/net/http2"

	"github.com/holysheep/relay/internal/demo"
	"github.com/holysheep/relay/internal/wire"
	"github.com/holysheep/relay/plugins"
	"github.com/holysheep/relay/server/relay"
)

// breaks are answers that the upstream does not bring to their end.
func breaks() map[string]struct {
	path, body string
	plan       http.Header
} {
	long := strings.Repeat("0123456789abcdef", 8<<10)
	type answer = struct {
		path, body string
		plan       http.Header
	}
	return map[string]answer{
		"a stream after two events": {"/v1/chat/completions", stream, http.Header{"X-Demo-Break": {"events=2"}}},
		"a stream within an event":  {"/v1/chat/completions", stream, http.Header{"X-Demo-Break": {"bytes=600"}}},
		"a stream before its end":   {"/v1/chat/completions", stream, http.Header{"X-Demo-Break": {"events=1000"}}},
		"an answer of fixed length": {"/v1/echo", long, http.Header{"X-Demo-Break": {"bytes=65536"}}},
		"an answer in chunks":       {"/v1/echo", long, http.Header{"X-Demo-Break": {"bytes=65536"}, "X-Demo-Length": {"chunked"}}},
	}
}

func TestAnAnswerThatBreaksOffIsBrokenOff(t *testing.T) {
	for _, protocol := range protocols() {
		for name, tt := range breaks() {
			t.Run(protocol+" "+name, func(t *testing.T) {
				tidy(t)
				r := start(t, whole)
				c := r.call(t, speaks(t, protocol), tt.path, strings.NewReader(tt.body), tt.plan)
				got, err := c.rest()
				if !severed(err) {
					t.Errorf("reading ended with %v, want a connection that breaks", err)
				}
				got, why := bytes.CutSuffix(got, brokeOff(tt.path))
				if want := name == "a stream after two events" || name == "a stream within an event"; why != want {
					t.Errorf("%q, told of the break: want %t", got, want)
				}
				if c.err != nil || c.res.StatusCode != 200 {
					t.Fatalf("answer %v, %v, want one that has begun", c.res, c.err)
				}
				rec := r.await(t, ended)
				if rec.State != demo.Aborted || int64(len(got)) > rec.BytesOut {
					t.Errorf("%d bytes came of the %d that the upstream sent, which is %q", len(got), rec.BytesOut, rec.State)
				}
				if rec.Events < 3 && bytes.Contains(got, []byte("[DONE]")) {
					t.Errorf("an end was made up: %q", got)
				}
				if diff := cmp.Diff(r.line(t), told{200, "broken_off", 1}); diff != "" {
					t.Errorf("access line (-got +want):\n%s", diff)
				}
			})
		}
	}
}

// brokeOff is the event that tells a client of a break of its stream.
func brokeOff(path string) []byte { return eventOf(path, relay.ErrBrokeOff) }

// eventOf is the event that tells a client of an error.
func eventOf(path string, e *plugins.Error) []byte {
	route, _ := wire.Of(path)
	return route.Event(wire.Problem{Status: e.Status, Type: e.Type, Code: e.Code, Message: e.Message})
}

// severed reports whether an answer broke off, in HTTP/1.1 by the connection's
// end, in HTTP/2 by a reset of the stream.
func severed(err error) bool {
	var reset http2.StreamError
	return errors.Is(err, io.ErrUnexpectedEOF) || errors.As(err, &reset) && reset.Code == http2.ErrCodeInternal
}

// What was not sent cannot be mistaken for an end: the last chunk is missing on
// the wire.
func TestAStreamThatBreaksOffHasNoLastChunk(t *testing.T) {
	tidy(t)
	r := start(t, whole)
	_, in := r.dial(t, head("POST /v1/chat/completions", "Content-Type: application/json",
		"X-Demo-Break: events=3", "Content-Length: "+itoa(len(stream)))+stream)
	got, err := io.ReadAll(in)
	if err != nil {
		t.Fatalf("reading to the end of the connection: %v", err)
	}
	if !bytes.Contains(got, []byte("chunked")) || bytes.Count(got, []byte("data: ")) != 3+1 ||
		!bytes.HasSuffix(got, append(brokeOff("/v1/chat/completions"), "\r\n"...)) {
		t.Errorf("got %q, want a chunked answer of three events, and one that tells why", got)
	}
	if bytes.HasSuffix(got, []byte("\r\n0\r\n\r\n")) || bytes.Contains(got, []byte("[DONE]")) {
		t.Errorf("an end was made up: %q", got)
	}
}

// An answer so short that none of it had left the relay when it broke off: the
// client gets no answer rather than a part of one.
func TestAShortAnswerThatBreaksOffIsNone(t *testing.T) {
	tidy(t)
	r := start(t, whole)
	c := r.call(t, speaks(t, "HTTP/1.1"), "/v1/chat/completions", strings.NewReader(unary), http.Header{"X-Demo-Break": {"bytes=50"}})
	if got, err := c.rest(); err == nil {
		t.Errorf("got %q as a whole answer", got)
	}
	if diff := cmp.Diff(r.line(t), told{200, "broken_off", 1}); diff != "" {
		t.Errorf("access line (-got +want):\n%s", diff)
	}
}

// It is the relay that gives up here, not the client.
func TestAnAnswerThatTakesTooLongIsNoClientThatLeft(t *testing.T) {
	tests := []struct {
		name string
		plan http.Header
		want told
	}{
		{"before it begins", http.Header{"X-Demo-Latency": {"1h"}}, told{504, nil, 1}},
		{"when it has begun", http.Header{"X-Demo-Stall": {"bytes=65536"}}, told{200, "broken_off", 1}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tidy(t)
			r := start(t, whole+"request_timeout: 1s\n")
			long := strings.Repeat("0123456789abcdef", 8<<10)
			_, err := r.call(t, speaks(t, "HTTP/1.1"), "/v1/echo", strings.NewReader(long), tt.plan).rest()
			if broken := tt.want.Status == 200; severed(err) != broken || !broken && err != nil {
				t.Errorf("reading ended with %v", err)
			}
			if rec := r.await(t, ended); rec.State != demo.Cancelled {
				t.Errorf("at the upstream the request is %q, want cancelled", rec.State)
			}
			if diff := cmp.Diff(r.line(t), tt.want); diff != "" {
				t.Errorf("access line (-got +want):\n%s", diff)
			}
		})
	}
}
