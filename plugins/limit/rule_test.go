package limit

import (
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/holysheep/relay/internal/ledger"
	"github.com/holysheep/relay/plugins/plugintest"
)

// TestWhoSharesARule sends a first request, and then others of which those that
// share the rule with it are refused.
func TestWhoSharesARule(t *testing.T) {
	type who struct{ client, group, model, team string }
	first := who{"ada", "vip", "eight", "red"}
	tests := []struct {
		per   string
		then  who
		share bool
	}{
		{perGlobal, who{"bob", "plain", "two", "blue"}, true},
		{perClient, who{"ada", "plain", "two", "blue"}, true},
		{perClient, who{"bob", "vip", "eight", "red"}, false},
		{perGroup, who{"bob", "vip", "two", "blue"}, true},
		{perGroup, who{"ada", "plain", "eight", "red"}, false},
		{perGroup, who{"ada", "", "eight", "red"}, false},
		{perModel, who{"bob", "plain", "eight", "blue"}, true},
		{perModel, who{"ada", "vip", "two", "red"}, false},
		{perClientModel, who{"ada", "plain", "eight", "blue"}, true},
		{perClientModel, who{"ada", "vip", "two", "red"}, false},
		{perClientModel, who{"bob", "vip", "eight", "red"}, false},
		{perHeader, who{"bob", "plain", "two", "red"}, true},
		{perHeader, who{"ada", "vip", "eight", "blue"}, false},
		{perHeader, who{"ada", "vip", "eight", ""}, false},
	}
	for _, tt := range tests {
		r := Rule{Per: tt.per, Requests: 1, Period: time.Hour}
		if tt.per == perHeader {
			r.Header = "x-team"
		}
		rt := limits(t, priced(t), with("rule", r)).through(plugintest.Answers(200))
		send := func(w who) string {
			req := asks(t, w.client, w.group, `{"model": "`+w.model+`"}`)
			if w.team != "" {
				req.Header.Set("X-Team", w.team)
			}
			return code(t, to(rt, req))
		}
		if got := send(first); got != "" {
			t.Fatalf("per %s: the first request is refused: %s", tt.per, got)
		}
		if got := send(tt.then); (got != "") != tt.share {
			t.Errorf("per %s, then %v: code %q, want refused = %t", tt.per, tt.then, got, tt.share)
		}
	}
}

func TestRulesOfSomeModels(t *testing.T) {
	tests := []struct {
		name, body string
		refused    bool
	}{
		{"one that fits", `{"model": "gpt-4.1"}`, true},
		{"another that fits", `{"model": "o3"}`, true},
		{"one that does not", `{"model": "o3-mini"}`, false},
		{"none", `{}`, false},
	}
	for _, tt := range tests {
		l := limits(t, priced(t), with("rule", Rule{Per: perGlobal, InFlight: 1, Models: []string{"gpt-*", "o3"}}))
		rt := l.through(plugintest.Answers(200))
		if _, err := rt.RoundTrip(asks(t, "ada", "", `{"model": "gpt-5"}`)); err != nil {
			t.Fatal(err)
		}
		if got := code(t, to(rt, asks(t, "ada", "", tt.body))); (got != "") != tt.refused {
			t.Errorf("%s: code = %q, want refused = %t", tt.name, got, tt.refused)
		}
	}
}

// TestOverrides compares what is left to clients of a rule in which some have
// other numbers.
func TestOverrides(t *testing.T) {
	n := func(n int64) *int64 { return &n }
	usd := func(n float64) *float64 { return &n }
	rule := Rule{
		Per: perClient, Requests: 60, Burst: 10, Tokens: Tokens{Limit: 1000}, InputTokens: Tokens{Limit: 500},
		OutputTokens: Tokens{Limit: 300}, InFlight: 5, Budget: Budget{USD: 2},
		Clients: map[string]Override{
			"bob": {Requests: n(600), Burst: n(0), Tokens: n(7), InputTokens: n(8), OutputTokens: n(9), InFlight: n(4), USD: usd(3)},
			"cyd": {Requests: n(600)},
			"dan": {Requests: n(0), Tokens: n(0), InputTokens: n(0), OutputTokens: n(0), InFlight: n(0), USD: usd(0)},
		},
		Groups: map[string]Override{"vip": {InFlight: n(50)}},
	}
	all := []int64{10, 1000, 500, 300, 5, 2e9}
	tests := []struct {
		name, client, group string
		want                []int64 // by kind, 0 for no limit
	}{
		{"nobody in particular", "ada", "", all},
		{"everything is set", "bob", "", []int64{600, 7, 8, 9, 4, 3e9}},
		{"only requests", "cyd", "", all},
		{"everything is lifted", "dan", "", []int64{0, 0, 0, 0, 0, 0}},
		{"of a group", "eve", "vip", []int64{10, 1000, 500, 300, 50, 2e9}},
		{"the client goes before its group", "bob", "vip", []int64{600, 7, 8, 9, 4, 3e9}},
		{"a group of its own", "ada", "plain", all},
	}
	l := limits(t, priced(t), with("each", rule))
	for _, tt := range tests {
		left := l.left(t, asker{client: tt.client, group: tt.group})
		for k := range kinds {
			got, limited := left["each."+k.String()]
			if got != tt.want[k] || limited != (tt.want[k] != 0) {
				t.Errorf("%s: %s: %d left (limited: %t), want %d", tt.name, k, got, limited, tt.want[k])
			}
		}
	}
}

// TestALiftedLimitLetsEverythingPass has a budget that a client is free of: not
// even a price is asked for.
func TestALiftedLimitLetsEverythingPass(t *testing.T) {
	none := 0.0
	l := limits(t, priced(t), with("each", Rule{
		Per: perClient, Budget: Budget{USD: 1}, Clients: map[string]Override{"bob": {USD: &none}},
	}))
	rt := l.through(plugintest.Answers(200))
	for client, want := range map[string]string{"ada": "model_unpriced", "bob": ""} {
		if got := code(t, to(rt, asks(t, client, "", `{"model": "none"}`))); got != want {
			t.Errorf("%s: code = %q, want %q", client, got, want)
		}
	}
}

// TestNamesOfCounters holds them to what must not be confused: whose a counter
// is, and of which window.
func TestNamesOfCounters(t *testing.T) {
	tests := []struct {
		rule Rule
		kind kind
		want ledger.Counter
	}{
		{Rule{Per: perGlobal}, kindRequests, ledger.Counter{Name: "r.global.requests", Kind: ledger.KindRate}},
		{Rule{Per: perClient}, kindTokens, ledger.Counter{Name: "r.client.tokens", Kind: ledger.KindRate, OfClient: true}},
		{Rule{Per: perClientModel}, kindFlight, ledger.Counter{Name: "r.client_model.in_flight", Kind: ledger.KindFlight, OfClient: true}},
		{Rule{Per: perGroup}, kindBudget, ledger.Counter{Name: "r.group.budget.day", Kind: ledger.KindBudget, Window: ledger.Window{Calendar: ledger.Day}}},
		{Rule{Per: perModel, Budget: Budget{Per: budgetMonth}}, kindBudget, ledger.Counter{Name: "r.model.budget.month", Kind: ledger.KindBudget, Window: ledger.Window{Calendar: ledger.Month}}},
		{Rule{Per: perHeader, Budget: Budget{Per: budgetRolling, Length: time.Hour}}, kindBudget, ledger.Counter{Name: "r.header.budget.rolling3600000000", Kind: ledger.KindBudget, Window: ledger.Window{Length: time.Hour}}},
	}
	for _, tt := range tests {
		if got := (&rule{Rule: tt.rule, name: "r"}).counter(tt.kind); *got != tt.want {
			t.Errorf("counter = %+v, want %+v", *got, tt.want)
		}
	}
}

// TestBudget spends 0.0008 dollars a request of 0.002 dollars a day.
func TestBudget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // whose clock begins at midnight
		rt := limits(t, priced(t), with("each", Rule{Per: perClient, Budget: Budget{USD: 0.002}})).
			through(using("eight", http.StatusOK, reported(10, 90)))
		for range 2 {
			if err := to(rt, asks(t, "ada", "", settled)); err != nil {
				t.Fatal(err)
			}
		}
		time.Sleep(18 * time.Hour)
		e := answered(t, to(rt, asks(t, "ada", "", settled)))
		want := `the limit "each" is reached (US dollars per day: 0.002, for each client): try again in 6h0m0s`
		if e.Status != 429 || e.Code != "budget_exceeded" || e.Message != want {
			t.Errorf("answer = %d %s %q, want %q", e.Status, e.Code, e.Message, want)
		}
		if got := e.Header.Get("Retry-After"); got != "21600" {
			t.Errorf("Retry-After = %q, want 21600", got)
		}
		time.Sleep(6 * time.Hour)
		if err := to(rt, asks(t, "ada", "", settled)); err != nil {
			t.Errorf("the next day: %v", err)
		}
	})
}

func TestUnpriced(t *testing.T) {
	for policy, want := range map[string]string{unpricedRefuse: "model_unpriced", unpricedFree: ""} {
		l := limits(t, priced(t), func(s *Settings) {
			s.Unpriced = policy
			s.Rules = map[string]Rule{"each": {Per: perClient, Requests: 5, Budget: Budget{USD: 1}}}
		})
		err := to(l.through(using("none", 200, reported(10, 90))), asks(t, "ada", "", `{"model": "none"}`))
		if got := code(t, err); got != want {
			t.Errorf("%s: code = %q, want %q", policy, got, want)
		}
		if want != "" && answered(t, err).Message != `the model "none" has no price, which the budget of the limit "each" needs` {
			t.Errorf("%s: message = %q", policy, answered(t, err).Message)
		}
		if got := l.left(t, asker{client: "ada"})["each.budget"]; got != 1e9 {
			t.Errorf("%s: %d nanodollars are left, want all", policy, got)
		}
	}
}

func TestDollars(t *testing.T) {
	for nano, want := range map[int64]string{0: "0.00", 1: "0.000000001", 5e8: "0.50", 50e9: "50.00", 1_234_500_000: "1.2345", 9_000_000e9: "9000000.00"} {
		if got := dollars(nano); got != want {
			t.Errorf("dollars(%d) = %q, want %q", nano, got, want)
		}
	}
}
