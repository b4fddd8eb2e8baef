package limit

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/holysheep/relay/plugins"
	"github.com/holysheep/relay/plugins/plugintest"
)

// tokens returns a change of the settings to one rule of tokens an hour, for
// each client.
func tokens(n int64) func(*Settings) {
	return with("each", Rule{Per: perClient, Tokens: Tokens{Limit: n, Period: time.Hour}})
}

// TestTokensRefuse has 250 tokens an hour and requests for 100 each.
func TestTokensRefuse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := limits(t, priced(t), tokens(250))
		rt := l.through(using("eight", 200, reported(10, 90)))
		for range 2 {
			if err := to(rt, asks(t, "ada", "", settled)); err != nil {
				t.Fatal(err)
			}
		}
		req := asks(t, "ada", "", settled)
		e := answered(t, to(rt, req))
		if e.Status != 429 || e.Code != "tokens_exceeded" || e.Type != "rate_limit_error" {
			t.Errorf("answer = %d %s %s", e.Status, e.Code, e.Type)
		}
		// 50 tokens more are there in 50/250 of an hour.
		if got := e.Header.Get("Retry-After-Ms"); got != "720000" {
			t.Errorf("retry-after-ms = %q, want 720000", got)
		}
		want := `the limit "each" is reached (tokens per 1h0m0s: 250, burst: 250, for each client): try again in 12m0s`
		if e.Message != want {
			t.Errorf("message = %q, want %q", e.Message, want)
		}
		call := plugins.CallOf(req.Context())
		for key, want := range map[string]string{
			tokensLimit: "250", tokensRemaining: "50", tokensReset: "48m0s", openAILimit: "", plainLimit: "250", plainRemaining: "50",
		} {
			if got := call.Header(key); got != want {
				t.Errorf("%s = %q, want %q", key, got, want)
			}
		}
		time.Sleep(12 * time.Minute)
		if err := to(rt, asks(t, "ada", "", settled)); err != nil {
			t.Errorf("after the wait: %v", err)
		}
	})
}

// TestMoreThanEverFits is told at once, takes nothing and is told no wait.
func TestMoreThanEverFits(t *testing.T) {
	tests := []struct {
		name, code, text string
		rule             Rule
	}{
		{
			name: "of tokens", code: "tokens_exceeded", rule: Rule{Tokens: Tokens{Limit: 99}},
			text: `the request needs about 100 tokens, 10 of the question and 90 of the answer, more than the limit "each" ever lets through at once (tokens per 1m0s: 99, burst: 99, for each client): ask for less`,
		},
		{
			name: "of a burst", code: "tokens_exceeded", rule: Rule{InputTokens: Tokens{Limit: 1000, Burst: 9}},
			text: `the request needs about 10 tokens of the question, more than the limit "each" ever lets through at once (input tokens per 1m0s: 1000, burst: 9, for each client): ask for less`,
		},
		{
			name: "of an answer", code: "tokens_exceeded", rule: Rule{OutputTokens: Tokens{Limit: 89}},
			text: `the request needs 90 tokens of the answer, more than the limit "each" ever lets through at once (output tokens per 1m0s: 89, burst: 89, for each client): ask for less`,
		},
		{
			name: "of money", code: "budget_exceeded", rule: Rule{Budget: Budget{USD: 0.0007, Per: budgetMonth}},
			text: `the request needs about 0.0008 US dollars, more than the limit "each" ever lets through at once (US dollars per month: 0.0007, for each client): ask for less`,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tt.rule.Per, tt.rule.Requests = perClient, 5
			env := priced(t)
			l := limits(t, env, with("each", tt.rule))
			upstream := plugintest.Answers(200)
			e := answered(t, to(l.through(upstream), asks(t, "ada", "", settled)))
			if e.Status != 400 || e.Type != "invalid_request_error" || e.Code != tt.code || e.Message != tt.text {
				t.Errorf("answer = %d %s %s %q, want %s %q", e.Status, e.Type, e.Code, e.Message, tt.code, tt.text)
			}
			if e.Header.Get("Retry-After") != "" {
				t.Error("it is told to wait")
			}
			if left := l.left(t, asker{client: "ada"})["each.requests"]; left != 5 || upstream.Asked() != 0 {
				t.Errorf("%d requests are left, %d were sent, want 5 and 0", left, upstream.Asked())
			}
			if got := value(t, env, "relay_limit_decisions_total", map[string]string{"rule": "each", "decision": tt.code}); got != 1 {
				t.Errorf("%g refusals are counted, want 1", got)
			}
		})
	}
}

// TestAnUnboundedAnswerThatNeverFits is told what would help.
func TestAnUnboundedAnswerThatNeverFits(t *testing.T) {
	l := limits(t, priced(t), tokens(1000))
	e := answered(t, to(l.through(plugintest.Answers(200)), asks(t, "ada", "", `{"model":"eight"}`)))
	const want = `: ask for less, or bound the answer by max_tokens, without which it is taken for 1024`
	if e.Status != http.StatusBadRequest || !strings.HasSuffix(e.Message, want) {
		t.Errorf("answer = %d %q, want 400 that ends with %q", e.Status, e.Message, want)
	}
}

// TestRoutesThatUseNoTokens are no business of a rule of tokens or money, but
// of one of requests.
func TestRoutesThatUseNoTokens(t *testing.T) {
	tests := []struct {
		path   string
		tokens int64 // that are left of 1000
	}{
		{"/v1/chat/completions", 900},
		{"/v1/messages", 900},
		{"/v1/responses", 900},
		{"/openai/deployments/eight/chat/completions", 900},
		{"/v1/messages/count_tokens", 1000},
		{"/v1/models", 1000},
		{"/v1/realtime", 1000},
		{"/v1/files", 1000},
	}
	for _, tt := range tests {
		t.Run(tt.path, func(t *testing.T) {
			l := limits(t, priced(t), settling)
			req := asks(t, "ada", "", settled)
			req.URL, _ = url.Parse(tt.path)
			res, err := l.through(using("eight", 200, reported(1, 1))).RoundTrip(req)
			if err != nil {
				t.Fatal(err)
			}
			if got := l.left(t, asker{client: "ada"}); got["each.tokens"] != tt.tokens || got["each.requests"] != 9 {
				t.Errorf("%d tokens and %d requests are left, want %d and 9", got["each.tokens"], got["each.requests"], tt.tokens)
			}
			_ = res.Body.Close()
		})
	}
}

// TestABodyInDoubt is refused where a rule goes by what is in doubt, and else
// passes.
func TestABodyInDoubt(t *testing.T) {
	const model, most = `{"model": "eight", "model": "two"}`, `{"model": "eight", "max_tokens": 1, "max_tokens": 9}`
	tests := []struct {
		name, body string
		rule       Rule
		refused    bool
	}{
		{"a rule for all", model, Rule{Per: perGlobal, Requests: 1}, false},
		{"a rule for each model", model, Rule{Per: perModel, Requests: 1}, true},
		{"a rule for each model of a client", model, Rule{Per: perClientModel, InFlight: 1}, true},
		{"a rule for some models", model, Rule{Per: perGlobal, Requests: 1, Models: []string{"other"}}, true},
		{"a budget", model, Rule{Per: perGlobal, Budget: Budget{USD: 1}}, true},
		{"tokens, the model in doubt", model, Rule{Per: perGlobal, Tokens: Tokens{Limit: 1e6}}, false},
		{"tokens", most, Rule{Per: perGlobal, Tokens: Tokens{Limit: 1e6}}, true},
		{"tokens of answers", most, Rule{Per: perGlobal, OutputTokens: Tokens{Limit: 1e6}}, true},
		{"tokens of questions", most, Rule{Per: perGlobal, InputTokens: Tokens{Limit: 1e6}}, false},
		{"a budget, the tokens in doubt", most, Rule{Per: perGlobal, Budget: Budget{USD: 1}}, true},
		{"a shadow", model, Rule{Per: perModel, Requests: 1, Shadow: true}, false},
		{"a budget of a shadow", model, Rule{Per: perGlobal, Budget: Budget{USD: 1}, Shadow: true}, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			l := limits(t, priced(t), with("rule", tt.rule))
			want := ""
			if tt.refused {
				want = "ambiguous_body"
			}
			if got := code(t, to(l.through(plugintest.Answers(200)), asks(t, "ada", "", tt.body))); got != want {
				t.Errorf("code = %q, want %q", got, want)
			}
		})
	}
}

// TestAVectorHasNoMaxTokens lets a doubtful max_tokens of embeddings pass: they
// have none.
func TestAVectorHasNoMaxTokens(t *testing.T) {
	l := limits(t, priced(t), tokens(1e6))
	req := asks(t, "ada", "", `{"model": "eight", "max_tokens": 1, "max_tokens": 9}`)
	req.URL, _ = url.Parse("/v1/embeddings")
	if err := to(l.through(plugintest.Answers(200)), req); err != nil {
		t.Error(err)
	}
}

func TestALongHeaderIsHashed(t *testing.T) {
	r := &rule{Rule: Rule{Per: perHeader, Header: "x-team"}}
	long := strings.Repeat("a", longSubject+1)
	got := r.subject(&asker{header: http.Header{"X-Team": {long}}}).A
	if len(got) > longSubject || got == r.subject(&asker{header: http.Header{"X-Team": {long + "b"}}}).A {
		t.Errorf("subject = %q, want a hash of the value", got)
	}
	if got := r.subject(&asker{header: http.Header{"X-Team": {long[1:]}}}).A; got != long[1:] {
		t.Errorf("subject = %q, want the value", got)
	}
}
