package server

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
)

// stopping tells the relay to stop and waits until it drains. stopped gives
// what the stop ends with.
func (r *running) stopping(t *testing.T) (stopped <-chan error) {
	t.Helper()
	done := make(chan error, 1)
	go func() { done <- r.Stop() }()
	r.Log.count(t, `"msg":"draining"`, 1)
	return done
}

// idle opens a connection over which one request has been answered and which
// then waits for the next.
func (r *running) idle(t *testing.T) (net.Conn, *bufio.Reader) {
	t.Helper()
	conn, in := r.dial(t, head("GET /v1/files", "Accept: application/json"))
	res, err := http.ReadResponse(in, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(io.Discard, res.Body); err != nil || res.Close {
		t.Fatalf("before the stop: %v, closes: %t", err, res.Close)
	}
	return conn, in
}

// disconnected waits until the relay closes the connection.
func disconnected(t *testing.T, in *bufio.Reader) {
	t.Helper()
	if b, err := in.ReadByte(); err == nil || strings.Contains(err.Error(), "timeout") {
		t.Fatalf("got %q, %v, want the end of the connection", b, err)
	}
}

// expect asks a URL without a key and compares status and code.
func expect(t *testing.T, url string, status int, code string) *http.Response {
	t.Helper()
	res, body := get(t, url)
	if res.StatusCode != status || errorCode(body) != code {
		t.Errorf("%s: got %d %s, want %d %q", url, res.StatusCode, body, status, code)
	}
	return res
}

func TestDraining(t *testing.T) {
	up := newHeld(t)
	// The delay is what the assertions up to the end of the delay have: the
	// relay is asked over loopback a few times.
	r := (&running{Log: &logs{}}).start(t, whole+"\ndrain_delay: 3s\ndrain: 1m\n", up.URL)
	running := up.open(t, r)
	_, inHand := r.dial(t, head("POST /v1/chat/completions", "Content-Length: 2", "X-Hold: answer")+"{}")
	begun := up.next(t)
	used, usedIn := r.idle(t)
	_, unused := r.idle(t)
	expect(t, r.URL+"/ready", 200, "")

	stopped := r.stopping(t)
	r.checkDelay(t)
	if _, err := io.WriteString(used, head("GET /v1/files", "Accept: application/json")); err != nil {
		t.Fatal(err)
	}
	closing(t, "a request over an old connection", usedIn)
	close(begun.release)
	closing(t, "a request that began before", inHand)

	disconnected(t, unused) // the delay is over
	if conn, err := net.Dial("tcp", strings.TrimPrefix(r.URL, "http://")); err == nil {
		_ = conn.Close()
		t.Error("a connection was accepted after the delay")
	}
	expect(t, r.AdminURL+"/metrics", 200, "")
	expect(t, r.AdminURL+"/ready", 503, "draining")
	if got := r.metric(t, "relay_requests_in_flight"); got != 1 {
		t.Errorf("%g requests in flight, want the stream", got)
	}
	running.finish(t)
	if err := <-stopped; err != nil {
		t.Errorf("stop: %v", err)
	}
	if strings.Contains(r.Log.All(), "are cut") {
		t.Error("something was cut")
	}
}

// checkDelay holds the relay to be not ready and to answer new connections all
// the same, once each.
func (r *running) checkDelay(t *testing.T) {
	t.Helper()
	for _, url := range []string{r.URL, r.AdminURL} {
		expect(t, url+"/ready", 503, "draining")
		expect(t, url+"/health", 200, "")
	}
	if res := expect(t, r.URL+"/health", 200, ""); !res.Close {
		t.Error("a new connection is not told to close")
	}
	res, body := do(t, r.request(t, http.MethodPost, "/v1/chat/completions", chat))
	if res.StatusCode != http.StatusOK || !res.Close {
		t.Errorf("a new request: %d %s, closes: %t, want an answer that closes", res.StatusCode, body, res.Close)
	}
}

// closing reads an answer that has to be good and to close its connection.
func closing(t *testing.T, what string, in *bufio.Reader) {
	t.Helper()
	res, err := http.ReadResponse(in, nil)
	if err != nil {
		t.Errorf("%s: %v", what, err)
		return
	}
	body, err := io.ReadAll(res.Body)
	if res.StatusCode != http.StatusOK || err != nil || !res.Close || res.Header.Get("X-Request-Id") == "" {
		t.Errorf("%s: %d %q %s, %v, want 200 and Connection: close", what, res.StatusCode, res.Header, body, err)
	}
	disconnected(t, in)
}

// dialWS opens a WebSocket through the relay.
func (r *running) dialWS(t *testing.T) *websocket.Conn {
	t.Helper()
	c, _, err := websocket.Dial(t.Context(), r.URL+"/v1/realtime", &websocket.DialOptions{
		HTTPHeader: http.Header{"Authorization": {"Bearer " + clientKey}}, Subprotocols: []string{"realtime"},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.CloseNow() })
	return c
}

// exchange sends a message over the WebSocket and waits until it comes back.
func exchange(t *testing.T, c *websocket.Conn, text string) error {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if err := c.Write(ctx, websocket.MessageText, []byte(text)); err != nil {
		return err
	}
	_, got, err := c.Read(ctx)
	if err == nil && string(got) != text {
		t.Errorf("got %q, want %q", got, text)
	}
	return err
}

func TestAWebSocketGetsTheTimeOfADrain(t *testing.T) {
	r := start(t, whole+"\ndrain: 1m\n")
	c := r.dialWS(t)
	_, unused := r.idle(t)
	stopped := r.stopping(t)
	disconnected(t, unused)
	for _, text := range []string{"still", "there"} {
		if err := exchange(t, c, text); err != nil {
			t.Fatalf("while draining: %v", err)
		}
	}
	select {
	case err := <-stopped:
		t.Fatalf("stopped with a WebSocket open: %v", err)
	default:
	}
	_ = c.Close(websocket.StatusNormalClosure, "")
	if err := <-stopped; err != nil || strings.Contains(r.Log.All(), "are cut") {
		t.Errorf("stop: %v, or something was cut", err)
	}
}

func TestWhatOutlastsTheDrainIsCut(t *testing.T) {
	tests := []struct {
		name string
		wait func(t *testing.T, r *running, up *held) (cut func())
	}{
		{"a stream", func(t *testing.T, r *running, up *held) func() {
			t.Helper()
			s := up.open(t, r)
			return func() {
				rest, err := io.ReadAll(s.in)
				if err == nil {
					t.Errorf("the stream ended politely: %q", rest)
				}
				if want := eventOf("/v1/chat/completions", ErrDraining); !bytes.HasSuffix(rest, want) {
					t.Errorf("got %q, want to be told %q", rest, want)
				}
				<-s.left
			}
		}},
		{"an answer that has not begun", func(t *testing.T, r *running, up *held) func() {
			t.Helper()
			_, in := r.dial(t, head("POST /v1/chat/completions", "Content-Length: 2", "X-Hold: answer")+"{}")
			one := up.next(t)
			return func() {
				res, err := http.ReadResponse(in, nil)
				if err != nil || res.StatusCode != http.StatusServiceUnavailable || !res.Close {
					t.Errorf("got %v, %v, want 503 and the end of the connection", res, err)
				}
				<-one.left
			}
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			up := newHeld(t)
			r := (&running{Log: &logs{}}).start(t, whole+"\ndrain: 100ms\n", up.URL)
			cut := tt.wait(t, r, up)
			stopped := r.stopping(t)
			r.Log.count(t, `"msg":"requests in flight are cut: drain is over"`, 1)
			cut()
			if err := <-stopped; err != nil {
				t.Errorf("stop: %v", err)
			}
			r.cutByDrain(t)
		})
	}
}

// cutByDrain checks that an access line says so.
func (r *running) cutByDrain(t *testing.T) {
	t.Helper()
	line := r.Log.Wait(t, func(line map[string]any) bool { return line["msg"] == "request" })
	if line["ended"] != drained || line["level"] != "WARN" {
		t.Errorf("access line %v, want a warning that it was drained", line)
	}
}

func TestAWebSocketThatOutlastsTheDrainIsCut(t *testing.T) {
	r := start(t, whole+"\ndrain: 100ms\n")
	c := r.dialWS(t)
	stopped := r.stopping(t)
	if _, _, err := c.Read(t.Context()); err == nil {
		t.Error("a message came, want the end")
	}
	if err := <-stopped; err != nil {
		t.Errorf("stop: %v", err)
	}
	r.cutByDrain(t)
	r.Log.count(t, `"msg":"requests in flight are cut: drain is over"`, 1)
	if got := r.metric(t, "relay_requests_in_flight"); got != 0 {
		t.Errorf("%g requests in flight after the stop, want 0", got)
	}
}
