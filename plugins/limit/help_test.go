package limit

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/holysheep/relay/plugins"
	"github.com/holysheep/relay/plugins/plugintest"
)

// build returns a link in env: without any limit but those of change.
func build(t testing.TB, env plugins.Env, change func(*Settings)) plugins.Link {
	t.Helper()
	return plugintest.Link(t, Plugin, env, func(s *Settings) {
		s.MaxInFlight = 0
		if change != nil {
			change(s)
		}
	})
}

// with returns a change of the settings that sets one rule.
func with(name string, r Rule) func(*Settings) {
	return func(s *Settings) { s.Rules = map[string]Rule{name: r} }
}

// send sends a request of client through rt, reads the answer to its end and
// returns the call and the error.
func send(t testing.TB, rt http.RoundTripper, client string) (*plugins.Call, error) {
	t.Helper()
	req := plugintest.Client(plugintest.Request(t, `{}`), client)
	res, err := rt.RoundTrip(req)
	if err == nil {
		_, _ = io.Copy(io.Discard, res.Body)
		_ = res.Body.Close()
	}
	return plugins.CallOf(req.Context()), err
}

// refused returns the error's answer, or nil if there is no error. It fails the
// test if the error is not one of the package's.
func refused(t testing.TB, err error) *plugins.Error {
	t.Helper()
	if err == nil {
		return nil
	}
	if !errors.Is(err, ErrRateLimit) && !errors.Is(err, ErrConcurrency) {
		t.Fatalf("the error is not the limit's: %v", err)
	}
	e, _ := plugins.AsError(err)
	return e
}

// counters asks the link's admin side.
func counters(t testing.TB, link plugins.Link, query string) map[string]view {
	t.Helper()
	rec := httptest.NewRecorder()
	link.Admin.ServeHTTP(rec, httptest.NewRequest(http.MethodGet, "/plugins/limit/"+query, nil))
	if rec.Code != http.StatusOK {
		t.Fatalf("admin answers %d: %s", rec.Code, rec.Body)
	}
	var answer struct{ Rules map[string]view }
	if err := json.Unmarshal(rec.Body.Bytes(), &answer); err != nil {
		t.Fatal(err)
	}
	return answer.Rules
}

// inFlight returns how many requests hold a slot of a global rule.
func inFlight(t testing.TB, link plugins.Link, rule string) int64 {
	t.Helper()
	return of(t, counters(t, link, "")[rule], kindFlight, "used")
}

// of returns what the first counter of the kind says of used or remaining.
func of(t testing.TB, v view, k kind, what string) int64 {
	t.Helper()
	for _, c := range v.Counters {
		if c.Kind == k.String() {
			n, err := map[string]json.Number{"used": c.Used, "remaining": c.Remaining}[what].Int64()
			if err != nil {
				t.Fatal(err)
			}
			return n
		}
	}
	t.Fatalf("no counter of %s among %v", k, v.Counters)
	return 0
}

// open sends a request of client through rt and returns the body of its answer,
// unread, or nil if the request was refused.
func open(t testing.TB, rt http.RoundTripper, client string) io.Closer {
	t.Helper()
	res, err := rt.RoundTrip(plugintest.Client(plugintest.Request(t, `{}`), client))
	if refused(t, err) != nil {
		return nil
	}
	return res.Body
}
