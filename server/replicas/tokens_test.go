package replicas

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/holysheep/relay/internal/redistest"
)

// Tokens are reserved before an answer and settled after it, so what is used is
// at most the limit and what was used beyond the estimates, which the relays
// report. The upstream's books are the judge.
func TestTokensAreExact(t *testing.T) {
	for _, s := range []setup{setups()[0], setups()[2]} {
		t.Run(s.name, func(t *testing.T) {
			const burst, took = 400, 6 * time.Second
			second := map[string]float64{"ada": 1000, "bob": 1000, "cy": 200, "dee": 200}
			up := serve(t, 0)
			relays := s.open(t, up.URL, "    rules:\n      each: {per: client, tokens: {limit: 1000, period: 1s, burst: 400}, clients: {cy: {tokens: 200}, dee: {tokens: 200}}}\n")
			begin := time.Now()
			all := load{relays: relays, connections: 200, body: question, think: 20 * time.Millisecond}.run(t.Context(), t, took)
			limit, lasted := 0.0, time.Since(begin).Seconds()
			for _, n := range second {
				limit += burst + n*lasted
			}
			only(t, all, "200", "429 tokens_exceeded")

			answers, tokens, _ := up.books()
			change := func(change string) float64 {
				return sum(t, relays, "relay_limit_tokens_total", `rule="each"`, `kind="tokens"`, `change="`+change+`"`)
			}
			redistest.Await(t, "the books to agree", func() bool {
				return change("reserved")-change("refunded")+change("debt") == float64(tokens)
			})
			reserved, refunded, debt := change("reserved"), change("refunded"), change("debt")
			t.Logf("%v; the limit is %.0f tokens; %.0f reserved, %.0f refunded, %.0f beyond; %d used, %.1f %% of the limit",
				tally(all), limit, reserved, refunded, debt, tokens, 100*float64(tokens)/limit)
			if reserved-refunded > limit {
				t.Errorf("%.0f tokens were reserved and kept, more than %.0f", reserved-refunded, limit)
			}
			if float64(tokens) > limit+debt {
				t.Errorf("%d tokens were used, more than %.0f and %.0f beyond", tokens, limit, debt)
			}
			if debt == 0 || refunded == 0 {
				t.Error("every estimate was right")
			}
			for _, client := range clients {
				each := reserved / float64(answers)
				b := bucket{burst: burst, second: second[client], each: each}
				b.sums(t, client, passed(all, client))
				b.ample(t, client, of(all, client), func(a asked) float64 { return max(total(t, a), each) })
			}
		})
	}
}

// Where estimates are far too low, what was used beyond them is paid by those who
// come next: in the long run no more is used than by good ones.
func TestUnderestimatesArePaid(t *testing.T) {
	for _, s := range []setup{setups()[0], setups()[2]} {
		t.Run(s.name, func(t *testing.T) {
			const burst, second, took = 500, 2000, 5 * time.Second
			up := serve(t, 0)
			relays := s.open(t, up.URL, "    rules:\n      all: {per: global, tokens: {limit: 2000, period: 1s, burst: 500}}\n")
			begin := time.Now()
			body := strings.Replace(question, `"max_tokens":50`, `"max_tokens":1`, 1)
			all := load{relays: relays, connections: 40, body: body, think: 20 * time.Millisecond}.run(t.Context(), t, took)
			limit := burst + second*time.Since(begin).Seconds()
			answers, tokens, _ := up.books()
			t.Logf("%v; %d tokens used, %.1f %% of the limit", tally(all), tokens, 100*float64(tokens)/limit)
			// Beyond it there may be what all connections have got at one time.
			if float64(tokens) > limit+40*110 {
				t.Errorf("%d tokens were used, want about %.0f", tokens, limit)
			}
			each := sum(t, relays, "relay_limit_tokens_total", `rule="all"`, `change="reserved"`) / float64(answers)
			bucket{burst: burst, second: second, each: each}.
				ample(t, "all", all, func(a asked) float64 { return max(total(t, a), each) })
		})
	}
}

// sums is exact for tokens: in no window of time more than the limit, of each
// answer no more counted than was reserved for it.
func (b bucket) sums(t *testing.T, what string, passed []asked) {
	t.Helper()
	slices.SortFunc(passed, func(a, b asked) int { return a.done.Compare(b.done) })
	used := make([]float64, len(passed))
	for i, a := range passed {
		used[i] = min(total(t, a), b.each)
	}
	for _, first := range passed {
		n := 0.0
		for i, last := range passed {
			if last.sent.Before(first.sent) {
				continue
			}
			n += used[i]
			if w := last.done.Sub(first.sent); n > b.burst+b.second*w.Seconds() {
				t.Errorf("%s: %.0f tokens within %s, more than %.0f", what, n, w, b.burst+b.second*w.Seconds())
				return
			}
		}
	}
}

// total returns how many tokens an answer says were used.
func total(t *testing.T, a asked) float64 {
	t.Helper()
	var answer struct {
		Usage struct {
			Total float64 `json:"total_tokens"`
		}
	}
	if err := json.Unmarshal([]byte(a.body), &answer); err != nil {
		t.Fatal(err)
	}
	return answer.Usage.Total
}
