package cache_test

import (
	"errors"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/holysheep/relay/plugins"
	"github.com/holysheep/relay/plugins/cache"
	"github.com/holysheep/relay/plugins/plugintest"
)

// TestHitHasNothingOfAnotherCall lists every header of a hit.
func TestHitHasNothingOfAnotherCall(t *testing.T) {
	upstream := &plugintest.Upstream{}
	upstream.Then(func(req *http.Request) (*http.Response, error) {
		res := plugintest.Response(req, 200, `{"a":1}`)
		for _, name := range []string{
			"Age", "Anthropic-Ratelimit-Requests-Remaining", "Cf-Ray", "Connection", "Date", "Etag",
			"Openai-Organization", "Openai-Processing-Ms", "Request-Id", "Retry-After", "Server-Timing", "Via",
			"X-Cache", "X-Ratelimit-Remaining-Tokens", "X-Relay-Upstream", "X-Request-Id", "X-Unheard-Of",
		} {
			res.Header.Set(name, "1")
		}
		res.Header["Content-Encoding"] = []string{"identity"}
		res.Header["Content-Language"] = []string{"de", "en"}
		return res, nil
	})
	rt := caching(t, upstream, nil)
	miss := ask(t, rt, plugintest.Request(t, greedy))
	hit := ask(t, rt, plugintest.Request(t, greedy))
	if miss.cache != "MISS" || miss.header.Get("X-Request-Id") != "1" {
		t.Errorf("first answer = %+v, want a miss with every header", miss)
	}
	want := got{200, `{"a":1}`, "HIT", "1", http.Header{ // the upstream's was 1
		"Content-Type": {"application/json"}, "Content-Language": {"de, en"}, "Content-Length": {"7"},
	}}
	if diff := cmp.Diff(want, hit, cmp.AllowUnexported(got{})); diff != "" {
		t.Errorf("second answer (-want +got):\n%s", diff)
	}
}

// TestHitsAreIndependent changes everything of one hit and looks at the next.
func TestHitsAreIndependent(t *testing.T) {
	rt := caching(t, plugintest.Answers(200), nil)
	first := ask(t, rt, plugintest.Request(t, greedy))
	for range 2 {
		req := plugintest.Request(t, greedy)
		body := &closing{ReadCloser: req.Body}
		req.Body = body
		res, err := rt.RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		if res.Request != req || res.ContentLength != int64(len(first.body)) || res.Status != "200 OK" {
			t.Errorf("hit = %+v, want one of this request", res)
		}
		if !body.closed {
			t.Error("the request's body is open, want it closed by the transport")
		}
		clear(res.Header["Content-Type"])
		res.Header.Set("X-Other", "1")
	}
	if hit := ask(t, rt, plugintest.Request(t, greedy)); hit.body != first.body || hit.header.Get("Content-Type") != "application/json" || hit.header.Get("X-Other") != "" {
		t.Errorf("hit = %+v, want the stored answer", hit)
	}
}

func TestTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		upstream := plugintest.Answers(200, 200, 200, 200, 200)
		rt := caching(t, upstream, func(s *cache.Settings) { s.TTL = time.Minute })
		steps := []struct {
			name       string
			wait       time.Duration
			control    string
			cache, age string
			body       string
		}{
			{"nothing is stored", 0, "", "MISS", "", `{"n":1}`},
			{"at once", 0, "", "HIT", "0", `{"n":1}`},
			{"later", 30*time.Second + 900*time.Millisecond, "", "HIT", "30", `{"n":1}`},
			{"as old as the client takes", 100 * time.Millisecond, "max-age=31", "HIT", "31", `{"n":1}`},
			{"older than the client takes", 0, `max-age="30"`, "MISS", "", `{"n":2}`},
			{"the new answer is stored", time.Second, "", "HIT", "1", `{"n":2}`},
			{"the client wants a new answer", time.Second, "no-cache", "MISS", "", `{"n":3}`},
			{"which is stored", 59999 * time.Millisecond, "", "HIT", "59", `{"n":3}`},
			{"until it is too old", time.Millisecond, "", "MISS", "", `{"n":4}`},
			{"an age that is no number is 0", time.Second, "max-age=x", "MISS", "", `{"n":5}`},
		}
		for _, s := range steps {
			advance(s.wait)
			req := plugintest.Request(t, greedy)
			req.Header.Set("Cache-Control", s.control)
			got := ask(t, rt, req)
			if got.cache != s.cache || got.age != s.age || got.body != s.body {
				t.Errorf("%s: %s, age %q, %s, want %s, age %q, %s", s.name, got.cache, got.age, got.body, s.cache, s.age, s.body)
			}
		}
	})
}

// TestAnswersSayHowLongTheyLast has the upstream shorten the ttl of a minute.
func TestAnswersSayHowLongTheyLast(t *testing.T) {
	tests := []struct {
		name, control, age string
		most               time.Duration // the answer is a hit before and a miss from here on
	}{
		{"nothing", "", "", time.Minute},
		{"less than ttl", "public, max-age=20, must-revalidate", "", 20 * time.Second},
		{"more than ttl", "max-age=3600", "", time.Minute},
		{"shared caches have less", "max-age=50, s-maxage=10", "", 10 * time.Second},
		{"shared caches have more", "s-maxage=30, max-age=0", "", 30 * time.Second},
		{"some of it is over", "max-age=20", "15", 5 * time.Second},
		{"some of ttl is over", "", "15", 45 * time.Second},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				rt := caching(t, answering(`{}`, func(r *http.Response) {
					r.Header.Set("Cache-Control", tt.control)
					r.Header.Set("Age", tt.age)
				}), func(s *cache.Settings) { s.TTL = time.Minute })
				ask(t, rt, plugintest.Request(t, greedy))
				for _, want := range []string{"HIT", "MISS"} {
					advance(tt.most / 2)
					if got := ask(t, rt, plugintest.Request(t, greedy)).cache; got != want {
						t.Errorf("the answer is a %s, want a %s", got, want)
					}
				}
			})
		})
	}
}

// advance lets the time of a synctest bubble pass.
func advance(d time.Duration) { <-time.After(d) }

func TestRefusalsPassAndAreNotStored(t *testing.T) {
	refusal := (&plugins.Error{Status: 429, Type: "rate_limit_error", Code: "x", Message: "x"})
	upstream := plugintest.Answers(200)
	refused := true
	rt := caching(t, plugintest.RoundTripFunc(func(req *http.Request) (*http.Response, error) {
		if refused {
			refused = false
			return nil, refusal
		}
		return upstream.RoundTrip(req)
	}), nil)
	if res, err := rt.RoundTrip(plugintest.Request(t, greedy)); !errors.Is(err, refusal) || res != nil {
		t.Errorf("RoundTrip = %v, %v, want the refusal", res, err)
	}
	if got := statuses(t, rt, 2, func() *http.Request { return plugintest.Request(t, greedy) }); got != "MISS HIT" {
		t.Errorf("X-Cache after the refusal = %q, want %q", got, "MISS HIT")
	}
}
