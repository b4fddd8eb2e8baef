package limit

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/holysheep/relay/plugins"
	"github.com/holysheep/relay/plugins/plugintest"
)

// money is what is left of a budget of a dollar when so much is spent.
func money(dollars float64) int64 { return 1e9 - int64(dollars*1e9) }

// settling is a rule of every kind that is settled. The request of the tests,
// which is 40 bytes long and may have 90 tokens of answer, reserves 10 and 90
// tokens, which cost 0.0008 dollars.
func settling(s *Settings) {
	hour := func(n int64) Tokens { return Tokens{Limit: n, Period: time.Hour} }
	s.Rules = map[string]Rule{"each": {
		Per: perClient, Requests: 10, Period: time.Hour, Tokens: hour(1000), InputTokens: hour(1000),
		OutputTokens: hour(1000), InFlight: 5, Budget: Budget{USD: 1},
	}}
}

const settled = `{"model": "eight",     "max_tokens": 90}` // 40 bytes

// TestSettlement ends a request in every way, and compares what is left of each
// limit in the end.
func TestSettlement(t *testing.T) {
	partial := plugins.Usage{Input: 8, Output: 20, Source: plugins.UsagePartial}
	reservation := []int64{900, 990, 910, money(0.0008)} // left of tokens, input, output, dollars
	nothing := []int64{1000, 1000, 1000, money(0)}
	unreachable := plugintest.RoundTripFunc(func(*http.Request) (*http.Response, error) { return nil, errors.New("unreachable") })
	tests := []struct {
		name     string
		upstream http.RoundTripper
		change   func(*Settings)
		cache    string
		want     []int64
	}{
		{name: "as much as was reserved", upstream: using("eight", 200, reported(10, 90)), want: reservation},
		{name: "less", upstream: using("eight", 200, reported(7, 13)), want: []int64{980, 993, 987, money(0.00016)}},
		{name: "more, which becomes debt", upstream: using("eight", 200, reported(100, 1100)), want: []int64{0, 900, 0, money(0.0096)}},
		{
			name: "an estimate of a whole answer", want: []int64{970, 990, 980, money(0.00024)},
			upstream: using("eight", 200, plugins.Usage{Input: 10, Output: 20, Source: plugins.UsageEstimated}),
		},
		{name: "another model answers, at its price", upstream: using("two", 200, reported(10, 90)), want: []int64{900, 990, 910, money(0.0002)}},
		{name: "a model without a price answers", upstream: using("none", 200, reported(10, 90)), want: reservation},
		{name: "broken, partial", upstream: using("eight", 200, partial), want: []int64{972, 992, 980, money(0.000224)}},
		{name: "broken, reserved", upstream: using("eight", 200, partial), want: reservation, change: func(s *Settings) { s.OnBroken = brokenReserved }},
		{name: "broken, free", upstream: using("eight", 200, partial), want: nothing, change: func(s *Settings) { s.OnBroken = brokenFree }},
		{name: "an error of the upstream", upstream: using("eight", 500, reported(10, 0)), want: nothing},
		{name: "the upstream says nothing", upstream: using("eight", 200, plugins.Usage{}), want: nothing},
		{name: "nobody is reached", upstream: unreachable, want: nothing},
		{name: "a hit", upstream: plugintest.Answers(200), cache: "HIT", want: nothing},
		{name: "a hit that counts", upstream: plugintest.Answers(200), cache: "HIT", want: reservation, change: func(s *Settings) { s.CountHits = true }},
		{name: "an error of the relay, where hits count", upstream: unreachable, want: nothing, change: func(s *Settings) { s.CountHits = true }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l := limits(t, priced(t), func(s *Settings) {
					if settling(s); tt.change != nil {
						tt.change(s)
					}
				})
				req := asks(t, "ada", "", settled)
				plugins.CallOf(req.Context()).SetCache(tt.cache)
				_ = to(l.through(tt.upstream), req)
				want := map[string]int64{
					"each.requests": 9, "each.in_flight": 5,
					"each.tokens": tt.want[0], "each.input_tokens": tt.want[1], "each.output_tokens": tt.want[2], "each.budget": tt.want[3],
				}
				if got := l.left(t, asker{client: "ada"}); !cmp.Equal(got, want) {
					t.Error(cmp.Diff(got, want))
				}
			})
		})
	}
}

// TestWhatIsReservedIsHeldUntilTheEnd looks at the counters while the answer is
// read.
func TestWhatIsReservedIsHeldUntilTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := limits(t, priced(t), settling)
		res, err := l.through(using("eight", 200, reported(1, 1))).RoundTrip(asks(t, "ada", "", settled))
		if err != nil {
			t.Fatal(err)
		}
		left := func() int64 { return l.left(t, asker{client: "ada"})["each.tokens"] }
		if got := left(); got != 900 {
			t.Errorf("before the end %d tokens are left, want 900", got)
		}
		_ = res.Body.Close()
		if got := left(); got != 998 {
			t.Errorf("after the end %d tokens are left, want 998", got)
		}
		_ = res.Body.Close()
		if got := left(); got != 998 {
			t.Errorf("after a second close %d tokens are left, want 998", got)
		}
	})
}

// TestARefundDoesNotGiveBackWhatTimeHas settles a request of 100 of 1000 tokens
// an hour, of which none was used, long after they have come back.
func TestARefundDoesNotGiveBackWhatTimeHas(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := limits(t, priced(t), settling)
		rt := l.through(using("eight", 200, reported(0, 0)))
		res, err := rt.RoundTrip(asks(t, "ada", "", settled))
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Hour)
		if err := to(l.through(using("eight", 200, reported(10, 90))), asks(t, "ada", "", settled)); err != nil {
			t.Fatal(err)
		}
		_ = res.Body.Close()
		if got := l.left(t, asker{client: "ada"})["each.tokens"]; got != 900 {
			t.Errorf("%d tokens are left, want 900", got)
		}
	})
}

// TestAClientThatLeavesBeforeTheAnswer has been sent to an upstream already.
func TestAClientThatLeavesBeforeTheAnswer(t *testing.T) {
	sent := plugins.Usage{Input: 10, Source: plugins.UsagePartial} // as the pool notes it
	for _, tt := range []struct {
		policy string
		used   plugins.Usage
		want   int64
	}{
		{brokenPartial, sent, 990},
		{brokenReserved, sent, 900},
		{brokenFree, sent, 1000},
		{brokenPartial, plugins.Usage{}, 1000}, // the attempt had failed, and no other was sent
		{brokenReserved, plugins.Usage{}, 1000},
	} {
		synctest.Test(t, func(t *testing.T) {
			l := limits(t, priced(t), func(s *Settings) { settling(s); s.OnBroken = tt.policy })
			ctx, leave := context.WithCancel(t.Context())
			rt := l.through(plugintest.RoundTripFunc(func(req *http.Request) (*http.Response, error) {
				attempt := &plugins.Attempt{}
				attempt.Begin("first", "key", "eight", 0)
				attempt.SetUsage(tt.used)
				plugins.CallOf(req.Context()).Trail.Begin(attempt)
				leave()
				return nil, ctx.Err()
			}))
			_ = to(rt, asks(t, "ada", "", settled).WithContext(plugins.WithCall(ctx, plugins.CallOf(asks(t, "ada", "", settled).Context()))))
			if got := l.left(t, asker{client: "ada"})["each.tokens"]; got != tt.want {
				t.Errorf("%s, %+v: %d tokens are left, want %d", tt.policy, tt.used, got, tt.want)
			}
		})
	}
}

func TestAPanicSettles(t *testing.T) {
	l := limits(t, priced(t), settling)
	rt := l.through(plugintest.RoundTripFunc(func(*http.Request) (*http.Response, error) { panic(http.ErrAbortHandler) }))
	func() {
		defer func() { _ = recover() }()
		_ = to(rt, asks(t, "ada", "", settled))
	}()
	if got := l.left(t, asker{client: "ada"}); got["each.tokens"] != 1000 || got["each.in_flight"] != 5 || got["each.budget"] != money(0) {
		t.Errorf("left: %v, want all but a request", got)
	}
}

// TestTokensAndMoneyInTheMetrics lets one request use less than was reserved,
// and one more.
func TestTokensAndMoneyInTheMetrics(t *testing.T) {
	env := priced(t)
	l := limits(t, env, settling)
	_ = to(l.through(using("eight", 200, reported(10, 40))), asks(t, "ada", "", settled))
	_ = to(l.through(using("eight", 200, reported(10, 190))), asks(t, "ada", "", settled))
	for _, tt := range []struct {
		metric, kind, change string
		want                 float64
	}{
		{"relay_limit_tokens_total", "tokens", "reserved", 200},
		{"relay_limit_tokens_total", "tokens", "refunded", 50},
		{"relay_limit_tokens_total", "tokens", "debt", 100},
		{"relay_limit_tokens_total", "input_tokens", "debt", 0},
		{"relay_limit_tokens_total", "output_tokens", "debt", 100},
		{"relay_limit_dollars_total", "", "reserved", 0.0016},
		{"relay_limit_dollars_total", "", "refunded", 0.0004},
		{"relay_limit_dollars_total", "", "debt", 0.0008},
	} {
		labels := map[string]string{"rule": "each", "change": tt.change}
		if tt.kind != "" {
			labels["kind"] = tt.kind
		}
		if got := value(t, env, tt.metric, labels); got < tt.want*0.999 || got > tt.want*1.001 {
			t.Errorf("%s%v = %g, want %g", tt.metric, labels, got, tt.want)
		}
	}
}
