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
			const burst, took = 1000, 6 * time.Second
			second := map[string]float64{"ada": 2000, "bob": 2000, "cy": 200, "dee": 200}
			up := serve(t, 0)
			relays := s.open(t, up.URL, "    rules:\n      each: {per: client, tokens: {limit: 2000, period: 1s, burst: 1000}, clients: {cy: {tokens: 200}, dee: {tokens: 200}}}\n")
			begin := time.Now()
			all := load{relays: relays, connections: 200, body: question, think: 20 * time.Millisecond}.run(t.Context(), t, took)
			limit, lasted := 0.0, time.Since(begin).Seconds()
			for _, n := range second {
				limit += burst + n*lasted
			}
			only(t, all, "200", "429 tokens_exceeded")

			answers, tokens, _ := up.books()
			of := func(change string) float64 {
				return sum(t, relays, "relay_limit_tokens_total", `rule="each"`, `kind="tokens"`, `change="`+change+`"`)
			}
			redistest.Await(t, "the books to agree", func() bool {
				return of("reserved")-of("refunded")+of("debt") == float64(tokens)
			})
			reserved, refunded, debt := of("reserved"), of("refunded"), of("debt")
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
				n := sums(t, client, passed(all, client), reserved/float64(answers), burst, second[client])
				// A refund gives no time back, so those whose tokens come back in
				// the time of an answer get a little less than they could: about 90 %
				// on a machine with time to spare, and the less the slower it is.
				if part := n / (burst + second[client]*lasted); part < 0.4 {
					t.Errorf("%s has used %.0f tokens, %.1f %% of the limit", client, n, 100*part)
				}
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
			_, tokens, _ := up.books()
			t.Logf("%v; %d tokens used, %.1f %% of the limit", tally(all), tokens, 100*float64(tokens)/limit)
			// Beyond it there may be what all connections have got at one time.
			if float64(tokens) > limit+40*110 || float64(tokens) < 0.4*limit {
				t.Errorf("%d tokens were used, want about %.0f", tokens, limit)
			}
		})
	}
}

// sums is exact for tokens: in no window of time more than the limit, of each
// answer no more counted than was reserved for it. It returns what was used.
func sums(t *testing.T, what string, passed []asked, each, burst, second float64) (total float64) {
	t.Helper()
	slices.SortFunc(passed, func(a, b asked) int { return a.done.Compare(b.done) })
	used := make([]float64, len(passed))
	for i, a := range passed {
		var answer struct {
			Usage struct {
				Total float64 `json:"total_tokens"`
			}
		}
		if err := json.Unmarshal([]byte(a.body), &answer); err != nil {
			t.Fatal(err)
		}
		total += answer.Usage.Total
		used[i] = min(answer.Usage.Total, each)
	}
	for _, first := range passed {
		n := 0.0
		for i, last := range passed {
			if last.sent.Before(first.sent) {
				continue
			}
			n += used[i]
			if w := last.done.Sub(first.sent); n > burst+second*w.Seconds() {
				t.Errorf("%s: %.0f tokens within %s, more than %.0f", what, n, w, burst+second*w.Seconds())
				return total
			}
		}
	}
	return total
}
