package replicas

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"
)

// A thousand requests at once spend a budget of all clients to its end, and no
// more: what the relays say is spent is what the upstream takes for it, to the
// nanodollar.
func TestMoneyIsExact(t *testing.T) {
	for _, s := range []setup{setups()[0], setups()[2]} {
		t.Run(s.name, func(t *testing.T) {
			const budget = 60_000_000 // nanodollars: about 2000 answers
			up := serve(t, 100*time.Millisecond)
			// The day has room: who runs this at midnight sees two of them.
			relays := s.open(t, up.URL, "    rules:\n"+
				"      all: {per: global, budget: {usd: 0.06, per: rolling, length: 24h}}\n"+
				"      day: {per: global, budget: {usd: 1, per: day}}\n")
			today := time.Now().UTC().YearDay()
			load := load{relays: relays, connections: 1000, body: question, think: 50 * time.Millisecond}
			all := load.run(t.Context(), t, 3*time.Second)
			settled(t, relays, up, "all")
			// What was given back last is spent too.
			all = append(all, load.drain(t, up)...)
			settled(t, relays, up, "all")
			only(t, all, "200", "429 budget_exceeded")

			answers, _, cost := up.books()
			debt := int64(sum(t, relays, "relay_limit_dollars_total", `rule="all"`, `change="debt"`)*1e9 + 0.5)
			t.Logf("%v; %d nanodollars spent of %d for %d answers, %d of it beyond what was reserved",
				tally(all), cost, budget, answers, debt)
			if cost > budget+debt {
				t.Errorf("%d nanodollars were spent, more than %d and %d beyond", cost, budget, debt)
			}
			if left := budget - cost; left >= costOf(30, 50) {
				t.Errorf("%d nanodollars are left, which is enough for one more", left)
			}
			if time.Now().UTC().YearDay() == today {
				settled(t, relays, up, "day")
			}
		})
	}
}

// drain asks with one connection until nothing more passes.
func (l load) drain(t *testing.T, up *upstream) (all []asked) {
	t.Helper()
	l.connections, l.think = 1, time.Millisecond
	for {
		before, _, _ := up.books()
		ctx, stop := context.WithTimeout(t.Context(), time.Second)
		all = append(all, l.run(ctx, t, time.Second)...)
		stop()
		if after, _, _ := up.books(); after == before {
			return all
		}
	}
}

// settled waits until every relay says that so much of a budget is spent as the
// upstream has taken.
func settled(t *testing.T, relays []*relay, up *upstream, rule string) {
	t.Helper()
	_, _, cost := up.books()
	want := fmt.Sprintf("%.9f", float64(cost)/1e9)
	for _, r := range relays {
		got := ""
		for end := time.Now().Add(30 * time.Second); got != want && time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
			got = nine(r.used(t, rule, "budget"))
		}
		if got != want {
			t.Fatalf("of the budget %s %s dollars are used, want %s", rule, got, want)
		}
	}
}

// nine returns dollars with all nine places.
func nine(dollars string) string {
	_, places, _ := strings.Cut(dollars, ".")
	return dollars + strings.Repeat("0", max(9-len(places), 0))
}
