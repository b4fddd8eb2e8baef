package server

import (
	"bufio"
	"cmp"
	"io"
	"math"
	"net/http"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/holysheep/relay/internal/demo"
)

// settlingConfig is a relay with a rule of every kind that is settled. A token of
// gpt-4.1 costs 8 dollars per million.
const settlingConfig = `
chain: [auth, limit, cache, retry]
plugins:
  auth: {clients: {tester: {group: testers, keys: {one: {sha256: HASH}}}}}
  cache: {}
  retry: {attempts: 3, wait: 1ms}
  limit:
    on_broken: ON_BROKEN
    count_hits: COUNT_HITS
    rules:
      each:
        per: client
        requests: 1000
        tokens: {limit: 1000000}
        in_flight: 10
        budget: {usd: 100}
upstreams:
  demo: {base_url: UPSTREAM, api_key_env: UPSTREAM_KEY, include_usage: INCLUDE_USAGE}
`

// The questions that are settled: but for dense they are of up to 100 bytes,
// which are taken for 25 tokens, and for at most 75 tokens of answer. A word is a
// token to the demo.
const (
	asked    = `{"model":"gpt-4.1","max_tokens":75,"messages":[{"role":"user","content":"count to three ok"}]      }`
	dense    = `{"model":"gpt-4.1","max_tokens":75,"messages":[{"role":"user","content":"a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a"}]}`
	seeded   = `{"model":"gpt-4.1","max_tokens":75,"seed":1,"messages":[{"role":"user","content":"count to four"}] }`
	streamed = `{"model":"gpt-4.1","max_tokens":75,"stream":true,"messages":[{"role":"user","content":"count ok"}]}`
)

// A settlement is what the metrics say of one request, in whole tokens and
// microdollars.
type settlement struct {
	Admitted                   float64
	Reserved, Refunded, Debt   float64
	Micros                     float64 // that are spent in the end
	InFlight, ReplicasInFlight float64
}

func (r *running) settlement(t *testing.T) settlement {
	t.Helper()
	tokens := func(change string) float64 {
		return math.Round(r.metric(t, "relay_limit_tokens_total", "rule", "each", "change", change))
	}
	dollars := func(change string) float64 {
		return r.metric(t, "relay_limit_dollars_total", "rule", "each", "change", change)
	}
	return settlement{
		Admitted: r.metric(t, "relay_limit_decisions_total", "rule", "each", "decision", "admitted"),
		Reserved: tokens("reserved"), Refunded: tokens("refunded"), Debt: tokens("debt"),
		Micros:           math.Round(1e6 * (dollars("reserved") - dollars("refunded") + dollars("debt"))),
		InFlight:         r.metric(t, "relay_limit_in_flight", "rule", "each"),
		ReplicasInFlight: r.metric(t, "relay_limit_in_flight", "rule", "max_in_flight"),
	}
}

// TestSettlement has the demo end a request in every way.
func TestSettlement(t *testing.T) {
	tests := []struct {
		name    string
		path    string // "" is that of chats
		body    string
		plan    http.Header
		replace []string // of the configuration
		leave   bool     // the client goes after five events
		want    settlement
	}{
		{name: "unary", body: asked, plan: http.Header{"X-Demo-Tokens": {"20"}}, want: settlement{1, 100, 76, 0, 24 * 8, 0, 0}},
		{name: "more than was taken for it", body: dense, plan: http.Header{"X-Demo-Tokens": {"80"}}, want: settlement{1, 124, 0, 11, 135 * 8, 0, 0}},
		{name: "a stream with usage", body: streamed, plan: http.Header{"X-Demo-Tokens": {"20"}}, want: settlement{1, 100, 78, 0, 22 * 8, 0, 0}},
		{name: "a stream without usage", body: streamed, plan: http.Header{"X-Demo-Tokens": {"20"}}, replace: []string{"INCLUDE_USAGE", "false"}, want: settlement{1, 100, 54, 0, 46 * 8, 0, 0}},
		{name: "a stream that is cut", body: streamed, plan: http.Header{"X-Demo-Tokens": {"20"}, "X-Demo-Break": {"events=5"}}, want: settlement{1, 100, 71, 0, 29 * 8, 0, 0}},
		{name: "a stream that is cut, reserved", body: streamed, plan: http.Header{"X-Demo-Tokens": {"20"}, "X-Demo-Break": {"events=5"}}, replace: []string{"ON_BROKEN", "reserved"}, want: settlement{1, 100, 0, 0, 100 * 8, 0, 0}},
		{name: "a stream that is cut, free", body: streamed, plan: http.Header{"X-Demo-Tokens": {"20"}, "X-Demo-Break": {"events=5"}}, replace: []string{"ON_BROKEN", "free"}, want: settlement{1, 100, 100, 0, 0, 0, 0}},
		{name: "the client leaves", body: streamed, plan: http.Header{"X-Demo-Tokens": {"20"}, "X-Demo-Stall": {"events=5"}}, leave: true, want: settlement{1, 100, 71, 0, 29 * 8, 0, 0}},
		{name: "an error event is the whole stream", body: streamed, plan: http.Header{"X-Demo-Error-Event": {"0"}}, want: settlement{1, 100, 100, 0, 0, 0, 0}},
		{name: "an error event ends a stream", body: streamed, plan: http.Header{"X-Demo-Tokens": {"20"}, "X-Demo-Error-Event": {"5"}}, want: settlement{1, 100, 71, 0, 29 * 8, 0, 0}},
		{name: "an error event, free", body: streamed, plan: http.Header{"X-Demo-Tokens": {"20"}, "X-Demo-Error-Event": {"5"}}, replace: []string{"ON_BROKEN", "free"}, want: settlement{1, 100, 100, 0, 0, 0, 0}},
		{name: "another spelling of the path", path: "/v1//chat/completions/", body: asked, plan: http.Header{"X-Demo-Status": {"400"}}, want: settlement{1, 100, 100, 0, 0, 0, 0}},
		{name: "an error", body: asked, plan: http.Header{"X-Demo-Status": {"400"}}, want: settlement{1, 100, 100, 0, 0, 0, 0}},
		{name: "three attempts", body: asked, plan: http.Header{"X-Demo-Tokens": {"20"}, "X-Demo-Fail": {"twice=2:503"}}, want: settlement{1, 100, 76, 0, 24 * 8, 0, 0}},
		{name: "three attempts in vain", body: asked, plan: http.Header{"X-Demo-Fail": {"thrice=3:503"}}, want: settlement{1, 100, 100, 0, 0, 0, 0}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tidy(t)
			r := start(t, strings.NewReplacer(append(tt.replace, "ON_BROKEN", "partial", "COUNT_HITS", "false", "INCLUDE_USAGE", "true")...).Replace(settlingConfig))
			c := r.call(t, speaks(t, "HTTP/1.1"), cmp.Or(tt.path, "/v1/chat/completions"), strings.NewReader(tt.body), tt.plan)
			<-c.done
			if c.err != nil {
				t.Fatal(c.err)
			}
			if tt.leave {
				for lines, left := bufio.NewScanner(c.res.Body), 5; left > 0 && lines.Scan(); {
					if lines.Text() == "" {
						left-- // an event has ended
					}
				}
				c.leave()
			}
			_, _ = io.Copy(io.Discard, c.res.Body)
			r.await(t, func(rec demo.Record) bool { return ended(rec) })
			r.Log.access(t, "leaver")
			if diff := gocmp.Diff(r.settlement(t), tt.want); diff != "" {
				t.Errorf("settlement (-got +want):\n%s", diff)
			}
		})
	}
}

// TestAHitSettles asks twice what the cache may store: the second time nobody is
// asked.
func TestAHitSettles(t *testing.T) {
	for count, want := range map[string]settlement{
		"false": {2, 200, 177, 0, 23 * 8, 0, 0},
		"true":  {2, 200, 77, 0, 23*8 + 100*8, 0, 0},
	} {
		r := start(t, strings.NewReplacer("ON_BROKEN", "partial", "COUNT_HITS", count, "INCLUDE_USAGE", "true").Replace(settlingConfig))
		for _, cache := range []string{"MISS", "HIT"} {
			req := r.request(t, http.MethodPost, "/v1/chat/completions", seeded)
			req.Header.Set("X-Demo-Tokens", "20")
			res, _ := do(t, req)
			if got := res.Header.Get("X-Cache"); got != cache {
				t.Fatalf("X-Cache = %q, want %q", got, cache)
			}
			r.Log.access(t, res.Header.Get("X-Request-Id"))
		}
		if diff := gocmp.Diff(r.settlement(t), want); diff != "" {
			t.Errorf("count_hits %s (-got +want):\n%s", count, diff)
		}
	}
}

// TestAClientThatLeavesBeforeTheAnswerSettles has used the question, which was
// sent, unless it counts nothing or all.
func TestAClientThatLeavesBeforeTheAnswerSettles(t *testing.T) {
	for policy, want := range map[string]settlement{
		"partial":  {1, 100, 75, 0, 25 * 8, 0, 0},
		"reserved": {1, 100, 0, 0, 100 * 8, 0, 0},
		"free":     {1, 100, 100, 0, 0, 0, 0},
	} {
		t.Run(policy, func(t *testing.T) {
			tidy(t)
			r := start(t, strings.NewReplacer("ON_BROKEN", policy, "COUNT_HITS", "false", "INCLUDE_USAGE", "true").Replace(settlingConfig))
			c := r.call(t, speaks(t, "HTTP/1.1"), "/v1/chat/completions", strings.NewReader(asked), http.Header{"X-Demo-Latency": {"1m"}})
			r.await(t, func(rec demo.Record) bool { return len(rec.Body) > 0 })
			c.leave()
			r.Log.access(t, "leaver")
			if diff := gocmp.Diff(r.settlement(t), want); diff != "" {
				t.Errorf("settlement (-got +want):\n%s", diff)
			}
		})
	}
}

// TestAnAnswerThatIsReadOnSettles has used what it says in the end, though its
// client has left long before.
func TestAnAnswerThatIsReadOnSettles(t *testing.T) {
	tidy(t)
	config := strings.NewReplacer("ON_BROKEN", "free", "COUNT_HITS", "false", "INCLUDE_USAGE", "true").Replace(settlingConfig)
	r, up := startLate(t, "on_client_gone: drain\n"+config, nil)
	c := r.call(t, speaks(t, "HTTP/1.1"), "/v1/chat/completions", strings.NewReader(asked), http.Header{"X-Late": {"answer"}, "X-Demo-Tokens": {"20"}})
	<-up.waiting
	c.leave()
	r.Log.access(t, "leaver")
	if got, want := r.settlement(t), (settlement{1, 100, 0, 0, 100 * 8, 1, 1}); got != want {
		t.Errorf("before the end: %+v, want %+v", got, want)
	}
	close(up.release)
	r.Log.Wait(t, func(line map[string]any) bool { return line["msg"] == "answer read on after its client left" })
	if got, want := r.settlement(t), (settlement{1, 100, 76, 0, 24 * 8, 0, 0}); got != want {
		t.Errorf("after the end: %+v, want %+v", got, want)
	}
}
