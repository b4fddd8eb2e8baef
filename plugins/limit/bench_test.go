package limit

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/holysheep/relay/plugins/plugintest"
)

// fiveRules is three rules with a rate, of which one also limits what is in
// flight, one that does so alone, and the replica's own.
func fiveRules(s *Settings) {
	s.MaxInFlight = 1 << 40
	s.Rules = map[string]Rule{
		"a": {Per: perGlobal, Requests: 1e6, Period: time.Second},
		"b": {Per: perClient, Requests: 1e6, Period: time.Second, InFlight: 1 << 40},
		"c": {Per: perClient, Requests: 1e8, Period: 1000 * time.Second},
		"d": {Per: perClient, InFlight: 1 << 40},
	}
}

// fiveRulesBuilt returns a store and five rules in it.
func fiveRulesBuilt(tb testing.TB) (*store, []*rule) {
	tb.Helper()
	env := plugintest.Env(tb, nil)
	s := Defaults()
	fiveRules(&s)
	rules, err := newRules(s, env, newMetrics(env.Metrics))
	if err != nil {
		tb.Fatal(err)
	}
	return newStore(time.Now), rules
}

func TestADecisionDoesNotAllocate(t *testing.T) {
	st, rules := fiveRulesBuilt(t)
	decide := func() {
		d := st.take(rules, "ada", time.Second)
		if d.count(rules); !d.refused() {
			st.release(rules, "ada")
		}
	}
	if n := testing.AllocsPerRun(1000, decide); n > 2 {
		t.Errorf("a decision over %d rules allocates %g times, want at most 2", len(rules), n)
	}
}

// BenchmarkDecision decides on a request, counts it and gives its slots back.
func BenchmarkDecision(b *testing.B) {
	st, rules := fiveRulesBuilt(b)
	b.ReportAllocs()
	for b.Loop() {
		d := st.take(rules, "ada", time.Second)
		if d.count(rules); !d.refused() {
			st.release(rules, "ada")
		}
	}
}

func BenchmarkDecisionInParallel(b *testing.B) {
	st, rules := fiveRulesBuilt(b)
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			d := st.take(rules, "ada", time.Second)
			if d.count(rules); !d.refused() {
				st.release(rules, "ada")
			}
		}
	})
}

// BenchmarkDecisionAmongManyClients decides for 100,000 clients in turn.
func BenchmarkDecisionAmongManyClients(b *testing.B) {
	st, rules := fiveRulesBuilt(b)
	clients := make([]string, 100_000)
	for i := range clients {
		clients[i] = fmt.Sprintf("client-%06d", i)
	}
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		client := clients[i%len(clients)]
		if d := st.take(rules, client, time.Second); !d.refused() {
			st.release(rules, client)
		}
		i++
	}
}

// BenchmarkRoundTrip is all that the plugin adds to a request, headers too.
func BenchmarkRoundTrip(b *testing.B) {
	link := build(b, plugintest.Env(b, nil), fiveRules)
	req := plugintest.Client(plugintest.Request(b, `{}`), "ada")
	res := http.Response{Header: http.Header{"Content-Type": {"application/json"}}}
	rt := link.Fetch(plugintest.RoundTripFunc(func(*http.Request) (*http.Response, error) {
		again := res
		again.Body = http.NoBody
		return &again, nil
	}))
	b.ReportAllocs()
	for b.Loop() {
		if res, err := rt.RoundTrip(req); err == nil {
			_ = res.Body.Close()
		}
	}
}
