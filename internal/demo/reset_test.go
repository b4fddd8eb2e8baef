package demo

import (
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

func TestAReset(t *testing.T) {
	tests := []struct{ name, header, wantRaw string }{
		{"before the headers", "X-Demo-Reset: true", ""},
		{"in the headers", "X-Demo-Reset: headers", "HTTP/1.1 200 OK\r\nContent-Ty"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s, url := start(t, Options{})
			conn, err := net.Dial("tcp", strings.TrimSuffix(strings.TrimPrefix(url, "http://"), "/v1"))
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = conn.Close() }()
			if err := request(t, url+"/chat/completions", chatBody, tt.header).Write(conn); err != nil {
				t.Fatal(err)
			}
			raw, err := io.ReadAll(conn)
			if string(raw) != tt.wantRaw || err != nil {
				t.Errorf("answer = %q, %v, want %q", raw, err, tt.wantRaw)
			}
			rec, err := s.Books().Await(patient(t), 1, func(r Record) bool { return r.State.Ended() })
			if err != nil || rec.State != Aborted || rec.Status != 0 {
				t.Errorf("record = %s, %d, %v, want aborted without a status", rec.State, rec.Status, err)
			}
		})
	}
}

func TestAFalseResetIsNone(t *testing.T) {
	_, url := start(t, Options{})
	if res := do(t, request(t, url+"/models", "", "X-Demo-Reset: headers", "X-Demo-Reset: false")); res.StatusCode != 200 {
		t.Errorf("status = %d, want 200", res.StatusCode)
	}
}

func TestAResetInTheHeadersOverHTTP2IsAReset(t *testing.T) {
	s := New(Options{})
	hs := httptest.NewUnstartedServer(s)
	hs.EnableHTTP2 = true
	hs.StartTLS()
	t.Cleanup(hs.Close)
	for _, reset := range []string{"headers", "true"} {
		res, err := hs.Client().Transport.RoundTrip(request(t, hs.URL+"/v1/models", "", "X-Demo-Reset: "+reset))
		if err == nil {
			_ = res.Body.Close()
			t.Errorf("%s: status = %d, want no answer", reset, res.StatusCode)
		}
	}
	if rec, _ := s.Books().Record(1); rec.Proto != "HTTP/2.0" {
		t.Errorf("protocol = %q", rec.Proto)
	}
}

// A script is how a whole upstream dies under load and heals.
func TestAScriptChangesUnderLoad(t *testing.T) {
	const clients, rounds = 20, 40
	s, url := start(t, Options{})
	transport := &http.Transport{MaxIdleConnsPerHost: clients}
	t.Cleanup(transport.CloseIdleConnections)
	faults := []http.Header{nil, {"X-Demo-Status": {"503"}}, {"X-Demo-Reset": {"true"}}, {"X-Demo-Reset": {"headers"}}}
	var odd, after atomic.Int64
	ask := func() int {
		body := strings.NewReader(streamBody)
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url+"/chat/completions", body)
		if err != nil {
			return 0
		}
		res, err := transport.RoundTrip(req)
		if err != nil {
			return -1
		}
		defer func() { _ = res.Body.Close() }()
		_, _ = io.Copy(io.Discard, res.Body)
		return res.StatusCode
	}
	var wg sync.WaitGroup
	for range clients {
		wg.Go(func() {
			for n := range rounds {
				header := faults[n%len(faults)]
				s.Script(func(*http.Request) http.Header { return header })
				if status := ask(); status != 200 && status != 503 && status != -1 {
					odd.Add(1)
				}
			}
		})
	}
	wg.Wait()
	s.Script(nil)
	for range clients {
		wg.Go(func() {
			if ask() != 200 {
				after.Add(1)
			}
		})
	}
	wg.Wait()
	if odd.Load() != 0 || after.Load() != 0 {
		t.Errorf("%d odd answers, and %d failures after the script", odd.Load(), after.Load())
	}
	if err := s.Books().Wait(patient(t), func(s Snapshot) bool { return s.InFlight == 0 }); err != nil {
		t.Error(err)
	}
}
