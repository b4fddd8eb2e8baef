package limit

import (
	"net/http"
	"testing"
	"time"

	"github.com/holysheep/relay/plugins"
	"github.com/holysheep/relay/plugins/plugintest"
)

// TestInsideOfRetryEveryAttemptIsSettledByItself runs two attempts beside each
// other, each through the limiter: the first has used 10 and 40 tokens, the
// second 10 and 5, and they end in the order in which they began.
func TestInsideOfRetryEveryAttemptIsSettledByItself(t *testing.T) {
	l := limits(t, priced(t), settling)
	req := asks(t, "ada", "", settled)
	var ends []func() error
	for i, u := range []plugins.Usage{reported(10, 40), reported(10, 5)} {
		attempt := &plugins.Attempt{}
		rt := l.through(plugintest.RoundTripFunc(func(req *http.Request) (*http.Response, error) {
			plugins.CallOf(req.Context()).Trail.Begin(plugins.AttemptOf(req.Context()))
			attempt.Begin([]string{"first", "second"}[i], "key", "eight", 0)
			attempt.SetUsage(u)
			res := plugintest.Response(req, 200, "{}")
			res.Header.Set("X-Ratelimit-Remaining-Requests", []string{"7", "8"}[i])
			return res, nil
		}))
		res, err := rt.RoundTrip(req.WithContext(plugins.WithAttempt(req.Context(), attempt)))
		if err != nil {
			t.Fatal(err)
		}
		ends = append(ends, res.Body.Close)
	}
	for i, want := range []int64{850, 935} { // 100 of either reserved; 50 and 15 used
		_ = ends[i]()
		if got := l.left(t, asker{client: "ada"})["each.tokens"]; got != want {
			t.Errorf("after the end of %d: %d tokens are left, want %d", i+1, got, want)
		}
	}
}

// TestAnAttemptThatAskedNobody is one of several of a request, of which another
// has asked an upstream: what it has reserved comes back whole.
func TestAnAttemptThatAskedNobody(t *testing.T) {
	l := limits(t, priced(t), settling)
	req := asks(t, "ada", "", settled)
	other := &plugins.Attempt{}
	other.Begin("first", "key", "eight", 0)
	other.SetUsage(reported(10, 90))
	plugins.CallOf(req.Context()).Trail.Begin(other)
	_ = to(l.through(plugintest.Answers(200)), req.WithContext(plugins.WithAttempt(req.Context(), &plugins.Attempt{})))
	if got := l.left(t, asker{client: "ada"})["each.tokens"]; got != 1000 {
		t.Errorf("%d tokens are left, want 1000", got)
	}
}

// TestAnErrorInAStreamCostsNoRequest has a price for each request beside its
// tokens, which an answer that is an error does not have.
func TestAnErrorInAStreamCostsNoRequest(t *testing.T) {
	env := priced(t)
	env.Prices["eight"] = plugins.Price{Input: 8, Output: 8, Request: 0.1}
	l := limits(t, env, settling)
	_ = to(l.through(using("eight", 200, plugins.Usage{Model: "eight"})), asks(t, "ada", "", settled))
	if got := l.left(t, asker{client: "ada"})["each.budget"]; got != money(0) {
		t.Errorf("%d nanodollars are left, want all", got)
	}
}

// TestHugeAnswers are asked for beyond what can be added up.
func TestHugeAnswers(t *testing.T) {
	l := limits(t, priced(t), with("each", Rule{Per: perClient, Tokens: Tokens{Limit: 1000}}))
	e := answered(t, to(l.through(plugintest.Answers(200)), asks(t, "ada", "", `{"model":"eight","max_tokens":9223372036854775807}`)))
	const want = `the request needs about 1000000000013 tokens, 13 of the question and 1000000000000 of the answer, more than the limit "each" ever lets through at once (tokens per 1m0s: 1000, burst: 1000, for each client): ask for less`
	if e.Status != 400 || e.Message != want {
		t.Errorf("answer = %d %q, want 400 %q", e.Status, e.Message, want)
	}
}

// TestNoMoreRemainsThanTheLimit has a rate of a thousand tokens a microsecond, of
// which a burst is no whole number of microseconds.
func TestNoMoreRemainsThanTheLimit(t *testing.T) {
	l := limits(t, priced(t), with("each", Rule{Per: perClient, Tokens: Tokens{Limit: 1_000_000_000, Period: time.Second, Burst: 1500}}))
	if got := l.left(t, asker{client: "ada"})["each.tokens"]; got != 1500 {
		t.Errorf("%d tokens are left, want 1500", got)
	}
}

// TestDebtInTheMetricsIsWhatWasUsed has an answer of more tokens than any bucket
// could be in debt for.
func TestDebtInTheMetricsIsWhatWasUsed(t *testing.T) {
	env := priced(t)
	l := limits(t, env, with("each", Rule{Per: perClient, Tokens: Tokens{Limit: 100, Period: time.Hour}}))
	_ = to(l.through(using("eight", 200, reported(10, 999_999_990))), asks(t, "ada", "", settled))
	got := value(t, env, "relay_limit_tokens_total", map[string]string{"rule": "each", "change": "debt"})
	if got < 999_999_899 || got > 999_999_901 {
		t.Errorf("debt = %g, want 999999900", got)
	}
}
