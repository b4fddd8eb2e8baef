package server

import (
	"net/http"
	"strings"
	"testing"

	"github.com/coder/websocket"

	"github.com/holysheep/relay/internal/demo"
)

// realtime opens a WebSocket for the model with the client's key.
func (r *running) realtime(t *testing.T, model string) (*websocket.Conn, *http.Response, error) {
	t.Helper()
	c, res, err := websocket.Dial(patient(t), r.URL+"/v1/realtime?model="+model, &websocket.DialOptions{
		HTTPHeader: http.Header{"Authorization": {"Bearer " + clientKey}}, Subprotocols: []string{"realtime"},
	})
	if err == nil {
		t.Cleanup(func() { _ = c.CloseNow() })
	}
	return c, res, err
}

// What holds for answers does not hold for a connection.
func TestAWebSocketIsNeitherKeptWaitingNorReadOn(t *testing.T) {
	tidy(t)
	r := start(t, whole+"stream_keepalive: 1ns\non_client_gone: drain\n")
	c, _, err := r.realtime(t, "demo")
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{"one", strings.Repeat("two", 10_000)} {
		if err := exchange(t, c, text); err != nil {
			t.Fatal(err)
		}
	}
	_ = c.CloseNow()
	if rec := r.await(t, ended); rec.State != demo.Cancelled {
		t.Errorf("at the upstream the request is %q, want cancelled", rec.State)
	}
	r.Log.count(t, `"status":101`, 1)
	r.holds(t, 0)
	if n := r.metric(t, "relay_client_gone_drained_total"); n != 0 {
		t.Errorf("%g were read on, want none", n)
	}
}

func TestTheModelOfAWebSocketCounts(t *testing.T) {
	const config = `
plugins:
  auth: {clients: {tester: {models: [demo, gone, nobodys], keys: {one: {sha256: HASH}}}}}
upstreams:
  demo: {base_url: UPSTREAM, models: [demo]}
  gone: {base_url: "http://GONE/v1", models: [gone]}
`
	r := start(t, strings.Replace(config, "GONE", closedPort(t), 1))
	tests := []struct {
		model  string
		status int
	}{
		{"demo", http.StatusSwitchingProtocols},
		{"other", http.StatusForbidden},
		{"nobodys", http.StatusNotFound},
		{"gone", http.StatusBadGateway},
	}
	for _, tt := range tests {
		t.Run(tt.model, func(t *testing.T) {
			_, res, err := r.realtime(t, tt.model)
			if res == nil || res.StatusCode != tt.status || (err == nil) != (tt.status == http.StatusSwitchingProtocols) {
				t.Errorf("got %v, %v, want %d", res, err, tt.status)
			}
		})
	}
}

func TestAHandshakeThatIsRefusedKeepsItsStatus(t *testing.T) {
	r := start(t, strings.Replace(whole, "plugins:", "plugins:\n  limit: {max_in_flight: 1}", 1)+"stream_keepalive: 1ns\non_client_gone: drain\n")
	first, _, err := r.realtime(t, "demo")
	if err != nil {
		t.Fatal(err)
	}
	_, res, err := r.realtime(t, "demo")
	if err == nil || res == nil || res.StatusCode != http.StatusTooManyRequests || res.Header.Get("Retry-After") == "" {
		t.Errorf("beside another: %v, %v, want 429 and when to ask again", res, err)
	}
	_, res, err = websocket.Dial(patient(t), r.URL+"/v1/realtime?model=demo", nil)
	if err == nil || res == nil || res.StatusCode != http.StatusUnauthorized {
		t.Errorf("without a key: %v, %v, want 401", res, err)
	}
	_ = first.Close(websocket.StatusNormalClosure, "")
	r.Log.count(t, `"status":101`, 1)
	r.Demo.Script(func(*http.Request) http.Header { return http.Header{"X-Demo-Status": {"429"}} })
	_, res, err = r.realtime(t, "demo")
	if err == nil || res == nil || res.StatusCode != http.StatusTooManyRequests {
		t.Errorf("by the upstream: %v, %v, want 429", res, err)
	}
}

// A client at a message of its own sees the end as soon as drain is over.
func TestAWebSocketSeesTheEndOfDrain(t *testing.T) {
	r := start(t, whole+"drain: 100ms\non_client_gone: drain\n")
	c, _, err := r.realtime(t, "demo")
	if err != nil {
		t.Fatal(err)
	}
	if err := exchange(t, c, "one"); err != nil {
		t.Fatal(err)
	}
	stopped := r.stopping(t)
	if _, _, err := c.Read(patient(t)); err == nil || patient(t).Err() != nil {
		t.Errorf("reading ended with %v, want the end of the connection", err)
	}
	if err := <-stopped; err != nil {
		t.Error(err)
	}
	r.holds(t, 0)
	r.cutByDrain(t)
}
