package limit

import (
	"io"
	"net/http"
	"testing"

	"github.com/holysheep/relay/plugins"
	"github.com/holysheep/relay/plugins/plugintest"
)

// priced returns an environment in which the model "eight" costs 8 dollars per
// million tokens and "two" costs 2.
func priced(t testing.TB) plugins.Env {
	t.Helper()
	env := plugintest.Env(t, nil)
	env.Prices = plugins.Prices{"eight": {Input: 8, Output: 8}, "two": {Input: 2, Output: 2}}
	return env
}

// limits returns a limiter without any limit but those of change.
func limits(t testing.TB, env plugins.Env, change func(*Settings)) *limiter {
	t.Helper()
	s := Defaults()
	s.MaxInFlight = 0
	change(&s)
	if err := s.Validate(); err != nil {
		t.Fatal(err)
	}
	l, err := newLimiter(s, env)
	if err != nil {
		t.Fatal(err)
	}
	l.start()
	return l
}

// through returns l in front of an upstream.
func (l *limiter) through(next http.RoundTripper) http.RoundTripper {
	return &fetcher{limiter: l, next: next}
}

// left returns how many units are left of every limit for one asker, by the
// rule's name and the kind: "each.tokens".
func (l *limiter) left(t testing.TB, of asker) map[string]int64 {
	t.Helper()
	var b batch
	for _, r := range l.rules {
		b.add(r, of, kinds)
	}
	if err := l.ledger.Read(t.Context(), b.claims); err != nil {
		t.Fatal(err)
	}
	left := map[string]int64{}
	for i, p := range b.parts {
		left[p.rule.name+"."+p.kind.String()] = p.size.left(p.kind, b.claims[i].Used)
	}
	return left
}

// asks returns a request of a client of a group.
func asks(t testing.TB, client, group, body string) *http.Request {
	t.Helper()
	req := plugintest.Client(plugintest.Request(t, body), client)
	plugins.CallOf(req.Context()).SetClient(plugins.Client{Name: client, Group: group})
	return req
}

// to sends the request and reads its answer to the end.
func to(rt http.RoundTripper, req *http.Request) error {
	res, err := rt.RoundTrip(req)
	if err == nil {
		_, _ = io.Copy(io.Discard, res.Body)
		_ = res.Body.Close()
	}
	return err
}

// using returns an upstream that answers for the model by the name "first", and
// says what it has used.
func using(model string, status int, u plugins.Usage) plugintest.RoundTripFunc {
	return func(req *http.Request) (*http.Response, error) {
		attempt := &plugins.Attempt{}
		attempt.Begin("first", "key", model, 0)
		attempt.SetUsage(u)
		plugins.CallOf(req.Context()).Trail.Begin(attempt)
		return plugintest.Response(req, status, "{}"), nil
	}
}

// reported is the usage of an answer that tells it.
func reported(input, output int64) plugins.Usage {
	return plugins.Usage{Input: input, Output: output, Source: plugins.UsageReported}
}

// answer returns the error as the answer that the client gets. It fails the test
// if there is none.
func answered(t testing.TB, err error) *plugins.Error {
	t.Helper()
	e, ok := plugins.AsError(err)
	if !ok {
		t.Fatalf("error = %v, want an answer", err)
	}
	return e
}

// code returns the code of the answer, "" if there is no error.
func code(t testing.TB, err error) string {
	t.Helper()
	if err == nil {
		return ""
	}
	return answered(t, err).Code
}
