package upstream

import (
	"context"
	"errors"
	"io"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/holysheep/relay/plugins"
	"github.com/holysheep/relay/plugins/plugintest"
)

// timedOut is what ends a request whose answer did not come in time.
var timedOut = &plugins.Error{Status: http.StatusGatewayTimeout, Code: "request_timeout"}

// A trickle is a body of one byte every so often.
type trickle struct {
	every time.Duration
	left  int
}

func (s *trickle) Read(p []byte) (int, error) {
	if s.left == 0 {
		return 0, io.EOF
	}
	time.Sleep(s.every)
	s.left--
	return copy(p, "x"), nil
}

func TestTimeIsUp(t *testing.T) {
	hangs := func(req *http.Request) (*http.Response, error) {
		go func() { _, _ = io.Copy(io.Discard, req.Body) }() // as transports do
		<-req.Context().Done()
		return nil, context.Cause(req.Context())
	}
	answers := func(status int) plugintest.RoundTripFunc {
		return func(req *http.Request) (*http.Response, error) {
			_, _ = io.Copy(io.Discard, req.Body)
			return says(status)(req)
		}
	}
	quick, slow := trickle{time.Second, 4}, trickle{time.Second, 30}
	stop := &plugins.Error{Status: http.StatusServiceUnavailable, Code: "shutting_down"}
	tests := []struct {
		name   string
		client plugintest.RoundTripFunc
		body   trickle
		cause  error // of the end of the request, after 10 s
		change func(*Settings)
		state  string
	}{
		{"request_timeout", hangs, quick, timedOut, nil, "ejected"},
		{"a client that leaves", hangs, quick, context.Canceled, nil, "healthy"},
		{"a relay that stops", hangs, quick, stop, nil, "healthy"},
		{"request_timeout in the middle of a slow upload", hangs, slow, timedOut, nil, "healthy"},
		{"attempt_timeout", hangs, quick, nil, func(s *Settings) { s.AttemptTimeout = 9 * time.Second }, "ejected"},
		{"attempt_timeout in the middle of a slow upload", hangs, slow, nil, func(s *Settings) { s.AttemptTimeout = 9 * time.Second }, "healthy"},
		{"408 after a slow upload", answers(408), slow, nil, nil, "healthy"},
		{"500 after a slow upload", answers(500), slow, nil, nil, "ejected"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := onePool(t, tt.client)
				if tt.change != nil {
					tt.change(&p.members[0].set)
				}
				ctx, cancel := context.WithCancelCause(t.Context())
				defer cancel(nil)
				if tt.cause != nil {
					time.AfterFunc(10*time.Second, func() { cancel(tt.cause) })
				}
				req := plugintest.Request(t, "{}").WithContext(ctx)
				body := tt.body
				req.Body, req.GetBody = io.NopCloser(&body), nil
				if res, err := p.RoundTrip(req); err == nil {
					_ = res.Body.Close()
				} else if tt.cause != nil && !errors.Is(err, tt.cause) {
					t.Errorf("err = %v, want %v", err, tt.cause)
				}
				if s := p.Show()[0]; s.State != tt.state || s.InFlight != 0 {
					t.Errorf("got %+v, want it %s", s, tt.state)
				}
				time.Sleep(time.Minute) // until the body has come
			})
		})
	}
}

// An answer that stops until the time for it is over is the upstream's failure,
// one that its reader takes too slowly is not.
func TestTimeIsUpInTheMiddleOfAnAnswer(t *testing.T) {
	tests := []struct {
		pause   time.Duration // of the reader
		attempt time.Duration
		want    string
	}{{0, 0, "ejected"}, {time.Minute, 0, "healthy"}, {0, time.Second, "ejected"}, {2 * time.Second, time.Second, "healthy"}}
	for _, tt := range tests {
		synctest.Test(t, func(t *testing.T) {
			p := onePool(t, func(req *http.Request) (*http.Response, error) {
				res := plugintest.Response(req, 200, "")
				rest, more := io.Pipe()
				go func() { _, _ = more.Write([]byte("x")) }()
				context.AfterFunc(req.Context(), func() { _ = more.CloseWithError(req.Context().Err()) })
				res.Body = rest
				return res, nil
			})
			p.members[0].set.AttemptTimeout = tt.attempt
			ctx, cancel := context.WithCancelCause(t.Context())
			defer cancel(nil)
			time.AfterFunc(10*time.Second, func() { cancel(timedOut) })
			res, err := p.RoundTrip(plugintest.Request(t, "{}").WithContext(ctx))
			if err != nil {
				t.Fatal(err)
			}
			_, _ = res.Body.Read(make([]byte, 1))
			time.Sleep(tt.pause)
			_, _ = res.Body.Read(make([]byte, 1))
			_ = res.Body.Close()
			if s := p.Show()[0]; s.State != tt.want || s.InFlight != 0 {
				t.Errorf("%+v: got %+v", tt, s)
			}
		})
	}
}

// An error is no stream, whatever its type: nobody waits for its first token.
func TestThePausesOfAnErrorAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		body := &slow{every: time.Hour, pieces: 1}
		p := slowPool(t, http.StatusInternalServerError, body, nil)
		client := p.members[0].client
		p.members[0].client = plugintest.RoundTripFunc(func(req *http.Request) (*http.Response, error) {
			res, err := client.RoundTrip(req)
			res.Header.Set("Content-Type", "text/event-stream")
			return res, err
		})
		res, err := p.RoundTrip(plugintest.Request(t, "{}"))
		if err != nil {
			t.Fatal(err)
		}
		if _, err = io.ReadAll(res.Body); !errors.Is(err, ErrIdle) {
			t.Errorf("the body ended with %v, want %v", err, ErrIdle)
		}
		_ = res.Body.Close()
	})
}
