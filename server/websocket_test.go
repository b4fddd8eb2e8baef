package server

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/holysheep/relay/internal/demo"
)

func TestAWebSocketGoesThrough(t *testing.T) {
	r := start(t, whole)
	tests := []struct {
		name    string
		options websocket.DialOptions
		want    string // the subprotocols that the upstream was offered
	}{
		{"with the key in a header", websocket.DialOptions{
			HTTPHeader: http.Header{"Authorization": {"Bearer " + clientKey}, "Openai-Beta": {"realtime=v1"}}, Subprotocols: []string{"realtime"},
		}, "realtime"},
		{"with the key in a subprotocol", websocket.DialOptions{
			Subprotocols: []string{"realtime", "openai-insecure-api-key." + clientKey, "openai-beta.realtime-v1"},
		}, "realtime, openai-beta.realtime-v1"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			n := r.Demo.Books().Len()
			c, res, err := websocket.Dial(t.Context(), r.URL+"/v1/realtime?model=demo", &tt.options)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = c.CloseNow() }()
			if c.Subprotocol() != "realtime" || res.Header.Get("X-Request-Id") == "" {
				t.Errorf("subprotocol %q, headers %q, want realtime and the request's id", c.Subprotocol(), res.Header)
			}
			for _, text := range []string{"one", strings.Repeat("long ", 5000), ""} {
				if err := exchange(t, c, text); err != nil {
					t.Fatal(err)
				}
			}
			r.checkOffer(t, n+1, tt.want)
			_ = c.Close(websocket.StatusNormalClosure, "bye")
			line := r.Log.access(t, res.Header.Get("X-Request-Id"))
			if line["status"] != 101.0 || line["client"] != "tester" || line["ended"] != nil {
				t.Errorf("access line %v, want 101 of tester, whole", line)
			}
		})
	}
	if got := r.metric(t, "http_requests_total", "status", "101", "route", "/v1/realtime"); got != 2 {
		t.Errorf("%g upgrades were counted, want 2", got)
	}
}

// checkOffer compares the subprotocols that the upstream was offered.
func (r *running) checkOffer(t *testing.T, id int, want string) {
	t.Helper()
	rec, _ := r.Demo.Books().Record(id)
	offered := strings.Join(rec.Header["Sec-Websocket-Protocol"], ", ")
	if offered != want || rec.RequestURI != "/v1/realtime?model=demo" {
		t.Errorf("the upstream was offered %q for %s, want %q", offered, rec.RequestURI, want)
	}
	if keys := rec.Header["Authorization"]; len(keys) != 1 || keys[0] != "Bearer "+upstreamKey {
		t.Errorf("Authorization %q, want the upstream's key", keys)
	}
}

func TestAWebSocketHoldsItsSlot(t *testing.T) {
	r := start(t, strings.Replace(whole, "plugins:", "plugins:\n  limit: {max_in_flight: 1}", 1))
	c := r.dialWS(t)
	if res, body := do(t, r.request(t, http.MethodGet, "/v1/models", "")); res.StatusCode != http.StatusTooManyRequests {
		t.Errorf("beside it: %d %s, want 429", res.StatusCode, body)
	}
	_ = c.Close(websocket.StatusNormalClosure, "")
	r.Log.count(t, `"status":101`, 1)
	if res, body := do(t, r.request(t, http.MethodGet, "/v1/models", "")); res.StatusCode != http.StatusOK {
		t.Errorf("after it: %d %s, want 200", res.StatusCode, body)
	}
}

func TestAWebSocketEndsWithEitherSide(t *testing.T) {
	r := start(t, whole)
	c := r.dialWS(t)
	_ = c.CloseNow()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if _, err := r.Demo.Books().Await(ctx, 1, func(rec demo.Record) bool { return rec.State == demo.Cancelled }); err != nil {
		t.Errorf("the upstream does not see the client leave: %v", err)
	}
	r.Demo.Script(func(*http.Request) http.Header { return http.Header{"X-Demo-Break": {"events=1"}} })
	c = r.dialWS(t)
	if err := exchange(t, c, "one"); err != nil {
		t.Fatal(err)
	}
	if _, _, err := c.Read(ctx); err == nil || ctx.Err() != nil {
		t.Errorf("the client does not see the upstream leave: %v", err)
	}
}

func TestARefusedUpgradeIsAnAnswer(t *testing.T) {
	r := start(t, whole)
	for _, tt := range []struct {
		name, key, status string
		want              int
	}{
		{"by the relay", strangerKey, "", 401},
		{"by the upstream", clientKey, "403", 403},
	} {
		header := http.Header{"Authorization": {"Bearer " + tt.key}}
		if tt.status != "" {
			header.Set("X-Demo-Status", tt.status)
		}
		_, res, err := websocket.Dial(t.Context(), r.URL+"/v1/realtime", &websocket.DialOptions{HTTPHeader: header})
		if err == nil || res == nil || res.StatusCode != tt.want {
			t.Errorf("%s: %v, %v, want %d", tt.name, res, err, tt.want)
		}
	}
}

// An upgrade to anything but a WebSocket would be a tunnel past the chain.
func TestOtherUpgradesAreNotPassedOn(t *testing.T) {
	up := newRaw(t, ok(`{}`))
	r := start(t, whole+"\nupstreams: {raw: {base_url: "+up.URL+"}}\n")
	for _, to := range []string{"h2c", "TLS/1.0", "websocket, h2c", "h2c, websocket"} {
		_, in := r.dial(t, head("GET /v1/x", "Connection: Upgrade, HTTP2-Settings", "Upgrade: "+to, "HTTP2-Settings: AAMAAABkAAQAoAAAAAIAAAAA"))
		if res, err := http.ReadResponse(in, nil); err != nil || res.StatusCode != http.StatusOK {
			t.Errorf("%s: %v, %v, want 200", to, res, err)
		}
		got := (<-up.requests).Header
		for _, name := range []string{"Connection", "Upgrade", "Http2-Settings"} {
			if len(got[name]) > 0 {
				t.Errorf("%s: the upstream got %s %q", to, name, got[name])
			}
		}
	}
}

// Go's server lets neither form through as things are: one breaks HTTP/2, the
// other has to be switched on. The relay does not rely on it.
func TestAnUpgradeOverHTTP2IsRefused(t *testing.T) {
	r := start(t, whole)
	for _, tt := range []struct{ name, method, header string }{
		{"by a header", http.MethodGet, "Upgrade"},
		{"by extended CONNECT", http.MethodConnect, ":protocol"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			req := httptest.NewRequestWithContext(t.Context(), tt.method, "/v1/realtime", http.NoBody)
			req.Proto, req.ProtoMajor, req.ProtoMinor = "HTTP/2.0", 2, 0
			req.Header = http.Header{tt.header: {"websocket"}, "Authorization": {"Bearer " + clientKey}}
			w := httptest.NewRecorder()
			r.api.Handler.ServeHTTP(w, req)
			if w.Code != http.StatusNotImplemented || errorCode(w.Body.String()) != "upgrade_not_supported" {
				t.Errorf("got %d %s, want 501", w.Code, w.Body)
			}
		})
	}
	if n := r.Demo.Books().Len(); n > 0 {
		t.Error("the upstream was asked")
	}
}
