package server

import (
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/coder/websocket"
)

func TestAReloadDoesNotOpenTheRelayToEverybody(t *testing.T) {
	r := start(t, whole+"\nlisten: 0.0.0.0:0\n")
	r.write(t, "chain: []\nlisten: 127.0.0.1:0\n", "http://127.0.0.1:9/v1")
	if err := r.Reload(); err == nil || !strings.Contains(err.Error(), "would let anybody in") {
		t.Errorf("reload: %v, want it refused: the listener is still the old one", err)
	}
	req := r.request(t, http.MethodPost, "/v1/chat/completions", `{"model":"demo"}`)
	req.Header.Del("Authorization")
	if res, _ := do(t, req); res.StatusCode != http.StatusUnauthorized {
		t.Errorf("without a key: %s, want 401", res.Status)
	}
}

func TestAnUploadIsBoundedAsAWhole(t *testing.T) {
	tests := []struct{ name, config string }{
		{"the pool waits for the model", whole + "\nupstreams: {demo: {base_url: UPSTREAM, models: [demo]}}\n"},
		{"auth waits for the model", strings.Replace(whole, "{group: testers,", "{models: [demo],", 1)},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) { trickle(t, start(t, tt.config+"\nrequest_timeout: 300ms\n")) })
	}
}

// trickle uploads byte by byte, so that it is never idle and far from done.
func trickle(t *testing.T, r *running) {
	t.Helper()
	conn, in := r.dial(t, head("POST /v1/chat/completions", "Content-Length: 1000000"))
	stop := make(chan struct{})
	defer close(stop)
	go func() {
		for {
			select {
			case <-stop:
				return
			default:
				if _, err := io.WriteString(conn, " "); err != nil {
					return
				}
			}
		}
	}()
	res, err := http.ReadResponse(in, nil)
	if err != nil {
		t.Fatal(err)
	}
	body, _ := io.ReadAll(res.Body)
	if code := errorCode(string(body)); res.StatusCode != http.StatusRequestTimeout || code != "body_timeout" {
		t.Errorf("got %s %q, want 408 body_timeout", res.Status, code)
	}
}

func TestAnUpgradedClientThatDoesNotReadIsCutAtTheEndOfDrain(t *testing.T) {
	up := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		conn, err := websocket.Accept(w, req, nil)
		if err != nil {
			return
		}
		for conn.Write(req.Context(), websocket.MessageBinary, make([]byte, 1<<20)) == nil {
			continue // as much as the line holds
		}
	}))
	defer up.Close()
	r := start(t, whole+"\ndrain: 100ms\nupstreams: {ws: {base_url: "+up.URL+"/v1}}\n")
	conn, in := r.dial(t, head("GET /v1/realtime?model=demo", "Connection: Upgrade", "Upgrade: websocket",
		"Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="))
	if res, err := http.ReadResponse(in, nil); err != nil || res.StatusCode != http.StatusSwitchingProtocols {
		t.Fatalf("got %v, %v, want 101", res, err)
	}
	if err := r.Stop(); err != nil { // it would never return
		t.Error(err)
	}
	_ = conn.Close()
}

func TestAnAdminClientThatDoesNotReadDoesNotHoldTheStop(t *testing.T) {
	r := start(t, whole)
	conn, err := net.Dial("tcp", strings.TrimPrefix(r.AdminURL, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	asked := make(chan struct{})
	go func() {
		for i := range 2000 { // until the answers fill the line
			if i == 200 {
				close(asked)
			}
			if _, err := io.WriteString(conn, "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n"); err != nil {
				return
			}
		}
	}()
	<-asked
	if err := r.Stop(); err != nil {
		t.Error(err)
	}
	if g := r.take(); g != nil {
		t.Error("a discarded server gives out a generation")
	}
}

func TestTLSThatIsTakenAwayStaysUntilTheRestart(t *testing.T) {
	p := newPair(t)
	p.renew(t, 7)
	r := start(t, p.encrypted(""))
	r.write(t, whole, "http://127.0.0.1:9/v1")
	if err := r.Reload(); err != nil {
		t.Fatal(err)
	}
	if got := r.shown(t); got != 7 {
		t.Errorf("certificate %d, want the old one", got)
	}
}
