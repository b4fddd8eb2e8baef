package replicas

import (
	"encoding/json"
	"net/http"
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
				sums(t, client, passed(all, client), each, burst, second[client])
				ample(t, client, of(all, client), each, burst, second[client])
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
			ample(t, "all", all, each, burst, second)
		})
	}
}

// sums is exact for tokens: in no window of time more than the limit, of each
// answer no more counted than was reserved for it.
func sums(t *testing.T, what string, passed []asked, each, burst, second float64) {
	t.Helper()
	slices.SortFunc(passed, func(a, b asked) int { return a.done.Compare(b.done) })
	used := make([]float64, len(passed))
	for i, a := range passed {
		used[i] = min(total(t, a), each)
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

// ample fails if somebody was refused while the bucket had room for one more, as
// far as that is sure on a machine of any speed. Whenever a request was refused
// there was less in the bucket than is reserved for one. So until the last
// refusal as much was taken as it held and as it got since the first one, but for
// what it lost while it was full: see lost.
//
// What is given back counts as taken, for time may have given it back before: all
// of it does where an answer takes longer than its tokens to come back.
func ample(t *testing.T, what string, all []asked, each, burst, second float64) {
	t.Helper()
	taken := 0.0
	for _, a := range passed(all, "") {
		taken += max(total(t, a), each)
	}
	refused := slices.DeleteFunc(slices.Clone(all), func(a asked) bool { return a.status != http.StatusTooManyRequests })
	if len(refused) == 0 {
		return
	}
	slices.SortFunc(refused, func(a, b asked) int { return a.sent.Compare(b.sent) })
	room, d := burst-each, refused[len(refused)-1].sent.Sub(refused[0].done)
	there := room + second*(d-lost(refused, time.Duration(room/second*float64(time.Second)))).Seconds()
	t.Logf("%s: %.0f tokens were taken, and at least %.0f were there", what, taken, there)
	if taken < 0.99*there {
		t.Errorf("%s: %.0f tokens were taken, of at least %.0f that were there", what, taken, there)
	}
}

// lost returns for how long at most a bucket was full that takes so long to fill
// from where requests are refused, in the order of their sending. It was not
// while two refusals lie closer together. When a relay decided is not seen from
// outside, so they lie apart from the sending of the one to the answer of the
// other: of all chains of refusals one is taken that has few links.
func lost(refused []asked, fills time.Duration) (d time.Duration) {
	for i := 0; i < len(refused)-1; {
		next, after := i, refused[i].sent
		for j := i + 1; j < len(refused) && refused[j].sent.Sub(after) <= fills; j++ {
			if refused[j].done.Sub(after) <= fills {
				next = j
			}
		}
		if next == i { // they may lie too far apart
			next++
			d += refused[next].done.Sub(after) - fills
		}
		i = next
	}
	return d
}
