package server

import (
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/holysheep/relay/internal/demo"
)

// fallen is an upstream that stands still from a moment on.
type fallen struct {
	*demo.Server
	base string
}

func newFallen(t *testing.T) *fallen {
	t.Helper()
	f := &fallen{Server: demo.New(demo.Options{})}
	up := httptest.NewServer(f.Server)
	t.Cleanup(up.Close)
	f.base = up.URL + "/v1"
	return f
}

// stand has every request from now on wait until its client leaves.
func (f *fallen) stand() {
	f.Script(func(*http.Request) http.Header { return http.Header{"X-Demo-Latency": {"1h"}} })
}

// standOnce has the next request wait so, and no other.
func (f *fallen) standOnce() {
	var asked atomic.Bool
	f.Script(func(*http.Request) http.Header {
		if asked.Swap(true) {
			return nil
		}
		return http.Header{"X-Demo-Latency": {"1h"}}
	})
}

// startHedging starts a relay that hedges embeddings, knows how long they take,
// and lets one request in at once. Of more the first goes to the configuration,
// and the others to the two upstreams.
func startHedging(t *testing.T, first, second *fallen, more ...string) *running {
	t.Helper()
	more = append(more, "", "weight: 1", "weight: 1")[:3]
	r := &running{Demo: first.Server, Log: &logs{}}
	r.start(t, strings.Replace(whole, "plugins:", "plugins:\n  limit: {max_in_flight: 1}\n"+
		"  retry: {hedge: {endpoints: [/v1/embeddings], least: 1ms}}", 1)+
		more[0]+"upstreams: {one: {base_url: \""+first.base+"\", "+more[1]+"}, two: {base_url: \""+second.base+"\", priority: 1, "+more[2]+"}}\n", "")
	for i := range 20 { // of fewer it is not known
		if res, body := do(t, r.request(t, http.MethodPost, "/v1/embeddings", embeddingOf(strconv.Itoa(i)))); res.StatusCode != http.StatusOK {
			t.Fatalf("answered %d %s, want 200", res.StatusCode, body)
		}
	}
	return r
}

// embeddingOf returns the body of a request for the embedding of a text.
func embeddingOf(text string) string {
	return `{"model":"demo","input":"` + text + `"}`
}

func TestAHedgeThroughTheWholeRelay(t *testing.T) {
	tidy(t)
	first, second := newFallen(t), newFallen(t)
	r := startHedging(t, first, second)
	spent := r.metric(t, "relay_upstream_tokens_total", "upstream", "one", "source", "reported")
	first.stand()
	asked, hedges := first.Books().Len(), second.Books().Len()
	for i := range 2 {
		req := r.request(t, http.MethodPost, "/v1/embeddings", embeddingOf("to be asked for twice"))
		req.Header.Set("X-Request-Id", "hedged-"+strconv.Itoa(i))
		req.Header.Set("Cache-Control", "no-store")
		res, body := do(t, req)
		if res.StatusCode != http.StatusOK || res.Header.Get("X-Relay-Upstream") != "two" || res.Header.Get("X-Relay-Attempts") != "2" {
			t.Fatalf("answered %d by %q after %q attempts, want 200 by the second of two: %s",
				res.StatusCode, res.Header.Get("X-Relay-Upstream"), res.Header.Get("X-Relay-Attempts"), body)
		}
		lost, err := first.Books().Await(patient(t), asked+i+1, ended)
		if err != nil || lost.State != demo.Cancelled {
			t.Errorf("the first attempt is %q at its upstream, %v, want cancelled", lost.State, err)
		}
		line := r.Log.access(t, "hedged-"+strconv.Itoa(i))
		for key, want := range map[string]any{"upstream": "two", "attempts": 2.0, "input_tokens": 5.0, "usage": "reported", "ended": nil, "err": nil} {
			if line[key] != want {
				t.Errorf("the access line has %s %v, want %v", key, line[key], want)
			}
		}
		r.holds(t, 0)
	}
	if got := second.Books().Len() - hedges; got != 2 {
		t.Errorf("the second upstream was asked %d times, want twice", got)
	}
	for name, want := range map[string]float64{"relay_upstream_requests_in_flight": 0, "relay_upstream_requests_waiting": 0} {
		if got := r.metric(t, name); got != want {
			t.Errorf("%s = %g, want %g", name, got, want)
		}
	}
	if got := r.metric(t, "relay_retry_hedges_total", "outcome", "won"); got != 2 {
		t.Errorf("%g hedges have won, want 2", got)
	}
	if got := r.metric(t, "relay_upstream_tokens_total", "upstream", "one", "source", "reported"); got != spent {
		t.Errorf("attempts that lost have reported %g tokens", got-spent)
	}
	// What they may have used all the same is their question: a token for four bytes.
	want := 2 * float64((len(embeddingOf("to be asked for twice"))+3)/4)
	if got := r.metric(t, "relay_upstream_tokens_total", "upstream", "one", "source", "partial"); got != want {
		t.Errorf("attempts that lost may have used %g tokens, want %g", got, want)
	}
}

func TestAClientThatLeavesEndsBothAttempts(t *testing.T) {
	tidy(t)
	first, second := newFallen(t), newFallen(t)
	r := startHedging(t, first, second)
	first.stand()
	second.stand()
	one, two := first.Books().Len()+1, second.Books().Len()+1
	c := r.call(t, speaks(t, protocols()[0]), "/v1/embeddings", strings.NewReader(embeddingOf("left alone")), nil)
	for up, id := range map[*fallen]int{first: one, second: two} { // on a busy machine the second may hear of it first
		if _, err := up.Books().Await(patient(t), id, func(rec demo.Record) bool { return rec.State == demo.Answering }); err != nil {
			t.Fatal(err)
		}
	}
	r.holds(t, 1)
	c.leave()
	for up, id := range map[*fallen]int{first: one, second: two} {
		if rec, err := up.Books().Await(patient(t), id, ended); err != nil || rec.State != demo.Cancelled {
			t.Errorf("an attempt is %q at its upstream, %v, want cancelled", rec.State, err)
		}
	}
	if got := r.line(t); got != (told{499, clientGone, 2}) {
		t.Errorf("access line %v, want 499 client_gone after 2 attempts", got)
	}
}

func TestAHedgeAsksForTheSameModel(t *testing.T) {
	tidy(t)
	first, second := newFallen(t), newFallen(t)
	r := startHedging(t, first, second, "fallbacks: {demo: [other]}\n", "models: [demo]", "models: [other]")
	first.standOnce()
	asked := first.Books().Len()
	res, body := do(t, r.request(t, http.MethodPost, "/v1/embeddings", embeddingOf("to be asked for twice")))
	if res.StatusCode != http.StatusOK || res.Header.Get("X-Relay-Model") != "demo" || res.Header.Get("X-Relay-Upstream") != "one" {
		t.Errorf("answered %d with the model %q by %q, want 200 with demo by the first again: %s",
			res.StatusCode, res.Header.Get("X-Relay-Model"), res.Header.Get("X-Relay-Upstream"), body)
	}
	if got := first.Books().Len() - asked; got != 2 {
		t.Errorf("the first upstream was asked %d times, want twice", got)
	}
	if n := second.Books().Len(); n != 0 {
		t.Errorf("the upstream of the other model was asked %d times: slow is not out", n)
	}
}
