package retry

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/holysheep/relay/plugins"
	"github.com/holysheep/relay/plugins/plugintest"
)

// A body counts what is done to it. Reads block after it has been read where
// stalls is set, until it is closed.
type body struct {
	io.Reader
	read   int
	closed chan struct{}
	stalls bool
}

func newBody(text string) *body {
	return &body{Reader: strings.NewReader(text), closed: make(chan struct{}, 9)}
}

func (b *body) Read(p []byte) (int, error) {
	n, err := b.Reader.Read(p)
	b.read += n
	if err != nil && b.stalls {
		<-b.closed
		b.closed <- struct{}{}
		return 0, http.ErrBodyReadAfterClose
	}
	return n, err
}

func (b *body) Close() error {
	b.closed <- struct{}{}
	return nil
}

// with is an answer with a body.
func with(status int, b io.ReadCloser) func(*http.Request) (*http.Response, error) {
	return func(req *http.Request) (*http.Response, error) {
		res := plugintest.Response(req, status, "")
		res.Body, res.ContentLength = b, -1
		return res, nil
	}
}

func TestEveryAttemptSendsTheSame(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		up := plugintest.Answers(503, 503, 200)
		var seen []*http.Request
		r := build(t, nil, plugintest.RoundTripFunc(func(req *http.Request) (*http.Response, error) {
			seen = append(seen, req)
			return up.RoundTrip(req)
		}))
		const sent = `{"model":"m", "n": 12345678901234567890}`
		req := plugintest.Request(t, sent)
		req.Trailer = http.Header{"X-Sum": nil}
		res, err := r.RoundTrip(req)
		if err != nil || status(res) != http.StatusOK {
			t.Fatalf("got %v, %v, want 200", res, err)
		}
		if diff := cmp.Diff(up.Bodies(), []string{sent, sent, sent}); diff != "" {
			t.Errorf("bodies (-got +want):\n%s", diff)
		}
		if seen[0].Body != req.Body {
			t.Error("the first attempt has another body, want the request's own")
		}
		req.Trailer.Set("X-Sum", "1") // as the server does when the body has been read
		for i, a := range seen {
			if diff := cmp.Diff(a.Header, req.Header); diff != "" {
				t.Errorf("header of attempt %d (-got +want):\n%s", i+1, diff)
			}
			if a.ContentLength != int64(len(sent)) || a.Trailer.Get("X-Sum") != "1" {
				t.Errorf("attempt %d has length %d and trailer %v, want the request's", i+1, a.ContentLength, a.Trailer)
			}
		}
	})
}

func TestBodiesThatCannotBeSentAgain(t *testing.T) {
	gone := func() (io.ReadCloser, error) { return nil, plugins.ErrBodyGone }
	tests := []struct {
		name    string
		body    io.ReadCloser
		getBody func() (io.ReadCloser, error)
		asked   int
	}{
		{"no way to read it again", io.NopCloser(strings.NewReader("{}")), nil, 1},
		{"it has passed", io.NopCloser(strings.NewReader("{}")), gone, 1},
		{"there is none", nil, nil, 2},
		{"there is none, said otherwise", http.NoBody, nil, 2},
	}
	for _, tt := range tests {
		for _, failure := range []struct {
			name   string
			answer func(*http.Request) (*http.Response, error)
			status int
			err    error
		}{
			{"answer", says(503), 503, nil},
			{"error", fails(errRefused), 0, errRefused},
		} {
			t.Run(tt.name+", "+failure.name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					up := upstream().Then(failure.answer)
					req := plugintest.Request(t, "")
					req.Body, req.GetBody = tt.body, tt.getBody
					res, err := build(t, func(s *Settings) { s.Attempts = 2 }, up).RoundTrip(req)
					if status(res) != failure.status || !errors.Is(err, failure.err) {
						t.Errorf("got %v, %v, want %d, %v", res, err, failure.status, failure.err)
					}
					if got := up.Asked(); got != tt.asked {
						t.Errorf("asked %d times, want %d", got, tt.asked)
					}
				})
			})
		}
	}
}

func TestAnAbandonedAnswerIsClosedAndTheLastIsWhole(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		short, long, last := newBody("busy"), newBody(strings.Repeat("x", 1<<20)), newBody("busy still")
		up := upstream().Then(with(503, short)).Then(with(503, long)).Then(with(503, last))
		res, err := build(t, nil, up).RoundTrip(plugintest.Request(t, "{}"))
		if err != nil {
			t.Fatal(err)
		}
		if len(short.closed) != 1 || short.read != len("busy") {
			t.Errorf("the first: closed %d times after %d bytes, want once, read whole", len(short.closed), short.read)
		}
		if len(long.closed) != 1 || long.read > drainBytes {
			t.Errorf("the second: closed %d times after %d bytes, want once after at most %d", len(long.closed), long.read, drainBytes)
		}
		if len(last.closed) != 0 || last.read != 0 {
			t.Errorf("the last: closed %d times after %d bytes, want untouched", len(last.closed), last.read)
		}
		if got := read(t, res); got != "busy still" {
			t.Errorf("body = %q, want it whole", got)
		}
	})
}

func TestAnAbandonedAnswerThatStallsIsLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		stalled := newBody("bu")
		stalled.stalls = true
		up := upstream().Then(with(503, stalled)).Then(says(200))
		start := time.Now()
		res, err := build(t, nil, up).RoundTrip(plugintest.Request(t, "{}"))
		if err != nil || status(res) != http.StatusOK {
			t.Fatalf("got %v, %v, want 200", res, err)
		}
		if got, want := time.Since(start), drainTime+100*time.Millisecond; got != want {
			t.Errorf("took %s, want %s", got, want)
		}
	})
}
