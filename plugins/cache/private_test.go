package cache_test

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/holysheep/relay/plugins"
	"github.com/holysheep/relay/plugins/cache"
	"github.com/holysheep/relay/plugins/plugintest"
)

// Errors and refusals are the leader's alone: the others ask for themselves.
func TestErrorsAreNotShared(t *testing.T) {
	refusal := &plugins.Error{Status: 429, Type: "rate_limit_error", Code: "x", Message: "x"}
	tests := []struct {
		name   string
		oneAsk func(n int) (int, error)
		header http.Header
		events []string
		body   string
	}{
		{name: "an error", body: greedy, oneAsk: func(n int) (int, error) { return 200, map[bool]error{true: errors.New("broken")}[n == 1] }},
		{name: "a refusal", body: greedy, oneAsk: func(n int) (int, error) { return 200, map[bool]error{true: refusal}[n == 1] }},
		{name: "a status", body: greedy, oneAsk: func(n int) (int, error) { return map[bool]int{true: 500, false: 200}[n == 1], nil }},
		{name: "a status of a stream", body: greedyStream, oneAsk: func(n int) (int, error) { return map[bool]int{true: 429, false: 200}[n == 1], nil }},
		{name: "a cookie", body: greedy, header: http.Header{"Set-Cookie": {"a=b"}}},
		{name: "a stream that begins with an error", body: greedyStream, events: []string{"data: {\"error\":{\"message\":\"x\"}}\n\n"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				u := &talk{events: chunks(3), pause: time.Second, oneAsk: tt.oneAsk, header: tt.header}
				if tt.events != nil {
					u.events = tt.events
				}
				all := many(4, asker{body: tt.body})
				together(t, caching(t, u, nil), all...)
				good := 0
				for _, a := range all {
					if a.cache != "MISS" {
						t.Errorf("an asker got a %s, want a MISS", a.cache)
					}
					if a.err == nil && a.status == 200 {
						good++
					}
				}
				if tt.oneAsk != nil && good != 3 {
					t.Errorf("%d got a good answer, want all but the first", good)
				}
				quiet(t, u, 4)
			})
		})
	}
}

// A reader a hundred times slower than the rest does not slow them down. It is
// told once it is further behind than the recording is kept.
func TestASlowFollower(t *testing.T) {
	tests := []struct {
		name  string
		value plugins.Size
		err   error
	}{
		{"within max_value", plugins.MiB, nil},
		{"beyond it", 2000, cache.ErrBehind},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				u := &talk{events: chunks(2000), pause: 10 * time.Millisecond}
				rt := caching(t, u, func(s *cache.Settings) { s.MaxValue = tt.value })
				fast := many(3, asker{body: greedyStream})
				slow := &asker{body: greedyStream, pace: time.Minute}
				together(t, rt, append(fast, slow)...)
				for _, a := range fast {
					if a.err != nil || a.got != strings.Join(u.events, "") || a.arrived[len(a.arrived)-1] > 21*time.Second {
						t.Errorf("a fast one got %d bytes, %v, the last at %v", len(a.got), a.err, a.arrived[len(a.arrived)-1])
					}
				}
				if !errors.Is(slow.err, tt.err) || (tt.err == nil) != (slow.got == fast[0].got) || !strings.HasPrefix(fast[0].got, slow.got) {
					t.Errorf("the slow one got %d bytes, %v, want %v", len(slow.got), slow.err, tt.err)
				}
				quiet(t, u, 1)
			})
		})
	}
}

// Who wants a new answer joins nobody, and nobody that.
func TestWhoWantsANewAnswerAsksAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		u := &talk{pause: time.Second}
		rt := caching(t, plugintest.RoundTripFunc(func(req *http.Request) (*http.Response, error) { return u.RoundTrip(req) }), nil)
		anew := plugintest.RoundTripFunc(func(req *http.Request) (*http.Response, error) {
			req = req.Clone(req.Context())
			req.Header.Set("Cache-Control", "no-cache")
			return rt.RoundTrip(req)
		})
		a, b, c := &asker{body: greedy}, &asker{body: greedy}, &asker{body: greedy}
		done := make(chan struct{})
		for _, f := range []func(){func() { a.run(t, rt, time.Now()) }, func() { b.run(t, anew, time.Now()) }, func() { c.run(t, anew, time.Now()) }} {
			go func() { f(); done <- struct{}{} }()
		}
		for range 3 {
			<-done
		}
		synctest.Wait()
		quiet(t, u, 3)
	})
}

// A panic of whoever is inside is the leader's, and the others ask themselves.
func TestAPanicIsTheLeaders(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		u := &talk{pause: time.Second}
		first := true
		rt := caching(t, plugintest.RoundTripFunc(func(req *http.Request) (*http.Response, error) {
			if was := first; was {
				first = false
				time.Sleep(time.Second)
				panic("broken")
			}
			return u.RoundTrip(req)
		}), nil)
		panicked := make(chan any)
		go func() {
			defer func() { panicked <- recover() }()
			(&asker{body: greedy}).run(t, rt, time.Now())
		}()
		synctest.Wait()
		other := &asker{body: greedy}
		together(t, rt, other)
		if v := <-panicked; v != "broken" || other.err != nil || other.cache != "MISS" {
			t.Errorf("the leader panicked with %v, the other got %s, %v", v, other.cache, other.err)
		}
	})
}

// Whoever asks again outside of the cache has whom it has asked before kept in
// mind, and hears what became of each attempt.
func TestAttemptsOutsideOfTheCache(t *testing.T) {
	var before []int
	rt := caching(t, plugintest.RoundTripFunc(func(req *http.Request) (*http.Response, error) {
		call := plugins.CallOf(req.Context())
		before = append(before, call.Trail.Attempts())
		a := plugins.AttemptOf(req.Context())
		a.Begin("up", "", "m", len(before))
		call.Trail.Begin(a)
		return plugintest.Response(req, 503, `{}`), nil
	}), nil)
	req := plugintest.Request(t, greedy)
	for range 3 {
		a := &plugins.Attempt{}
		res, err := rt.RoundTrip(req.WithContext(plugins.WithAttempt(req.Context(), a)))
		if err != nil || a.Upstream() != "up" {
			t.Fatalf("RoundTrip = %v, the attempt asks %q", err, a.Upstream())
		}
		_ = res.Body.Close()
	}
	if got := plugins.CallOf(req.Context()).Trail.Attempts(); !slices.Equal(before, []int{0, 1, 2}) || got != 3 {
		t.Errorf("before each attempt there were %v, in the end %d, want 0, 1, 2 and 3", before, got)
	}
}

// An answer that is the leader's alone comes with its trailers.
func TestTrailersOfAnAnswerThatIsNotShared(t *testing.T) {
	upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Trailer", "X-End")
		_, _ = io.WriteString(w, `{}`)
		w.Header().Set("X-End", "1")
	}))
	defer upstream.Close()
	rt := caching(t, plugintest.RoundTripFunc(func(req *http.Request) (*http.Response, error) {
		out, err := http.NewRequestWithContext(req.Context(), http.MethodPost, upstream.URL, req.Body)
		if err != nil {
			return nil, err
		}
		return http.DefaultTransport.RoundTrip(out)
	}), nil)
	res, err := rt.RoundTrip(plugintest.Request(t, greedy))
	if err != nil {
		t.Fatal(err)
	}
	_, err = io.Copy(io.Discard, res.Body)
	_ = res.Body.Close()
	if got := res.Trailer.Get("X-End"); got != "1" || err != nil {
		t.Errorf("the trailer is %q, %v, want 1", got, err)
	}
	http.DefaultTransport.(*http.Transport).CloseIdleConnections()
}

// Whoever has the last byte of an answer whose length is known may ask for the
// next at once: by then its end is known, the upstream's answer closed, and the
// answer stored.
func TestTheLastByteComesWithTheEnd(t *testing.T) {
	u := &talk{}
	rt := caching(t, u, nil)
	res, err := rt.RoundTrip(plugintest.Request(t, greedy))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	ended := false
	plugins.Watch(res, nil, func(bool) { ended = true })
	got, buf := 0, make([]byte, 4096)
	for int64(got) < res.ContentLength {
		n, err := res.Body.Read(buf)
		got += n
		if err != nil && (!errors.Is(err, io.EOF) || int64(got) < res.ContentLength) {
			t.Fatal(err)
		}
	}
	if _, open, _ := u.counts(); !ended || open != 0 {
		t.Errorf("with the last byte the end is known: %t; %d answers of the upstream are open", ended, open)
	}
	if hit := ask(t, rt, plugintest.Request(t, greedy)).cache; hit != "HIT" {
		t.Errorf("the next one is a %s, want a HIT", hit)
	}
}
