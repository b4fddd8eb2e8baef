package upstream

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	"github.com/holysheep/relay/plugins"
	"github.com/holysheep/relay/plugins/plugintest"
)

func TestAnErrorAheadOfContentIsAFault(t *testing.T) {
	const role = "data: {\"choices\":[{\"delta\":{\"role\":\"assistant\"}}]}\n\n"
	const text = "data: {\"choices\":[{\"delta\":{\"content\":\"a\"}}]}\n\n"
	tests := []struct {
		name, path, stream string
		want               plugins.Fault
	}{
		{"first of all", chatPath, "data: {\"error\":{\"code\":\"server_error\"}}\n\n", plugins.FaultEvent},
		{"behind a role", chatPath, role + ": wait\n\n" + "data: {\"error\":{\"code\":429}}\n\n", plugins.FaultEvent},
		{"by name", "/v1/messages", "event: message_start\ndata: {\"message\":{}}\n\nevent: error\ndata: {\"error\":{\"type\":\"overloaded_error\"}}\n\n", plugins.FaultEvent},
		{"of a response", "/v1/responses", "event: response.created\ndata: {}\n\nevent: error\ndata: {\"code\":\"server_error\"}\n\n", plugins.FaultEvent},
		{"one that does not pass", chatPath, role + "data: {\"error\":{\"code\":\"invalid_prompt\"}}\n\n", plugins.NoFault},
		{"behind content", chatPath, role + text + "data: {\"error\":{\"code\":\"server_error\"}}\n\n", plugins.NoFault},
		{"none", chatPath, role + text + "data: [DONE]\n\n", plugins.NoFault},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			x := newTrialAt(t, "http://one/v1", tt.path, chatAsk, nil).answers(io.NopCloser(strings.NewReader(tt.stream)))
			res, err := x.do()
			if got := x.attempt.Fault(); got != tt.want {
				t.Errorf("fault = %q, want %q", got, tt.want)
			}
			if got, err := readAll(t, res, err); got != tt.stream || err != nil {
				t.Errorf("%v, got %q, want %q", err, got, tt.stream)
			}
		})
	}
}

func TestTheDemosErrorEventIsAFault(t *testing.T) {
	for at, want := range map[string]plugins.Fault{"0": plugins.FaultEvent, "1": plugins.FaultEvent, "2": plugins.NoFault} {
		x := newTrial(t, still(), chatPath, chatAsk, nil)
		x.req.Header.Set("X-Demo-Error-Event", at)
		res, err := x.do()
		if got := x.attempt.Fault(); got != want {
			t.Errorf("after %s events: fault %q, want %q", at, got, want)
		}
		if _, err := readAll(t, res, err); err != nil {
			t.Error(err)
		}
	}
}

func TestAStreamThatSaysNothing(t *testing.T) {
	broken := errors.New("broken")
	const role = "data: {\"choices\":[{\"delta\":{\"role\":\"assistant\"}}]}\n\n"
	tests := []struct {
		name string
		body io.Reader
		want error
		ours bool
	}{
		{"nothing at all", strings.NewReader(""), ErrEmptyStream, true},
		{"a role and the end", strings.NewReader(role), ErrEmptyStream, true},
		{"comments and usage", strings.NewReader(": a\n\ndata: {\"choices\":[],\"usage\":{}}\n\n"), ErrEmptyStream, true},
		{"a break", iotest.ErrReader(broken), broken, false},
		{"a role and a break", io.MultiReader(strings.NewReader(role), iotest.ErrReader(io.ErrUnexpectedEOF)), io.ErrUnexpectedEOF, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			closed := false
			x := newTrialAt(t, "http://one/v1", chatPath, chatAsk, nil)
			x.answers(closing{tt.body, func() { closed = true }})
			res, err := x.do()
			e, ours := plugins.AsError(err)
			if !errors.Is(err, tt.want) || ours != tt.ours || ours && !e.Again || res != nil {
				t.Errorf("err = %v, want %v", err, tt.want)
			}
			if !ours && !strings.HasPrefix(err.Error(), "upstream one: ") {
				t.Errorf("err = %v, want it to name the upstream", err)
			}
			if !closed {
				t.Error("the answer was left open")
			}
		})
	}
}

// closing is a body that tells when it is closed.
type closing struct {
	io.Reader
	close func()
}

func (c closing) Close() error { c.close(); return nil }

func TestTheDemosEmptyStream(t *testing.T) {
	x := newTrial(t, still(), chatPath, chatAsk, nil)
	x.req.Header.Set("X-Demo-Empty", "true")
	if _, err := x.do(); !errors.Is(err, ErrEmptyStream) {
		t.Errorf("err = %v, want %v", err, ErrEmptyStream)
	}
}

func TestAnEndOrAFinishIsAnAnswer(t *testing.T) {
	for _, want := range []string{
		"data: [DONE]\n\n", "data: [DONE]",
		"data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n",
	} {
		x := newTrialAt(t, "http://one/v1", chatPath, chatAsk, nil).answers(io.NopCloser(strings.NewReader(want)))
		res, err := x.do()
		if got, err := readAll(t, res, err); got != want || err != nil {
			t.Errorf("got %q, %v, want %q", got, err, want)
		}
	}
}

func TestThePeekIsBounded(t *testing.T) {
	in, out := io.Pipe()
	x := newTrialAt(t, "http://one/v1", chatPath, chatAsk, func(s *Settings) { s.Peek = 100 }).answers(in)
	go func() {
		for {
			if _, err := io.WriteString(out, ": wait\n\n"); err != nil {
				return
			}
		}
	}()
	res, err := x.do()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	got := make([]byte, 1000)
	if _, err := io.ReadFull(res.Body, got); err != nil || string(got) != strings.Repeat(": wait\n\n", 125) {
		t.Errorf("%v, got %q", err, got)
	}
}

func TestWithoutAPeekNothingIsHeldBack(t *testing.T) {
	in, _ := io.Pipe()
	x := newTrialAt(t, "http://one/v1", chatPath, chatAsk, func(s *Settings) { s.Peek = 0 }).answers(in)
	res, err := x.do()
	if err != nil {
		t.Fatal(err)
	}
	_ = res.Body.Close()
}

func TestTheFirstTokenHasItsTime(t *testing.T) {
	tests := []struct {
		name    string
		timeout time.Duration
		silence time.Duration // before content
		want    error
	}{
		{"in time", time.Minute, time.Minute - time.Millisecond, nil},
		{"too late", time.Minute, time.Minute + time.Millisecond, ErrFirstToken},
		{"no limit", 0, time.Hour, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				in, out := io.Pipe()
				x := newTrialAt(t, "http://one/v1", chatPath, chatAsk, func(s *Settings) { s.FirstTokenTimeout = tt.timeout }).answers(in)
				go func() {
					_, _ = io.WriteString(out, "data: {\"choices\":[{\"delta\":{\"role\":\"assistant\"}}]}\n\n")
					time.Sleep(tt.silence)
					_, _ = io.WriteString(out, "data: {\"choices\":[{\"delta\":{\"content\":\"a\"}}]}\n\n")
					_ = out.Close()
				}()
				defer time.Sleep(2 * time.Hour) // which shows that nothing is left that would end it
				begun := time.Now()
				res, err := x.do()
				took := time.Since(begun)
				if tt.want != nil {
					if !errors.Is(err, tt.want) || took != tt.timeout {
						t.Errorf("err = %v after %s, want %v after %s", err, took, tt.want, tt.timeout)
					}
					return
				}
				if _, err := readAll(t, res, err); err != nil || took != tt.silence {
					t.Errorf("%v after %s, want an answer after %s", err, took, tt.silence)
				}
			})
		})
	}
}

func TestAClientThatLeavesEndsThePeek(t *testing.T) {
	gone := errors.New("gone")
	x := newTrial(t, still(), chatPath, chatAsk, nil)
	x.req.Header.Set("X-Demo-Stall", "events=1")
	ctx, leave := context.WithCancelCause(x.req.Context())
	defer leave(nil)
	x.req = x.req.WithContext(ctx)
	next := x.members[0].client
	x.members[0].client = plugintest.RoundTripFunc(func(req *http.Request) (*http.Response, error) {
		defer leave(gone)
		return next.RoundTrip(req)
	})
	if _, err := x.do(); !errors.Is(err, gone) {
		t.Errorf("err = %v, want %v", err, gone)
	}
}
