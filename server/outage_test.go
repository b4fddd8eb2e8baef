package server

import (
	"context"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/holysheep/relay/internal/demo"
)

// A mortal is an upstream that can be killed and brought back to life at the
// same address.
type mortal struct {
	*demo.Server
	address string
	server  *http.Server
}

func newMortal(t *testing.T) *mortal {
	t.Helper()
	m := &mortal{Server: demo.New(demo.Options{KeepRecords: 100, Pace: time.Millisecond}), address: "127.0.0.1:0"}
	m.live(t)
	t.Cleanup(func() { _ = m.server.Close() })
	return m
}

// live listens and serves.
func (m *mortal) live(t *testing.T) {
	t.Helper()
	l, err := net.Listen("tcp", m.address)
	if err != nil {
		t.Fatal(err)
	}
	m.address = l.Addr().String()
	m.server = &http.Server{Handler: m.Server, ReadHeaderTimeout: time.Minute}
	go func() { _ = m.server.Serve(l) }()
}

// die closes the listener and cuts every connection.
func (m *mortal) die() { _ = m.server.Close() }

// A crowd is many clients that ask one request after the other.
type crowd struct {
	asked, begun atomic.Int64 // requests, and streams that broke after they had begun
	errs         sync.Map     // what else went wrong, by text
	stop         chan struct{}
	all          sync.WaitGroup
}

// ask has so many clients ask the relay until the crowd is stopped: half of
// them for streams.
func (c *crowd) ask(t *testing.T, r *running, clients int) {
	t.Helper()
	c.stop = make(chan struct{})
	transport := &http.Transport{MaxIdleConnsPerHost: clients}
	t.Cleanup(transport.CloseIdleConnections)
	for i := range clients {
		body := `{"model":"demo","messages":[{"role":"user","content":"count some sheep"}]}`
		if i%2 == 0 {
			body = strings.Replace(body, "{", `{"stream":true,`, 1)
		}
		c.all.Go(func() {
			for {
				select {
				case <-c.stop:
					return
				default:
					c.one(t, r, transport, body)
				}
			}
		})
	}
}

// one asks once.
func (c *crowd) one(t *testing.T, r *running, rt http.RoundTripper, body string) {
	t.Helper()
	c.asked.Add(1)
	req := r.request(t, http.MethodPost, "/v1/chat/completions", body)
	res, err := rt.RoundTrip(req)
	if err != nil {
		c.errs.Store(err.Error()+" for "+body, true)
		return
	}
	defer func() { _ = res.Body.Close() }()
	text, err := io.ReadAll(res.Body)
	switch streamed := strings.HasPrefix(body, `{"stream"`); {
	case res.StatusCode != http.StatusOK:
		c.errs.Store(res.Status+" "+string(text), true)
	case err != nil && streamed && (strings.Contains(string(text), "upstream_broke_off") || strings.Contains(string(text), "[DONE]")):
		c.begun.Add(1)
	case err != nil || streamed && !strings.Contains(string(text), "[DONE]"):
		c.errs.Store("not whole: "+string(text), true)
	}
}

// more waits until the upstream has begun n more requests.
func (m *mortal) more(t *testing.T, n int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	n += m.Books().Len()
	if err := m.Books().Wait(ctx, func(s demo.Snapshot) bool { return s.Len >= n }); err != nil {
		t.Fatal(err)
	}
}

// TestAnUpstreamDiesUnderLoad has one of three upstreams die and come back
// while 200 clients ask: nobody gets an error but those whose stream had begun
// there, and it is asked again when it is back.
func TestAnUpstreamDiesUnderLoad(t *testing.T) {
	tidy(t)
	ups := []*mortal{newMortal(t), newMortal(t), newMortal(t)}
	config := strings.Replace(whole, "plugins:", "plugins:\n  limit: {max_in_flight: 0}\n  retry: {budget: {per_second: 1000}}", 1) +
		"health: {ejection: 100ms, max_ejection: 200ms}\nupstreams:\n"
	for i, up := range ups {
		config += "  " + string(rune('a'+i)) + ": {base_url: \"http://" + up.address + "/v1\"}\n"
	}
	r := start(t, config)
	var c crowd
	c.ask(t, r, 200)
	for _, up := range ups {
		up.more(t, 300)
	}
	ups[1].die()
	ups[0].more(t, 500)
	ups[2].more(t, 500)
	ups[1].live(t)
	ups[1].more(t, 300)
	close(c.stop)
	c.all.Wait()
	c.errs.Range(func(text, _ any) bool { t.Errorf("a client got %s", text); return true })
	t.Logf("%d requests, %d streams had begun at the upstream that died", c.asked.Load(), c.begun.Load())
	if got := r.metric(t, "relay_upstream_ejections_total", "upstream", "b"); got == 0 {
		t.Error("the dead upstream was never left alone")
	}
}

// TestRetriesDoNotMultiplyAnOutage has every upstream fail for a minute, with
// 1,000 requests a second, and looks at each ten seconds of it: attempts are at
// most 1.2 times the requests.
func TestRetriesDoNotMultiplyAnOutage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const perSecond, seconds = 200, 60
		var attempts, requests [seconds + 1]atomic.Int64
		began := time.Now()
		second := func() int { return min(int(time.Since(began)/time.Second), seconds) }
		fails := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			attempts[second()].Add(1)
			w.WriteHeader(http.StatusInternalServerError)
		})
		b, stop := inMemory(t, `
chain: [retry]
allow_anonymous: true
plugins: {retry: {wait: 0s, max_wait: 0s}}
log: {access: false}
upstreams: {one: {base_url: "http://one/v1"}, two: {base_url: "http://two/v1"}, three: {base_url: "http://three/v1"}}
`, map[string]http.Handler{"one": fails, "two": fails, "three": fails})
		defer stop()
		for range perSecond * seconds {
			requests[second()].Add(1)
			if res, _, err := b.ask(t, "/v1/embeddings", `{"model":"demo","input":"x"}`); err != nil || res.StatusCode != http.StatusInternalServerError {
				t.Fatalf("got %v, %v, want 500", res, err)
			}
			time.Sleep(time.Second / perSecond)
		}
		for from := range seconds - 9 {
			var a, r int64
			for i := from; i < from+10; i++ {
				a, r = a+attempts[i].Load(), r+requests[i].Load()
			}
			// 100 retries in ten seconds are the floor: 20 % of 200 a second are above it.
			if float64(a) > 1.2*float64(r) {
				t.Errorf("from second %d on: %d attempts for %d requests", from, a, r)
			}
		}
	})
}
