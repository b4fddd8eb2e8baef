package retry

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/holysheep/relay/internal/demo"
	"github.com/holysheep/relay/plugins"
	"github.com/holysheep/relay/plugins/plugintest"
)

func TestNothingIsHedgedBeforeEnoughIsKnown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		gone := &names{}
		up := upstream()
		for range hedgeKnown {
			up.Then(after(10*time.Millisecond, nil, says(200)))
		}
		up.Then(after(time.Second, gone, says(200))).Then(after(0, nil, says(200)))
		r := build(t, func(s *Settings) { s.Hedge.Endpoints = []string{embeddings} }, pool(up, "a"))
		ask := func() time.Duration {
			start := time.Now()
			res, err := r.RoundTrip(embed(t, "{}"))
			if err != nil || status(res) != http.StatusOK {
				t.Fatalf("got %v, %v, want 200", res, err)
			}
			return time.Since(start)
		}
		for range hedgeKnown {
			ask()
		}
		if got := ask(); got != r.settings.Hedge.Least || len(gone.list()) != 1 {
			t.Errorf("took %s with %q canceled, want the least wait before a hedge, %s", got, gone.list(), r.settings.Hedge.Least)
		}
	})
}

func TestWhichTimesCount(t *testing.T) {
	tests := []struct {
		name string
		up   *plugintest.Upstream
		want time.Duration // the longest that is known, of 101ms before
	}{
		{"that of an answer", upstream().Then(after(150*time.Millisecond, nil, says(200))).Then(after(time.Second, nil, says(200))), 150 * time.Millisecond},
		{"not that of an error", upstream().Then(after(150*time.Millisecond, nil, says(404))).Then(after(time.Second, nil, says(200))), 101 * time.Millisecond},
		{"not that of a failure", upstream().Then(after(150*time.Millisecond, nil, says(503))).Then(after(time.Second, nil, says(200))), 101 * time.Millisecond},
		{"of one that was overtaken, that it lasted so long", upstream().Then(after(time.Second, nil, says(200))).Then(after(200*time.Millisecond, nil, says(200))), 300 * time.Millisecond},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := hedging(t, nil, pool(tt.up, "a", "b"))
				res, err := r.RoundTrip(embed(t, "{}"))
				if err != nil {
					t.Fatal(err)
				}
				status(res)
				if got, _ := r.took[embeddings].At(100); got != tt.want {
					t.Errorf("the longest time is %s, want %s", got, tt.want)
				}
			})
		})
	}
}

func TestTheClientLeavesARace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		gone := &names{}
		up := upstream().Then(after(time.Hour, gone, says(200)))
		r := hedging(t, nil, pool(up, "a", "b"))
		start := time.Now()
		res, err := r.RoundTrip(cutBy(errLeft)(embed(t, "{}")))
		if res != nil || !errors.Is(err, errLeft) || time.Since(start) != time.Second {
			t.Errorf("got %v, %v after %s, want %v after 1s", res, err, time.Since(start), errLeft)
		}
		if len(gone.list()) != 2 || value(t, r.metrics.hedges[hedgeCanceled]) != 1 || value(t, r.metrics.requests[left]) != 1 {
			t.Errorf("%q were canceled, want both", gone.list())
		}
	})
}

// TestTheAnswerOfARaceLivesUntilItIsClosed looks at the context of the winner,
// and has the loser take its time to see that it has lost.
func TestTheAnswerOfARaceLivesUntilItIsClosed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var winner context.Context
		up := upstream().Then(after(120*time.Millisecond, nil, func(req *http.Request) (*http.Response, error) {
			winner = req.Context()
			return says(200)(req)
		})).Then(func(req *http.Request) (*http.Response, error) {
			<-req.Context().Done()
			time.Sleep(time.Second)
			return with(200, newBody("late"))(req)
		})
		start := time.Now()
		res, err := hedging(t, nil, pool(up, "a", "b")).RoundTrip(embed(t, "{}"))
		if err != nil || time.Since(start) != 120*time.Millisecond || winner.Err() != nil {
			t.Fatalf("got %v after %s with %v, want an answer that lives after 120ms", err, time.Since(start), winner.Err())
		}
		if got := read(t, res); got != "{}" || winner.Err() == nil {
			t.Errorf("read %q, and the context of the attempt has not ended", got)
		}
		if got := time.Since(start); got != 1120*time.Millisecond {
			t.Errorf("closed after %s, want when the other attempt has ended", got)
		}
	})
}

func TestTheAnswersThatLoseAreClosed(t *testing.T) {
	tests := []struct {
		name          string
		first, second time.Duration
		status        int // of the one that comes second
	}{
		{"an answer after the first's", 120 * time.Millisecond, 100 * time.Millisecond, 200},
		{"an answer after the second's", 200 * time.Millisecond, 50 * time.Millisecond, 200},
		{"a failure after the second's", 200 * time.Millisecond, 50 * time.Millisecond, 503},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				one, two := newBody("one"), newBody("two")
				late := func(d time.Duration, status int, b *body) func(*http.Request) (*http.Response, error) {
					return func(req *http.Request) (*http.Response, error) {
						time.Sleep(d) // whether it is wanted or not
						return with(status, b)(req)
					}
				}
				statuses := []int{200, tt.status}
				winner, loser := one, two
				if tt.second+100*time.Millisecond < tt.first {
					statuses = []int{tt.status, 200}
					winner, loser = two, one
				}
				up := upstream().Then(late(tt.first, statuses[0], one)).Then(late(tt.second, statuses[1], two))
				res, err := hedging(t, nil, pool(up, "a", "b")).RoundTrip(embed(t, "{}"))
				if err != nil || len(winner.closed) != 0 {
					t.Fatalf("got %v, the answer closed %d times, want it open", err, len(winner.closed))
				}
				read(t, res)
				if len(loser.closed) != 1 {
					t.Errorf("the other answer was closed %d times, want once", len(loser.closed))
				}
			})
		})
	}
}

func TestASecondAttemptThatPanicsIsAFailure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		up := upstream().Then(after(200*time.Millisecond, nil, says(200))).Then(func(*http.Request) (*http.Response, error) { panic("oops") })
		r := hedging(t, nil, pool(up, "a", "b"))
		r.log = slog.New(slog.NewTextHandler(&log, nil))
		res, err := r.RoundTrip(embed(t, "{}"))
		if err != nil || status(res) != http.StatusOK || value(t, r.metrics.hedges[hedgeFailed]) != 1 {
			t.Errorf("got %v, %v, want the first's 200", res, err)
		}
		if !strings.Contains(log.String(), "panic=oops") {
			t.Errorf("logged %q, want the panic", log.String())
		}
	})
}

// TestALoserIsCanceledAtTheUpstream asks a real server, whose first answer does
// not come before its client leaves.
func TestALoserIsCanceledAtTheUpstream(t *testing.T) {
	up := demo.New(demo.Options{})
	var arrived, asked atomic.Int64
	up.Script(func(*http.Request) http.Header {
		if arrived.Add(1) == 1 {
			return http.Header{"X-Demo-Latency": {"1h"}}
		}
		return nil
	})
	server := httptest.NewServer(up)
	defer server.Close()
	transport := &http.Transport{}
	defer transport.CloseIdleConnections()
	r := hedging(t, func(s *Settings) { s.Hedge.Least = 0 }, plugintest.RoundTripFunc(func(req *http.Request) (*http.Response, error) {
		a := plugins.AttemptOf(req.Context())
		a.Begin("demo", "", "", 0)
		plugins.CallOf(req.Context()).Trail.Begin(a)
		if asked.Add(1) == 2 { // the first is there by now
			if err := up.Books().Wait(req.Context(), func(s demo.Snapshot) bool { return s.InFlight == 1 }); err != nil {
				return nil, err
			}
		}
		return transport.RoundTrip(req)
	}))
	req := embed(t, `{"model":"m","input":"hello"}`)
	req.URL.Scheme, req.URL.Host = "http", server.Listener.Addr().String()
	res, err := r.RoundTrip(req)
	if err != nil || res.StatusCode != http.StatusOK {
		t.Fatalf("got %v, %v, want 200", res, err)
	}
	if got := read(t, res); !strings.Contains(got, `"embedding"`) {
		t.Errorf("the answer is %.99q, want it whole", got)
	}
	if _, err := up.Books().Await(t.Context(), 1, func(rec demo.Record) bool { return rec.State == demo.Cancelled }); err != nil {
		t.Error(err)
	}
	call := plugins.CallOf(req.Context())
	if got := call.Header("X-Relay-Attempts"); got != "2" || call.Fault() != nil {
		t.Errorf("%s attempts and the fault %v, want 2 and none", got, call.Fault())
	}
}
