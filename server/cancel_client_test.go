package server

import (
	"bytes"
	"context"
	"io"
	"maps"
	"net/http"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/holysheep/relay/internal/demo"
)

// protocols are those that a client may speak with the relay without TLS.
func protocols() []string { return []string{"HTTP/1.1", "HTTP/2.0"} }

// speaks returns a transport that speaks nothing but the given protocol, by
// prior knowledge. Its connections end with the test.
func speaks(t testing.TB, protocol string) *http.Transport {
	t.Helper()
	p := new(http.Protocols)
	p.SetHTTP1(protocol == "HTTP/1.1")
	p.SetUnencryptedHTTP2(protocol == "HTTP/2.0")
	rt := &http.Transport{Protocols: p}
	t.Cleanup(rt.CloseIdleConnections)
	return rt
}

// tidy has the test fail if anything that it starts runs on when it has ended.
// It comes first.
func tidy(t testing.TB) {
	t.Helper()
	before := goleak.IgnoreCurrent()
	t.Cleanup(func() { goleak.VerifyNone(t, before) })
}

// patient bounds a wait for an event that must come.
func patient(t testing.TB) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	t.Cleanup(cancel)
	return ctx
}

// A caller is a client whose request is under way.
type caller struct {
	ctx   context.Context    // ends when the client leaves, or waits too long
	leave context.CancelFunc // the client goes
	done  chan struct{}      // closed when it has its answer, or none
	res   *http.Response     // after done
	err   error              // after done
}

// call sends a request of the tester with the id "leaver" and does not wait.
func (r *running) call(t testing.TB, rt *http.Transport, path string, body io.Reader, header http.Header) *caller {
	t.Helper()
	ctx, cancel := context.WithCancel(patient(t))
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, r.URL+path, body)
	if err != nil {
		t.Fatal(err)
	}
	req.Header = http.Header{
		"Authorization": {"Bearer " + clientKey}, "Content-Type": {"application/json"}, "X-Request-Id": {"leaver"},
	}
	maps.Copy(req.Header, header)
	c := &caller{ctx: ctx, leave: cancel, done: make(chan struct{})}
	go func() {
		defer close(c.done)
		c.res, c.err = rt.RoundTrip(req)
	}()
	t.Cleanup(func() {
		cancel()
		<-c.done
		if c.err == nil {
			_ = c.res.Body.Close()
		}
	})
	return c
}

// read waits for the answer and reads that much of it.
func (c *caller) read(t testing.TB, n int) []byte {
	t.Helper()
	<-c.done
	if c.err != nil {
		t.Fatal(c.err)
	}
	b := make([]byte, n)
	if _, err := io.ReadFull(c.res.Body, b); err != nil {
		t.Fatalf("reading %d bytes: %v", n, err)
	}
	return b
}

// rest waits for the answer and reads it until it ends, in whichever way.
func (c *caller) rest() ([]byte, error) {
	<-c.done
	if c.err != nil {
		return nil, c.err
	}
	var b bytes.Buffer
	_, err := b.ReadFrom(c.res.Body)
	return b.Bytes(), err
}

// await waits until the demo's only request has come so far.
func (r *running) await(t testing.TB, met func(demo.Record) bool) demo.Record {
	t.Helper()
	rec, err := r.Demo.Books().Await(patient(t), 1, met)
	if err != nil {
		t.Fatal(err)
	}
	return rec
}

// ended reports whether a request at the demo is over.
func ended(rec demo.Record) bool { return rec.State.Ended() }

// holds checks that exactly so many requests are in flight, and hold a slot.
func (r *running) holds(t testing.TB, want float64) {
	t.Helper()
	for _, name := range []string{"relay_requests_in_flight", "relay_limit_in_flight"} {
		if got := r.metric(t, name); got != want {
			t.Errorf("%s = %g, want %g", name, got, want)
		}
	}
}

// told is what the access line of a request tells about its end.
type told struct {
	Status   float64
	Ended    any // nil if it ended well
	Attempts float64
}

// line waits for the access line of the leaver. By then all that the request
// held must be given back.
func (r *running) line(t testing.TB) told {
	t.Helper()
	line := r.Log.access(t, "leaver")
	r.holds(t, 0)
	status, _ := line["status"].(float64)
	attempts, _ := line["attempts"].(float64)
	return told{status, line["ended"], attempts}
}
