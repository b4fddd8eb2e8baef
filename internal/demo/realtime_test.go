package demo

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/coder/websocket"
)

func dial(t *testing.T, url string, headers http.Header) *websocket.Conn {
	t.Helper()
	c, res, err := websocket.Dial(patient(t), url+"/realtime", &websocket.DialOptions{
		HTTPHeader:   headers,
		Subprotocols: []string{"realtime"},
	})
	if err != nil {
		t.Fatal(err)
	}
	if res.StatusCode != http.StatusSwitchingProtocols || c.Subprotocol() != "realtime" {
		t.Errorf("status = %d, subprotocol = %q", res.StatusCode, c.Subprotocol())
	}
	t.Cleanup(func() { _ = c.CloseNow() })
	return c
}

func say(t *testing.T, c *websocket.Conn, text string) {
	t.Helper()
	if err := c.Write(patient(t), websocket.MessageText, []byte(text)); err != nil {
		t.Fatal(err)
	}
	if _, got, err := c.Read(patient(t)); string(got) != text || err != nil {
		t.Fatalf("message = %q, %v, want %q", got, err, text)
	}
}

func TestAWebSocketSendsEveryMessageBack(t *testing.T) {
	tests := []struct {
		name    string
		headers http.Header
		leave   func(*websocket.Conn)
		want    State
	}{
		{"until it is closed", nil, func(c *websocket.Conn) { _ = c.Close(websocket.StatusNormalClosure, "") }, Done},
		{"until the client is gone", nil, func(c *websocket.Conn) { _ = c.CloseNow() }, Cancelled},
		{"until it breaks off", http.Header{"X-Demo-Break": {"events=2"}}, func(*websocket.Conn) {}, Aborted},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s, url := start(t, Options{})
			c := dial(t, url, tt.headers)
			say(t, c, "hello")
			say(t, c, strings.Repeat("x", 30_000))
			tt.leave(c)
			rec, err := s.Books().Await(patient(t), 1, func(r Record) bool { return r.State.Ended() })
			if err != nil || rec.State != tt.want || rec.Events != 2 || rec.BytesOut != 30_005 || rec.Status != 101 {
				t.Errorf("record = %s after %d events, %d bytes, %v", rec.State, rec.Events, rec.BytesOut, err)
			}
		})
	}
}

func TestAWebSocketThatIsRefused(t *testing.T) {
	_, url := start(t, Options{})
	c, res, err := websocket.Dial(patient(t), url+"/realtime", &websocket.DialOptions{
		HTTPHeader: http.Header{"X-Demo-Status": {"403"}},
	})
	if err == nil {
		_ = c.CloseNow()
		t.Fatal("the WebSocket is open")
	}
	if res.StatusCode != http.StatusForbidden {
		t.Errorf("status = %d, want 403", res.StatusCode)
	}
}

func TestHTTP2(t *testing.T) {
	s := New(Options{})
	hs := httptest.NewUnstartedServer(s)
	hs.EnableHTTP2 = true
	hs.StartTLS()
	t.Cleanup(hs.Close)
	tests := []struct {
		name, header string
		wantWhole    bool
	}{
		{"a stream", "X-Demo-Trailer: X-Sum: 1", true},
		{"a stream that breaks off", "X-Demo-Break: events=2", false},
		{"an answer before the body is read", "X-Demo-Read: 0", true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			res, err := hs.Client().Do(request(t, hs.URL+"/v1/chat/completions", streamBody, tt.header))
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = res.Body.Close() }()
			body, err := read(t, res)
			if (err == nil) != tt.wantWhole || body == "" || res.ProtoMajor != 2 {
				t.Errorf("body = %q, %v over %s", body, err, res.Proto)
			}
		})
	}
}
