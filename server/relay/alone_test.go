package relay

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/holysheep/relay/plugins"
)

// A clocked is a body that gives a piece of ten bytes a second, so many times,
// and ends with its request.
type clocked struct {
	ctx    context.Context
	pieces int
	err    error // at the end
	closed bool
}

func (c *clocked) Read(p []byte) (int, error) {
	select {
	case <-time.After(time.Second):
	case <-c.ctx.Done():
		return 0, c.ctx.Err()
	}
	if c.pieces--; c.pieces < 0 {
		return 0, c.err
	}
	return copy(p, "data: 12\n\n"), nil
}

func (c *clocked) Close() error { c.closed = true; return nil }

// A reading is an exchange whose answer is read on when its client leaves.
type reading struct {
	*exchange
	body  *clocked
	held  atomic.Int64 // that the server was asked to wait, less what was released
	dones []Left
	wait  time.Duration // before the answer
	fail  error         // in place of the answer
}

// newReading returns one whose client leaves after so long, and whose answer
// has so many pieces.
func newReading(t *testing.T, base context.Context, leaves time.Duration, pieces int, o Options) *reading {
	t.Helper()
	ctx, cancel := context.WithTimeout(base, leaves)
	t.Cleanup(cancel)
	r := &reading{body: &clocked{pieces: pieces, err: io.EOF}}
	o.ReadOn.Base = base
	o.ReadOn.Hold = func() func() { r.held.Add(1); return func() { r.held.Add(-1) } }
	o.ReadOn.Done = func(l Left) { r.dones = append(r.dones, l) }
	r.exchange = newExchange(ctx, "/v1/chat/completions", roundTrip(r.answer), o)
	return r
}

func (r *reading) answer(req *http.Request) (*http.Response, error) {
	select {
	case <-time.After(r.wait):
	case <-req.Context().Done():
		return nil, context.Cause(req.Context())
	}
	if r.fail != nil {
		return nil, r.fail
	}
	r.body.ctx = req.Context()
	res := answering(200, "text/event-stream", nil)
	res.Body = r.body
	return res, nil
}

// holds returns for how many answers the server is to wait, once nothing runs.
func (r *reading) holds() int64 {
	synctest.Wait()
	return r.held.Load()
}

// An outcome is what became of an answer that was read on.
type outcome struct {
	Pieces int           // that the client got
	Read   int64         // bytes after it left
	Whole  bool          // then
	Took   time.Duration // from the beginning
}

func TestAnAnswerIsReadOnWithoutItsClient(t *testing.T) {
	const mib = plugins.MiB
	tests := []struct {
		name   string
		wait   time.Duration
		leaves time.Duration
		on     ReadOn
		keep   time.Duration
		limit  time.Duration // Options.Timeout
		want   outcome
	}{
		{name: "to its end", leaves: 3500 * time.Millisecond, on: ReadOn{Time: time.Minute, Bytes: mib}, want: outcome{3, 70, true, 11 * time.Second}},
		{name: "for a time", leaves: 3500 * time.Millisecond, on: ReadOn{Time: 2 * time.Second, Bytes: mib}, want: outcome{3, 20, false, 5500 * time.Millisecond}},
		{name: "for some bytes", leaves: 3500 * time.Millisecond, on: ReadOn{Time: time.Minute, Bytes: 30}, want: outcome{3, 30, false, 6 * time.Second}},
		{name: "from before it began", wait: 5 * time.Second, leaves: time.Second, on: ReadOn{Time: time.Minute, Bytes: mib}, want: outcome{0, 100, true, 16 * time.Second}},
		{name: "from before it began, for a time", wait: 5 * time.Second, leaves: time.Second, on: ReadOn{Time: 2 * time.Second, Bytes: mib}, want: outcome{0, 0, false, 3 * time.Second}},
		{name: "within the time of the request", wait: 5 * time.Second, leaves: time.Second, on: ReadOn{Time: time.Minute, Bytes: mib}, limit: 4 * time.Second, want: outcome{0, 0, false, 4 * time.Second}},
		{name: "from between comments", wait: 5 * time.Second, leaves: 3500 * time.Millisecond, keep: time.Second, on: ReadOn{Time: time.Minute, Bytes: mib}, want: outcome{3, 100, true, 16 * time.Second}},
		{name: "from behind comments", wait: 5 * time.Second, leaves: 7500 * time.Millisecond, keep: 2 * time.Second, on: ReadOn{Time: time.Minute, Bytes: mib}, want: outcome{4, 80, true, 16 * time.Second}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				start := time.Now()
				r := newReading(t, t.Context(), tt.leaves, 10, Options{ReadOn: &tt.on, Keepalive: tt.keep, Timeout: tt.limit})
				r.wait = tt.wait
				_, got, err := r.pieces(t, "/v1/chat/completions")
				if err == nil || errors.Is(err, io.EOF) || time.Since(start) != tt.leaves {
					t.Errorf("the client's side ended with %v after %s, want as soon as it left", err, time.Since(start))
				}
				if n := r.holds(); n != 1 {
					t.Errorf("the server waits for %d, want the answer", n)
				}
				for r.holds() > 0 {
					time.Sleep(time.Millisecond)
				}
				if len(r.dones) != 1 || r.dones[0].Call != r.call {
					t.Fatalf("told %d times, want once, of the call", len(r.dones))
				}
				l := r.dones[0]
				if diff := cmp.Diff(outcome{len(got), l.Bytes, l.Whole, time.Since(start)}, tt.want, near); diff != "" {
					t.Errorf("outcome (-got +want):\n%s", diff)
				}
				if r.body.ctx != nil && !r.body.closed {
					t.Error("the body is open")
				}
			})
		})
	}
}

// near lets a time pass that is looked at once a millisecond.
var near = cmp.Comparer(func(a, b time.Duration) bool { return (a - b).Abs() <= time.Millisecond })

func TestAnAnswerThatEndsBeforeItsClientLeavesIsOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newReading(t, t.Context(), time.Minute, 3, Options{ReadOn: &ReadOn{Time: time.Minute, Bytes: plugins.MiB}})
		_, got, err := r.pieces(t, "/v1/chat/completions")
		synctest.Wait()
		if len(got) != 3 || !errors.Is(err, io.EOF) || !r.body.closed {
			t.Errorf("%d pieces, %v, closed %t, want 3 and the end", len(got), err, r.body.closed)
		}
		time.Sleep(2 * time.Minute)
		synctest.Wait()
		if len(r.dones) > 0 || r.holds() > 0 || r.call.Fault() != nil {
			t.Errorf("read on: %v, held %d, fault %v, want nothing", r.dones, r.holds(), r.call.Fault())
		}
	})
}

func TestWhatTheServerCutsIsNotReadOn(t *testing.T) {
	cut := &plugins.Error{Status: 503, Type: "server_error", Code: "draining", Message: "stops"}
	tests := []struct {
		name   string
		wait   time.Duration
		leaves time.Duration
		keep   time.Duration
		event  bool
	}{
		{"in a stream", 0, time.Hour, 0, true},
		{"in the wait", time.Hour, time.Hour, 0, false},
		{"in the wait, with comments", time.Hour, time.Hour, 2 * time.Second, true},
		{"in a stream whose client has left", 0, time.Second, 0, false},
		{"in the wait of a client that has left", time.Hour, time.Second, 0, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				base, stop := context.WithCancelCause(t.Context())
				time.AfterFunc(5*time.Second, func() { stop(cut) })
				start := time.Now()
				r := newReading(t, base, tt.leaves, 100, Options{Keepalive: tt.keep, ReadOn: &ReadOn{Time: time.Hour, Bytes: plugins.MiB}})
				r.wait = tt.wait
				_, got, err := r.pieces(t, "/v1/chat/completions")
				if left := tt.leaves < time.Hour; left == errors.Is(err, cut) {
					t.Errorf("ended with %v", err)
				}
				var text strings.Builder
				for _, p := range got {
					text.WriteString(p.Text)
				}
				if event := strings.HasSuffix(text.String(), string(r.route.Event(problem(cut)))); event != tt.event {
					t.Errorf("got %q, event: want %t", text.String(), tt.event)
				}
				for r.holds() > 0 {
					time.Sleep(time.Millisecond)
				}
				if diff := cmp.Diff(time.Since(start), 5*time.Second, near); diff != "" {
					t.Errorf("over (-got +want): %s", diff)
				}
			})
		})
	}
}

func TestNothingIsAskedForAClientThatHasLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newReading(t, t.Context(), time.Second, 1, Options{ReadOn: &ReadOn{Time: time.Minute, Bytes: plugins.MiB}})
		asked := 0
		inner := Guard(roundTrip(func(*http.Request) (*http.Response, error) { asked++; return nil, errBroken }))
		r.transport = roundTrip(func(req *http.Request) (*http.Response, error) {
			_, _ = inner.RoundTrip(req)
			time.Sleep(2 * time.Second)
			return inner.RoundTrip(req)
		})
		_, _, _ = r.pieces(t, "/v1/chat/completions")
		time.Sleep(time.Minute)
		synctest.Wait()
		if asked != 1 || len(r.dones) != 1 || !errors.Is(r.dones[0].Err, ErrClientGone) {
			t.Errorf("asked %d times, %v, want once", asked, r.dones)
		}
	})
}

func TestALateErrorIsNotReadOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newReading(t, t.Context(), time.Hour, 1000, Options{
			Keepalive: time.Second, ReadOn: &ReadOn{Time: time.Minute, Bytes: plugins.MiB},
		})
		r.transport = roundTrip(func(req *http.Request) (*http.Response, error) {
			res, err := r.answer(req)
			time.Sleep(1500 * time.Millisecond)
			res.Header.Set("Content-Type", "text/plain")
			return res, err
		})
		_, got, err := r.pieces(t, "/v1/chat/completions")
		synctest.Wait()
		if len(got) != 2 || !errors.Is(err, ErrNoStream) || !r.body.closed || r.call.Status() != 502 {
			t.Errorf("got %v, %v, closed %t, status %d, want a comment and an error", got, err, r.body.closed, r.call.Status())
		}
		if len(r.dones) > 0 || r.holds() > 0 {
			t.Errorf("read on: %v", r.dones)
		}
	})
}

func TestAPanicInABodyThatIsReadOn(t *testing.T) {
	for _, leaves := range []time.Duration{time.Hour, 500 * time.Millisecond} {
		synctest.Test(t, func(t *testing.T) {
			r := newReading(t, t.Context(), leaves, 0, Options{ReadOn: &ReadOn{Time: time.Minute, Bytes: plugins.MiB}})
			r.transport = roundTrip(func(req *http.Request) (*http.Response, error) {
				res, err := r.answer(req)
				res.Body = struct {
					io.Reader
					io.Closer
				}{readerFunc(func([]byte) (int, error) { time.Sleep(time.Second); panic("help") }), r.body}
				return res, err
			})
			defer func() {
				p, _ := recover().(*Panic)
				if there := leaves == time.Hour; there != (p != nil && p.Value == "help") {
					t.Errorf("panic %v", p)
				}
				time.Sleep(2 * time.Second)
				synctest.Wait()
				if left := leaves < time.Hour; left && (len(r.dones) != 1 || !errors.As(r.dones[0].Err, &p)) || !r.body.closed {
					t.Errorf("told %v, closed %t, want the panic", r.dones, r.body.closed)
				}
			}()
			_, _, _ = r.pieces(t, "/v1/chat/completions")
		})
	}
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }
