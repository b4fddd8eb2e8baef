package plugins_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptrace"
	"strings"
	"testing"

	"github.com/holysheep/relay/plugins"
)

type key struct{}

// clientRequest returns a request as a client's, with a trace, a value and a
// call in its context, and what cancels it.
func clientRequest(t *testing.T, body string) (*http.Request, *plugins.Call, context.CancelFunc) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.WithValue(t.Context(), key{}, "echo"))
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{})
	call := plugins.NewCall("req-1", func() plugins.Ask { return plugins.Ask{Model: "a"} })
	call.SetClient(plugins.Client{Name: "alice"})
	call.SetCache("MISS")
	call.SetHeader("X-Cache", "MISS")
	call.Trail.Note("spare", 1)
	req, err := http.NewRequestWithContext(plugins.WithCall(ctx, call), http.MethodPost, "/v1/chat/completions", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	return req, call, cancel
}

func TestDetachOutlivesTheClient(t *testing.T) {
	req, _, leave := clientRequest(t, "{}")
	out, cancel, err := plugins.Detach(req)
	if err != nil {
		t.Fatal(err)
	}
	leave()
	if err := out.Context().Err(); err != nil {
		t.Errorf("the client left: %v, want none", err)
	}
	if httptrace.ContextClientTrace(out.Context()) != nil || out.Context().Value(key{}) != nil {
		t.Error("the request holds the client's trace or values")
	}
	cancel()
	if err := out.Context().Err(); !errors.Is(err, context.Canceled) {
		t.Errorf("after cancel: %v, want %v", err, context.Canceled)
	}
}

func TestDetachCopiesTheCall(t *testing.T) {
	req, call, leave := clientRequest(t, "{}")
	defer leave()
	out, cancel, err := plugins.Detach(req)
	if err != nil {
		t.Fatal(err)
	}
	defer cancel()
	got := plugins.CallOf(out.Context())
	client, known := got.Client()
	if got == call || got.ID != "req-1" || client.Name != "alice" || !known || got.Ask().Model != "a" {
		t.Errorf("the call = %q by %q, asks for %q, want a copy", got.ID, client.Name, got.Ask().Model)
	}
	if got.Trail.Attempts() != 0 || got.Cache() != "" || got.Header("X-Cache") != "" {
		t.Error("the copy holds what happened to the client's own request")
	}
	got.SetClient(plugins.Client{Name: "bob"})
	if client, _ := call.Client(); client.Name != "alice" {
		t.Errorf("the client's call is by %q now", client.Name)
	}
}

// The body is in memory: it is there when the client's is not, and again.
func TestDetachKeepsTheBody(t *testing.T) {
	const body = `{"model":"a"}`
	req, _, leave := clientRequest(t, body)
	out, cancel, err := plugins.Detach(req)
	if err != nil {
		t.Fatal(err)
	}
	defer cancel()
	leave()
	req.GetBody = func() (io.ReadCloser, error) { return nil, plugins.ErrBodyGone }
	for range 2 {
		got, err := io.ReadAll(out.Body)
		if err != nil || string(got) != body {
			t.Errorf("the body = %q, %v, want %q", got, err, body)
		}
		if out.Body, err = out.GetBody(); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := io.ReadAll(req.Body); err != nil || string(got) != body {
		t.Errorf("the client's body = %q, %v, want it unread", got, err)
	}
	out.Header.Set("X-A", "a")
	if req.Header.Get("X-A") != "" {
		t.Error("the two requests share their header")
	}
}

func TestDetachWithoutBody(t *testing.T) {
	for name, body := range map[string]io.ReadCloser{"nil": nil, "http.NoBody": http.NoBody} {
		req, _, leave := clientRequest(t, "")
		req.Body, req.GetBody = body, nil
		out, cancel, err := plugins.Detach(req)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if out.Body != body {
			t.Errorf("%s: the body is a %T", name, out.Body)
		}
		cancel()
		leave()
	}
}

// faulty is a body that cannot be read.
type faulty struct{ io.Reader }

func (faulty) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }
func (faulty) Close() error             { return nil }

// long is a body that is longer than max_replay.
type long struct{ io.ReadCloser }

func (long) Replayable() bool { return false }

// A body that passes once must be left for the request itself.
func TestDetachLeavesALongBodyAlone(t *testing.T) {
	const body = "more than may be held"
	req, _, leave := clientRequest(t, body)
	defer leave()
	once := req.Body
	req.GetBody = func() (io.ReadCloser, error) { return long{once}, nil }
	if out, _, err := plugins.Detach(req); !errors.Is(err, plugins.ErrBodyGone) || out != nil {
		t.Errorf("Detach = %v, %v, want no request and %v", out, err, plugins.ErrBodyGone)
	}
	if got, err := io.ReadAll(once); err != nil || string(got) != body {
		t.Errorf("the body = %q, %v, want it unread", got, err)
	}
}

func TestDetachFails(t *testing.T) {
	tests := []struct {
		name string
		get  func() (io.ReadCloser, error)
		want error
	}{
		{name: "the body cannot be read again", want: plugins.ErrBodyGone},
		{name: "the body has passed", get: func() (io.ReadCloser, error) { return nil, plugins.ErrBodyGone }, want: plugins.ErrBodyGone},
		{name: "the body breaks off", get: func() (io.ReadCloser, error) { return faulty{}, nil }, want: io.ErrUnexpectedEOF},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			req, _, leave := clientRequest(t, "{}")
			defer leave()
			req.GetBody = tt.get
			out, cancel, err := plugins.Detach(req)
			if !errors.Is(err, tt.want) || out != nil || cancel != nil {
				t.Errorf("Detach = %v, %v, want no request and %v", out, err, tt.want)
			}
		})
	}
}
