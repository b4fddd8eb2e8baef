package upstream

import (
	"bytes"
	"errors"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/holysheep/relay/internal/credential"
	"github.com/holysheep/relay/plugins"
	"github.com/holysheep/relay/plugins/plugintest"
)

// A bench is a pool of one upstream, called one, whose answers depend on the
// key that it gets.
type bench struct {
	*Pool
	now *clock
	log bytes.Buffer
}

// newBench returns a bench with keys, between spaces. answer gets the key.
func newBench(t *testing.T, keys string, answer func(key string, req *http.Request) *http.Response) *bench {
	t.Helper()
	b := &bench{now: newClock()}
	env := plugintest.Env(t, map[string]string{"KEYS": keys})
	env.Now, env.Log = b.now.Now, slog.New(slog.NewTextHandler(&b.log, nil))
	var err error
	b.Pool, err = New(Config{Health: HealthDefaults(), Upstreams: map[string]Settings{
		"one": settings("https://x/v1", func(s *Settings) { s.APIKeyEnv = "KEYS" }),
	}}, env)
	if err != nil {
		t.Fatal(err)
	}
	b.members[0].client = plugintest.RoundTripFunc(func(req *http.Request) (*http.Response, error) {
		return answer(strings.TrimPrefix(req.Header.Get("Authorization"), "Bearer "), req), nil
	})
	return b
}

// A tried is what came of one attempt.
type tried struct {
	Key, Body    string
	Status       int // of the error, if there was no answer
	Fault        plugins.Fault
	Alternatives int
}

// ask makes one attempt of req's call.
func (b *bench) ask(t *testing.T, req *http.Request) tried {
	t.Helper()
	attempt := &plugins.Attempt{}
	res, err := b.RoundTrip(req.WithContext(plugins.WithAttempt(req.Context(), attempt)))
	got := tried{Key: attempt.Key(), Fault: attempt.Fault(), Alternatives: attempt.Alternatives()}
	if err != nil {
		e, ok := plugins.AsError(err)
		if !ok || !errors.Is(err, ErrKey) || !e.Again {
			t.Fatalf("err = %v, want %v, after which to ask again", err, ErrKey)
		}
		got.Status = e.Status
		return got
	}
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	got.Status, got.Body = res.StatusCode, string(body)
	return got
}

const (
	usedUp  = `{"error":{"message":"You exceeded your current quota","type":"insufficient_quota","code":"insufficient_quota"}}`
	tooMany = `{"error":{"message":"Rate limit reached","type":"requests","code":"rate_limit_exceeded"}}`
)

func TestARefusedKeyIsLeftAloneByItself(t *testing.T) {
	tests := []struct {
		name, body string
		status     int
		header     http.Header
		told       int           // the status that the client would get
		rest       time.Duration // of the key; 0 if it is not ejected
		reason     string
	}{
		{"unauthorized", "{}", 401, nil, 502, 5 * time.Minute, "unauthorized"},
		{"forbidden", "{}", 403, nil, 403, 5 * time.Minute, "forbidden"},
		{"out of quota", usedUp, 429, nil, 429, 5 * time.Minute, "quota"},
		{"out of quota in other words", `{"error":{"code":"insufficient_user_quota"}}`, 429, nil, 429, 5 * time.Minute, "quota"},
		{"without money", `{"error":{"message":"Insufficient Balance"}}`, 402, nil, 402, 5 * time.Minute, "quota"},
		{"for as long as it is told", usedUp, 429, http.Header{"Retry-After": {"7"}}, 429, 7 * time.Second, "quota"},
		{"until a date", usedUp, 429, http.Header{"Retry-After": {"Thu, 01 Jan 2026 00:01:00 GMT"}}, 429, time.Minute, "quota"},
		{"for milliseconds", usedUp, 429, http.Header{"Retry-After": {"9"}, "Retry-After-Ms": {"1500"}}, 429, 1500 * time.Millisecond, "quota"},
		{"no longer than max_ejection", usedUp, 429, http.Header{"Retry-After": {"86400"}}, 429, 5 * time.Minute, "quota"},
		{"as Google says it", `{"error":{"message":"You exceeded your current quota","details":[{"retryDelay": "34.07s"}]}}`, 429, nil, 429, 34 * time.Second, "quota"},
		{"not for too many requests", tooMany, 429, http.Header{"Retry-After": {"7"}}, 429, 0, ""},
		{"not for a word beyond 4 KiB", strings.Repeat(" ", 4096) + usedUp, 429, nil, 429, 0, ""},
		{"not for a request that is wrong", "{}", 400, nil, 400, 0, ""},
		{"not for a fault of the upstream", usedUp, 500, nil, 500, 0, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			bad := ""
			b := newBench(t, "sk-1 sk-2", func(key string, req *http.Request) *http.Response {
				if bad == "" {
					bad = key
				}
				if key != bad {
					return plugintest.Response(req, http.StatusOK, "fine")
				}
				res := plugintest.Response(req, tt.status, tt.body)
				maps.Copy(res.Header, tt.header)
				return res
			})
			req := plugintest.Request(t, "{}")
			first := b.ask(t, req)
			want := tried{Key: first.Key, Status: tt.told}
			if tt.told == tt.status {
				want.Body = tt.body
			}
			if tt.rest > 0 {
				want.Fault, want.Alternatives = plugins.FaultKey, 1
			}
			if diff := cmp.Diff(want, first); diff != "" {
				t.Errorf("the first attempt (-want +got):\n%s", diff)
			}
			if second := b.ask(t, req); second.Status != http.StatusOK {
				t.Errorf("the second attempt is by key %s, want the other one", second.Key)
			}
			if got := b.members[0].keys.all[first.Key[0]-'1'].state.until(); tt.rest > 0 && !got.Equal(b.now.now.Add(tt.rest)) {
				t.Errorf("it is ejected until %s, want for %s", got, tt.rest)
			} else if tt.rest == 0 && !got.IsZero() {
				t.Errorf("it is ejected until %s", got)
			}
			b.checkLog(t, first.Key, bad, tt.reason)
		})
	}
}

// checkLog holds that an ejection is told once, without the key.
func (b *bench) checkLog(t *testing.T, name, key, reason string) {
	t.Helper()
	if reason == "" {
		if strings.Contains(b.log.String(), "refuses a key") {
			t.Errorf("logged %s", b.log.String())
		}
		return
	}
	for _, want := range []string{"refuses a key", "upstream=one", "key=" + name, "fingerprint=" + credential.Fingerprint(key), "reason=" + reason} {
		if strings.Count(b.log.String(), want) != 1 {
			t.Errorf("logged %q, want %q once", b.log.String(), want)
		}
	}
}

func TestOfAllKeysEjectedOneIsUsedAllTheSame(t *testing.T) {
	b := newBench(t, "sk-1 sk-2", func(_ string, req *http.Request) *http.Response {
		return plugintest.Response(req, http.StatusUnauthorized, "{}")
	})
	req := plugintest.Request(t, "{}")
	first := b.ask(t, req)
	b.now.now = b.now.now.Add(time.Minute)
	second := b.ask(t, req)
	if first.Fault != plugins.FaultKey || second.Fault != plugins.NoFault || second.Key == first.Key {
		t.Errorf("attempts %+v and %+v, want another key to be left after the first alone", first, second)
	}
	if third := b.ask(t, plugintest.Request(t, "{}")); third.Key != first.Key || third.Status != http.StatusBadGateway {
		t.Errorf("the next request %+v, want it by the key that was ejected first", third)
	}
	if n := strings.Count(b.log.String(), "refuses a key"); n != 2 {
		t.Errorf("%d lines, want one for each key: %s", n, b.log.String())
	}
}

// A client whose requests are forbidden must not take the keys away from the
// others.
func TestAForbiddenRequestIsNotHeldAgainstTheKeys(t *testing.T) {
	forbidden := func(_ string, req *http.Request) *http.Response {
		return plugintest.Response(req, http.StatusForbidden, `{"error":"flagged"}`)
	}
	tests := []struct {
		name, keys string
		calls      int // of as many attempts as there are faults, and one more
		attempts   []int
		ejected    int
	}{
		{"the only key", "sk-1", 3, []int{1, 1, 1}, 0},
		{"two keys", "sk-1 sk-2", 2, []int{2, 2}, 0},
		{"three keys", "sk-1 sk-2 sk-3", 1, []int{2}, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := newBench(t, tt.keys, forbidden)
			var attempts []int
			for range tt.calls {
				req := plugintest.Request(t, "{}")
				n := 1
				for b.ask(t, req).Fault == plugins.FaultKey {
					n++
				}
				attempts = append(attempts, n)
			}
			if diff := cmp.Diff(tt.attempts, attempts); diff != "" {
				t.Errorf("attempts per request (-want +got):\n%s", diff)
			}
			if got := b.metrics.keys.count()["one"]; got != tt.ejected {
				t.Errorf("%d keys are ejected, want %d", got, tt.ejected)
			}
		})
	}
}

func TestWithoutAKeyNothingIsEjected(t *testing.T) {
	p := newPool(t, nil, map[string]Settings{"one": settings("https://x/v1", nil)})
	for _, status := range []int{402, 403, 429} {
		p.members[0].client = plugintest.RoundTripFunc(func(req *http.Request) (*http.Response, error) {
			return plugintest.Response(req, status, usedUp), nil
		})
		res, err := p.RoundTrip(plugintest.Request(t, "{}"))
		if err != nil || res.StatusCode != status {
			t.Fatalf("got %v, %v, want %d", res, err, status)
		}
		if body, err := io.ReadAll(res.Body); string(body) != usedUp || err != nil {
			t.Errorf("body %q, %v", body, err)
		}
	}
}
