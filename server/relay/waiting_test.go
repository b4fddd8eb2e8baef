package relay

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/holysheep/relay/internal/wire"
	"github.com/holysheep/relay/plugins"
)

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }

// after answers after so long, or ends with the request.
func after(d time.Duration, res *http.Response, err error) roundTrip {
	return func(req *http.Request) (*http.Response, error) {
		select {
		case <-time.After(d):
			return res, err
		case <-req.Context().Done():
			return nil, context.Cause(req.Context())
		}
	}
}

// answering is an answer of the given status, kind and body.
func answering(status int, kind string, body io.Reader) *http.Response {
	return &http.Response{
		StatusCode: status, Header: http.Header{"Content-Type": {kind}}, Body: io.NopCloser(body), ContentLength: -1,
	}
}

// A piece is what came of a body at a time.
type piece struct {
	At   time.Duration
	Text string
}

// ask sends a request for a stream, and reads the answer to its end.
func (x *exchange) pieces(t *testing.T, path string) (res *http.Response, pieces []piece, err error) {
	t.Helper()
	start := time.Now()
	req, err := http.NewRequestWithContext(x.client, http.MethodPost, path, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	if res, err = x.RoundTrip(req); err != nil {
		return nil, nil, err
	}
	buf := make([]byte, 1024)
	for {
		n, err := res.Body.Read(buf)
		if n > 0 {
			pieces = append(pieces, piece{time.Since(start), string(buf[:n])})
		}
		if err != nil {
			_ = res.Body.Close()
			return res, pieces, err
		}
	}
}

func TestCommentsComeUntilTheAnswerDoes(t *testing.T) {
	const every = 10 * time.Second
	tests := []struct {
		name string
		wait time.Duration
		want []piece
	}{
		{"at once", 0, []piece{{0, "data: 1\n\n"}}},
		{"just in time", every - 1, []piece{{every - 1, "data: 1\n\n"}}},
		{"a little late", every + 1, []piece{{every, comment}, {every + 1, "data: 1\n\n"}}},
		{"late", 35 * time.Second, []piece{
			{every, comment}, {2 * every, comment}, {3 * every, comment}, {35 * time.Second, "data: 1\n\n"},
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				answer := answering(200, "text/event-stream", strings.NewReader("data: 1\n\n"))
				x := newExchange(t.Context(), "/v1/chat/completions", after(tt.wait, answer, nil), Options{Keepalive: every})
				res, got, err := x.pieces(t, "/v1/chat/completions")
				if diff := cmp.Diff(got, tt.want); diff != "" || !errors.Is(err, io.EOF) {
					t.Errorf("ended with %v; pieces (-got +want):\n%s", err, diff)
				}
				late := tt.wait > every
				want := http.Header{"Content-Type": {"text/event-stream"}}
				if late {
					want["Cache-Control"], want["X-Accel-Buffering"] = []string{"no-cache"}, []string{"no"}
				}
				if diff := cmp.Diff(res.Header, want); diff != "" || x.call.Status() != 0 || x.call.Fault() != nil {
					t.Errorf("status %d, fault %v, header (-got +want):\n%s", x.call.Status(), x.call.Fault(), diff)
				}
			})
		})
	}
}

// A wait that ends in an error is told on the stream that has begun.
func TestAnErrorThatComesLateIsAnEvent(t *testing.T) {
	refused := &plugins.Error{Status: 503, Type: "upstream_error", Code: "upstreams_busy", Message: "busy"}
	long := `{"error":{"message":"` + strings.Repeat("x", mostOfError) + `"}}`
	tests := []struct {
		name   string
		res    *http.Response
		err    error
		want   wire.Problem
		status int
	}{
		{"an error of ours", nil, refused, wire.Problem{Status: 503, Type: "upstream_error", Code: "upstreams_busy", Message: "busy"}, 503},
		{"an upstream that is not there", nil, errBroken, problem(ErrUnreachable), 502},
		{
			"OpenAI's error", answering(429, "application/json", strings.NewReader(`{"error":{"message":"slow down","type":"tokens","code":"rate_limit_exceeded","param":null}}`)), nil,
			wire.Problem{Status: 429, Type: "tokens", Code: "rate_limit_exceeded", Message: "slow down"},
			429,
		},
		{
			"Anthropic's error", answering(529, "application/json", strings.NewReader(`{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}`)), nil,
			wire.Problem{Status: 529, Type: "overloaded_error", Code: "upstream_error", Message: "Overloaded"},
			529,
		},
		{
			"Gemini's error", answering(400, "application/json", strings.NewReader(`{"error":{"code":400,"message":"bad","status":"INVALID_ARGUMENT"}}`)), nil,
			wire.Problem{Status: 400, Type: "INVALID_ARGUMENT", Code: "upstream_error", Message: "bad"},
			400,
		},
		{"an error that says nothing", answering(500, "text/html", strings.NewReader("<html>")), nil, silent(500), 500},
		{"an error that is a text", answering(500, "application/json", strings.NewReader(`{"error":"oops"}`)), nil, silent(500), 500},
		{"an error that is too long", answering(502, "application/json", strings.NewReader(long)), nil, silent(502), 502},
		{"an error that breaks off", answering(502, "application/json", iotest.ErrReader(errBroken)), nil, silent(502), 502},
		{"an answer that is no stream", answering(200, "application/json", strings.NewReader("{}")), nil, problem(ErrNoStream), 502},
		{"another protocol", answering(101, "", strings.NewReader("")), nil, problem(ErrUnreachable), 502},
	}
	for _, path := range []string{"/v1/chat/completions", "/v1/messages"} {
		for _, tt := range tests {
			t.Run(path+" "+tt.name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					if tt.res != nil && tt.res.Body != nil {
						text, err := io.ReadAll(tt.res.Body) // for the next path
						tt.res.Body = io.NopCloser(strings.NewReader(string(text)))
						if err != nil {
							tt.res.Body = io.NopCloser(iotest.ErrReader(err))
						}
						defer func() { tt.res.Body = io.NopCloser(strings.NewReader(string(text))) }()
					}
					x := newExchange(t.Context(), path, after(15*time.Second, tt.res, tt.err), Options{Keepalive: 10 * time.Second})
					_, got, err := x.pieces(t, path)
					want := []piece{{10 * time.Second, comment}, {15 * time.Second, string(x.route.Event(tt.want))}}
					if diff := cmp.Diff(got, want); diff != "" || err == nil || errors.Is(err, io.EOF) {
						t.Errorf("ended with %v; pieces (-got +want):\n%s", err, diff)
					}
					if x.call.Status() != tt.status || x.call.Fault() == nil || tt.err == nil && strings.Contains(x.call.Fault().Error(), tt.want.Message) && tt.status != 502 {
						t.Errorf("status %d, fault %v, want %d, and nothing that the upstream wrote", x.call.Status(), x.call.Fault(), tt.status)
					}
				})
			})
		}
	}
}

func silent(status int) wire.Problem {
	return problem(told(answering(status, "", strings.NewReader(""))))
}

func TestTheWaitOfAStreamIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x := newExchange(t.Context(), "/v1/chat/completions", after(time.Hour, nil, errBroken), Options{
			Keepalive: 10 * time.Second, Timeout: 25 * time.Second,
		})
		_, got, err := x.pieces(t, "/v1/chat/completions")
		want := []piece{
			{10 * time.Second, comment},
			{20 * time.Second, comment},
			{25 * time.Second, string(x.route.Event(problem(ErrTimeout)))},
		}
		if diff := cmp.Diff(got, want); diff != "" || !errors.Is(err, ErrTimeout) || x.call.Status() != 504 {
			t.Errorf("ended with %v, status %d; pieces (-got +want):\n%s", err, x.call.Status(), diff)
		}
	})
}

func TestAClientThatLeavesInTheWaitEndsTheAsking(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, leave := context.WithTimeout(t.Context(), 15*time.Second)
		defer leave()
		asked := make(chan struct{}, 1)
		x := newExchange(ctx, "/v1/chat/completions", roundTrip(func(req *http.Request) (*http.Response, error) {
			<-req.Context().Done()
			time.Sleep(time.Second) // not at once
			asked <- struct{}{}
			return nil, req.Context().Err()
		}), Options{Keepalive: 10 * time.Second})
		_, got, err := x.pieces(t, "/v1/chat/completions")
		if diff := cmp.Diff(got, []piece{{10 * time.Second, comment}}); diff != "" || !errors.Is(err, ErrClientGone) {
			t.Errorf("ended with %v; pieces (-got +want):\n%s", err, diff)
		}
		select {
		case <-asked:
		default:
			t.Error("the body was closed before the asking was over")
		}
		if x.call.Status() != 499 {
			t.Errorf("status %d, want 499", x.call.Status())
		}
	})
}

func TestAPanicInTheWaitIsThatOfTheRequest(t *testing.T) {
	for _, wait := range []time.Duration{0, 15 * time.Second} {
		synctest.Test(t, func(t *testing.T) {
			x := newExchange(t.Context(), "/v1/chat/completions", roundTrip(func(*http.Request) (*http.Response, error) {
				time.Sleep(wait)
				panic("help")
			}), Options{Keepalive: 10 * time.Second})
			defer func() {
				p, ok := recover().(*Panic)
				if !ok || p.Value != "help" || !strings.Contains(string(p.Stack), "waiting_test.go") {
					t.Errorf("panic %v, want what the transport panicked with", p)
				}
				if late := wait > 0; late != (x.call.Status() == 500) {
					t.Errorf("status %d", x.call.Status())
				}
			}()
			_, _, _ = x.pieces(t, "/v1/chat/completions")
		})
	}
}

func TestWhatIsKeptWaiting(t *testing.T) {
	stream := plugins.Ask{Stream: true, Whole: true}
	tests := []struct {
		name, method, path string
		ask                plugins.Ask
		upgrade            bool
		want               bool
	}{
		{"chat", "POST", "/v1/chat/completions", stream, false, true},
		{"completions", "POST", "/v1/completions", stream, false, true},
		{"responses", "POST", "/v1/responses", stream, false, true},
		{"messages", "POST", "/v1/messages", stream, false, true},
		{"Azure's chat", "POST", "/openai/deployments/a/chat/completions?api-version=1", stream, false, true},
		{"Gemini's stream of events", "POST", "/v1beta/models/a:streamGenerateContent?alt=sse", stream, false, true},
		{"Gemini's stream of an array", "POST", "/v1beta/models/a:streamGenerateContent", stream, false, false},
		{"Gemini's stream of either", "POST", "/v1beta/models/a:streamGenerateContent?alt=sse&alt=json", stream, false, false},
		{"a whole answer", "POST", "/v1/chat/completions", plugins.Ask{Whole: true}, false, false},
		{"embeddings", "POST", "/v1/embeddings", stream, false, false},
		{"speech", "POST", "/v1/audio/speech", stream, false, false},
		{"reading", "GET", "/v1/responses", stream, false, false},
		{"another protocol", "POST", "/v1/chat/completions", stream, true, false},
		{"a stream in doubt", "POST", "/v1/chat/completions", plugins.ReadAsk(
			&http.Request{URL: &url.URL{}, Header: http.Header{}}, []byte(`{"stream":true,"stream":false}`), false), false, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			req, err := http.NewRequestWithContext(t.Context(), tt.method, tt.path, http.NoBody)
			if err != nil {
				t.Fatal(err)
			}
			if tt.upgrade {
				req.Header.Set("Upgrade", "websocket")
			}
			x := newExchange(t.Context(), req.URL.Path, nil, Options{})
			x.call = plugins.NewCall("id", func() plugins.Ask { return tt.ask })
			if got := x.streamed(req); got != tt.want {
				t.Errorf("got %t, want %t", got, tt.want)
			}
		})
	}
}
