package limit

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/holysheep/relay/plugins"
	"github.com/holysheep/relay/plugins/plugintest"
)

// fiveRules are rules of every kind, each with a limit or two, and the
// replica's own.
func fiveRules(s *Settings) {
	s.MaxInFlight = 1 << 40
	s.Rules = map[string]Rule{
		"a": {Per: perGlobal, Requests: 1e6, Period: time.Second},
		"b": {Per: perClient, Requests: 1e6, Period: time.Second, InFlight: 1 << 40},
		"c": {Per: perClient, Tokens: Tokens{Limit: 1e9, Period: time.Second}},
		"d": {Per: perClientModel, InFlight: 1 << 40},
		"e": {Per: perClient, Budget: Budget{USD: 9e6}},
	}
}

// fiveRulesBuilt returns a limiter of five rules, and what decides on a request
// of a client and settles it.
func fiveRulesBuilt(tb testing.TB) (l *limiter, decide func(client string)) {
	tb.Helper()
	env := plugintest.Env(tb, nil)
	env.Prices = plugins.DefaultPrices()
	s := Defaults()
	fiveRules(&s)
	l, err := newLimiter(s, env)
	if err != nil {
		tb.Fatal(err)
	}
	req := plugintest.Request(tb, `{"model": "gpt-4.1", "max_tokens": 100}`)
	ask := plugins.CallOf(req.Context()).Ask()
	price, _ := l.prices.Of(ask.Model)
	return l, func(client string) {
		q := question{
			asker: asker{client: client, model: ask.Model}, ask: ask, counts: true, writes: true,
			input: 10, output: 100, price: price, priced: true,
		}
		p, err := l.ask(&q)
		if err != nil {
			tb.Fatal(err)
		}
		if d := l.decide(tb.Context(), p); d.passed {
			l.slots.release()
			l.settle(p, &outcome{usage: plugins.Usage{Input: 10, Output: 50}, cost: 1000})
		}
	}
}

func TestADecisionDoesNotAllocate(t *testing.T) {
	l, decide := fiveRulesBuilt(t)
	if n := testing.AllocsPerRun(1000, func() { decide("ada") }); n > 2 {
		t.Errorf("a decision over %d rules allocates %g times, want at most 2", len(l.rules), n)
	}
}

// BenchmarkDecision decides on a request, counts it and settles it.
func BenchmarkDecision(b *testing.B) {
	_, decide := fiveRulesBuilt(b)
	b.ReportAllocs()
	for b.Loop() {
		decide("ada")
	}
}

func BenchmarkDecisionInParallel(b *testing.B) {
	_, decide := fiveRulesBuilt(b)
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			decide("ada")
		}
	})
}

// BenchmarkDecisionAmongManyClients decides for 100,000 clients in turn.
func BenchmarkDecisionAmongManyClients(b *testing.B) {
	_, decide := fiveRulesBuilt(b)
	clients := make([]string, 100_000)
	for i := range clients {
		clients[i] = fmt.Sprintf("client-%06d", i)
	}
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		decide(clients[i%len(clients)])
		i++
	}
}

// wholeTrip returns what has a request of a client pass through all of the
// plugin over five rules, headers too. What it reserves stands.
func wholeTrip(tb testing.TB) (once func()) {
	tb.Helper()
	env := plugintest.Env(tb, nil)
	env.Prices = plugins.DefaultPrices()
	link := build(tb, env, func(s *Settings) {
		fiveRules(s)
		s.CountHits = true
	})
	req := plugintest.Client(plugintest.Request(tb, `{"model": "gpt-4.1"}`), "ada")
	res := http.Response{Header: http.Header{"Content-Type": {"application/json"}}}
	rt := link.Fetch(plugintest.RoundTripFunc(func(*http.Request) (*http.Response, error) {
		res.Body = http.NoBody
		return &res, nil
	}))
	return func() {
		res, err := rt.RoundTrip(req)
		if err != nil {
			tb.Fatal(err)
		}
		_ = res.Body.Close()
	}
}

// A round trip allocates what the request claims and holds, the text of its
// headers, and the answer's body that is watched with what is told of its end.
func TestARoundTripAllocatesLittle(t *testing.T) {
	if n := testing.AllocsPerRun(1000, wholeTrip(t)); n > 4 {
		t.Errorf("a round trip allocates %g times, want at most 4", n)
	}
}

// BenchmarkRoundTrip is all that the plugin adds to a request, from RoundTrip
// until it is settled, headers too.
func BenchmarkRoundTrip(b *testing.B) {
	once := wholeTrip(b)
	b.ReportAllocs()
	for b.Loop() {
		once()
	}
}
