package upstream

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/holysheep/relay/plugins"
	"github.com/holysheep/relay/plugins/plugintest"
)

// TestEachTimeHasItsError asks a real upstream that stops where it is told to.
func TestEachTimeHasItsError(t *testing.T) {
	tests := []struct {
		name  string
		set   func(*Settings)
		begin bool // the upstream begins to answer, and then stops
		want  *plugins.Error
		after time.Duration
	}{
		{"no byte", func(s *Settings) { s.FirstByteTimeout = time.Second }, false, ErrFirstByte, time.Second},
		{"no more bytes", func(s *Settings) { s.IdleTimeout = time.Second }, true, ErrIdle, time.Second},
		{"no byte in the whole attempt", func(s *Settings) { s.AttemptTimeout = time.Second }, false, ErrAttempt, time.Second},
		{"not all bytes in the whole attempt", func(s *Settings) { s.AttemptTimeout = time.Minute }, true, ErrAttempt, time.Minute},
		{"the shorter of two", func(s *Settings) { s.IdleTimeout, s.AttemptTimeout = time.Second, time.Minute }, true, ErrIdle, time.Second},
	}
	for _, tt := range tests {
		for _, http2 := range []bool{false, true} {
			t.Run(tt.name+map[bool]string{true: " by HTTP/2", false: " by HTTP/1.1"}[http2], func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					p, canceled := stopping(t, tt.begin, http2, tt.set)
					start := time.Now()
					res, err := p.RoundTrip(plugintest.Request(t, "{}"))
					if (err == nil) != tt.begin {
						t.Fatalf("got %v, %v", res, err)
					}
					if err == nil {
						var body []byte
						if body, err = io.ReadAll(res.Body); string(body) != "begun" {
							t.Errorf("read %q, %v", body, err)
						}
						_ = res.Body.Close()
					}
					e, ok := plugins.AsError(err)
					if !ok || !errors.Is(err, tt.want) || e.Status != http.StatusGatewayTimeout || !e.Again {
						t.Errorf("err = %v, want %v, after which to ask again", err, tt.want)
					}
					if got := time.Since(start); got != tt.after {
						t.Errorf("it took %s, want %s", got, tt.after)
					}
					<-canceled
				})
			})
		}
	}
}

// stopping returns a pool of one upstream, which stops before its answer or
// after it has begun, and closes canceled when the request ends.
func stopping(t *testing.T, begin, http2 bool, set func(*Settings)) (p *Pool, canceled chan struct{}) {
	t.Helper()
	canceled = make(chan struct{})
	up := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, _ = io.Copy(io.Discard, r.Body); begin {
			_, _ = io.WriteString(w, "begun")
			_ = http.NewResponseController(w).Flush()
		}
		<-r.Context().Done()
		close(canceled)
	}))
	wires := newPipes()
	_ = up.Listener.Close()
	up.Listener, up.EnableHTTP2 = wires, http2
	up.StartTLS()
	p = newPool(t, map[string]string{"KEY": "sk"}, map[string]Settings{"one": settings("https://one/v1", func(s *Settings) {
		s.APIKeyEnv = "KEY"
		set(s)
	})})
	c := p.members[0].client.(*conns)
	c.TLSClientConfig, c.DialContext = &tls.Config{InsecureSkipVerify: true}, wires.dial
	t.Cleanup(func() {
		_ = c.Close()
		up.Close()
	})
	return p, canceled
}

// pipes are a listener of connections in memory.
type pipes struct {
	ends chan net.Conn
	done chan struct{}
	once sync.Once
}

func newPipes() *pipes { return &pipes{ends: make(chan net.Conn), done: make(chan struct{})} }

func (p *pipes) dial(context.Context, string, string) (net.Conn, error) {
	near, far := net.Pipe()
	p.ends <- far
	return near, nil
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case end := <-p.ends:
		return end, nil
	case <-p.done:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error   { p.once.Do(func() { close(p.done) }); return nil }
func (p *pipes) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 1} }

// A slow is a body that comes in pieces, each after a while.
type slow struct {
	ctx    context.Context
	every  time.Duration
	pieces int
	closed bool
}

func (s *slow) Read(p []byte) (int, error) {
	if s.pieces == 0 {
		return 0, io.EOF
	}
	select {
	case <-time.After(s.every):
	case <-s.ctx.Done():
		return 0, s.ctx.Err()
	}
	s.pieces--
	return copy(p, "x"), nil
}

func (s *slow) Close() error { s.closed = true; return nil }

// slowPool returns a pool of one upstream that answers with the body, which
// gets the context of the attempt.
func slowPool(t *testing.T, status int, body *slow, change func(*Settings)) *Pool {
	t.Helper()
	p := newPool(t, nil, map[string]Settings{"one": settings("https://x/v1", change)})
	p.members[0].client = plugintest.RoundTripFunc(func(req *http.Request) (*http.Response, error) {
		body.ctx = req.Context()
		res := plugintest.Response(req, status, "")
		res.Header.Set("Content-Type", "application/octet-stream")
		if res.Body = body; status == http.StatusSwitchingProtocols {
			res.Body = struct {
				io.ReadCloser
				io.Writer
			}{body, io.Discard}
		}
		return res, nil
	})
	return p
}

func TestTheUpstreamsPausesAreBoundedAndNotTheReaders(t *testing.T) {
	tests := []struct {
		name   string
		every  time.Duration // of the upstream
		reader time.Duration // pauses after each piece
		change func(*Settings)
		want   error // io.EOF is the end
	}{
		{"pauses within the bound", 9 * time.Second, 0, func(s *Settings) { s.IdleTimeout = 10 * time.Second }, io.EOF},
		{"a reader that takes its time", 9 * time.Second, time.Hour, func(s *Settings) { s.IdleTimeout = 10 * time.Second }, io.EOF},
		{"pauses beyond the bound", 11 * time.Second, 0, func(s *Settings) { s.IdleTimeout = 10 * time.Second }, ErrIdle},
		{"no bound", time.Hour, 0, func(s *Settings) { s.IdleTimeout = 0 }, io.EOF},
		{"five minutes by themselves", 5*time.Minute + 1, 0, func(*Settings) {}, ErrIdle},
		{"a stream longer than an attempt", 9 * time.Second, 0, func(s *Settings) { s.AttemptTimeout = 50 * time.Second }, ErrAttempt},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				body := &slow{every: tt.every, pieces: 10}
				res, err := slowPool(t, http.StatusOK, body, tt.change).RoundTrip(plugintest.Request(t, "{}"))
				if err != nil {
					t.Fatal(err)
				}
				for piece := make([]byte, 8); err == nil; time.Sleep(tt.reader) {
					_, err = res.Body.Read(piece)
				}
				if !errors.Is(err, tt.want) {
					t.Errorf("the body ended with %v, want %v", err, tt.want)
				}
				if _ = res.Body.Close(); !body.closed {
					t.Error("the body is not closed")
				}
			})
		})
	}
}

// The silence of a WebSocket means nothing, and it may live for hours.
func TestAnUpgradedConnectionIsNotBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		body := &slow{every: time.Hour, pieces: 2}
		res, err := slowPool(t, http.StatusSwitchingProtocols, body, func(s *Settings) {
			s.IdleTimeout, s.AttemptTimeout = time.Second, time.Minute
		}).RoundTrip(plugintest.Request(t, ""))
		if err != nil {
			t.Fatal(err)
		}
		if got, err := io.ReadAll(res.Body); string(got) != "xx" || err != nil {
			t.Errorf("read %q, %v", got, err)
		}
		if _, ok := res.Body.(io.ReadWriteCloser); !ok {
			t.Errorf("the connection is a %T", res.Body)
		}
		_ = res.Body.Close()
	})
}

func TestWhoeverEndsTheRequestSaysWhy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		gone := errors.New("gone")
		ctx, cancel := context.WithCancelCause(t.Context())
		req := plugintest.Request(t, "{}")
		body := &slow{every: time.Minute, pieces: 1}
		p := slowPool(t, http.StatusOK, body, nil)
		res, err := p.RoundTrip(req.WithContext(plugins.WithCall(ctx, plugins.CallOf(req.Context()))))
		if err != nil {
			t.Fatal(err)
		}
		cancel(gone)
		_, err = io.ReadAll(res.Body)
		if _, known := plugins.AsError(err); known || !errors.Is(err, context.Canceled) {
			t.Errorf("the body ended with %v, want what the transport says", err)
		}
		if cause := context.Cause(body.ctx); !errors.Is(cause, gone) {
			t.Errorf("the cause is %v, want that of the request", cause)
		}
		_ = res.Body.Close()
	})
}

func TestAnAttemptWithoutBoundsCostsNoContext(t *testing.T) {
	body := &slow{}
	p := slowPool(t, http.StatusOK, body, func(s *Settings) { s.IdleTimeout = 0 })
	req := plugintest.Request(t, "{}")
	res, err := p.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	_ = res.Body.Close()
	if body.ctx != req.Context() {
		t.Error("the attempt has a context of its own")
	}
}

func BenchmarkIdle(b *testing.B) {
	p, err := New(Config{Upstreams: map[string]Settings{"one": settings("http://x/v1", nil)}}, plugintest.Env(b, nil))
	if err != nil {
		b.Fatal(err)
	}
	a := &asking{Pool: p, member: p.members[0]}
	v := &a.vigil
	ctx := v.start(b.Context(), &a.member.set)
	res := &http.Response{StatusCode: http.StatusOK, Body: &slow{ctx: ctx, pieces: -1}}
	v.guard(res, false)
	v.body = io.NopCloser(endless{})
	piece := make([]byte, 64)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := res.Body.Read(piece); err != nil {
			b.Fatal(err)
		}
	}
}

// endless is a body without an end.
type endless struct{}

func (endless) Read(p []byte) (int, error) { return len(p), nil }
