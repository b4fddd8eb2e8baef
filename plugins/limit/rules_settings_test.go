package limit

import (
	"math"
	"strings"
	"testing"
	"time"
)

// problem is a change of a rule that is good and what is said of it, "" if it
// is good still.
type problem struct {
	name   string
	change func(*Rule)
	want   string
}

func (p problem) run(t *testing.T) {
	t.Helper()
	s := Defaults()
	r := Rule{Per: perClient, Requests: 60}
	p.change(&r)
	s.Rules = map[string]Rule{"each": r}
	got := ""
	if err := s.Validate(); err != nil {
		got = err.Error()
	}
	if (got == "") != (p.want == "") || !strings.HasPrefix(got, p.want) {
		t.Errorf("%s: problem = %q, want %q", p.name, got, p.want)
	}
}

func TestRulesThatMeanNothing(t *testing.T) {
	for _, p := range []problem{
		{"a header", func(r *Rule) { r.Per, r.Header = perHeader, "X-Team" }, ""},
		{"no header", func(r *Rule) { r.Per = perHeader }, "rules.each.header: name the header"},
		{"a header for nothing", func(r *Rule) { r.Header = "X-Team" }, "rules.each.header: it means nothing with per: client"},
		{"no name of a header", func(r *Rule) { r.Per, r.Header = perHeader, "X Team" }, `rules.each.header: "X Team" is not the name`},
		{"a header that no rule sees", func(r *Rule) { r.Per, r.Header = perHeader, "host" }, "rules.each.header: Host is not among the headers that a rule sees"},
		{"a credential", func(r *Rule) { r.Per, r.Header = perHeader, "authorization" }, "rules.each.header: Authorization holds a credential"},
		{"models", func(r *Rule) { r.Models = []string{"gpt-*", "*"} }, ""},
		{"an empty model", func(r *Rule) { r.Models = []string{""} }, "rules.each.models: an empty glob"},
		{"tokens alone", func(r *Rule) { *r = Rule{Per: perGlobal, Tokens: Tokens{Limit: 5}} }, ""},
		{"tokens without a limit", func(r *Rule) { r.Tokens.Period = time.Hour }, "rules.each.tokens.period: it means nothing without limit"},
		{"a burst without a limit", func(r *Rule) { r.InputTokens.Burst = 5 }, "rules.each.input_tokens.burst: it means nothing without limit"},
		{"a negative limit", func(r *Rule) { r.OutputTokens.Limit = -1 }, "rules.each.output_tokens.limit: -1 is negative"},
		{"a negative period", func(r *Rule) { r.Tokens = Tokens{Limit: 1, Period: -1} }, "rules.each.tokens.period: -1ns is negative"},
		{"a negative burst", func(r *Rule) { r.Tokens = Tokens{Limit: 1, Burst: -1} }, "rules.each.tokens.burst: -1 is negative"},
		{"a bucket of years", func(r *Rule) { r.Tokens = Tokens{Limit: 1, Period: 24 * time.Hour, Burst: 1000} }, "rules.each.tokens.limit: the bucket would take longer than 366 days"},
		{"a queue", func(r *Rule) { r.InFlight, r.Queue = 5, Queue{Size: 10, MaxWait: time.Second} }, ""},
		{"a queue for nothing", func(r *Rule) { r.Queue = Queue{Size: 10, MaxWait: time.Second} }, "rules.each.queue.size: nothing waits in a rule without in_flight"},
		{"a queue without a wait", func(r *Rule) { r.InFlight, r.Queue = 5, Queue{Size: 10} }, "rules.each.queue.max_wait: 0s is not from 1ms to 1h0m0s"},
		{"a wait without a queue", func(r *Rule) { r.InFlight, r.Queue = 5, Queue{MaxWait: 1} }, "rules.each.queue.max_wait: it means nothing without size"},
		{"a queue of less than nothing", func(r *Rule) { r.InFlight, r.Queue = 5, Queue{Size: -1} }, "rules.each.queue.size: -1 is not from 0"},
		{"money a month", func(r *Rule) { r.Budget = Budget{USD: 0.5, Per: budgetMonth} }, ""},
		{"all the money", func(r *Rule) { r.Budget = Budget{USD: 9_000_000} }, ""},
		{"too much money", func(r *Rule) { r.Budget = Budget{USD: 9_000_001} }, "rules.each.budget.usd: 9.000001e+06 is not from 0 to 9000000"},
		{"too little money", func(r *Rule) { r.Budget = Budget{USD: 1e-10} }, "rules.each.budget.usd: 1e-10 is not"},
		{"negative money", func(r *Rule) { r.Budget = Budget{USD: -1} }, "rules.each.budget.usd: -1 is not"},
		{"no number of dollars", func(r *Rule) { r.Budget = Budget{USD: math.NaN()} }, "rules.each.budget.usd: NaN is not"},
		{"a budget per week", func(r *Rule) { r.Budget = Budget{USD: 1, Per: "week"} }, `rules.each.budget.per: "week" is not one of day, month, rolling`},
		{"no budget per day", func(r *Rule) { r.Budget = Budget{Per: budgetDay} }, "rules.each.budget.per: it means nothing without usd"},
		{"a rolling budget", func(r *Rule) { r.Budget = Budget{USD: 1, Per: budgetRolling, Length: time.Hour} }, ""},
		{"a rolling budget of no length", func(r *Rule) { r.Budget = Budget{USD: 1, Per: budgetRolling} }, "rules.each.budget.length: 0s is not from 1m0s to 8784h0m0s"},
		{"a long day", func(r *Rule) { r.Budget = Budget{USD: 1, Per: budgetDay, Length: time.Hour} }, "rules.each.budget.length: it means nothing unless per is rolling"},
		{"closed when the store is down", func(r *Rule) { r.OnStoreDown = downClosed }, ""},
		{"shut when the store is down", func(r *Rule) { r.OnStoreDown = "shut" }, `rules.each.on_store_down: "shut" is not one of local, open, closed`},
		{"a shadow", func(r *Rule) { r.Shadow = true }, ""},
	} {
		p.run(t)
	}
}

func TestOverridesThatMeanNothing(t *testing.T) {
	n := func(n int64) *int64 { return &n }
	usd := func(n float64) *float64 { return &n }
	bob := func(o Override) func(*Rule) { return func(r *Rule) { r.Clients = map[string]Override{"bob": o} } }
	for _, p := range []problem{
		{"more requests", bob(Override{Requests: n(600)}), ""},
		{"no limit", bob(Override{Requests: n(0)}), ""},
		{"nothing", bob(Override{}), "rules.each.clients.bob.requests: nothing is set"},
		{"negative", bob(Override{Requests: n(-1)}), "rules.each.clients.bob.requests: -1 is negative"},
		{"tokens that the rule does not limit", bob(Override{Tokens: n(5)}), "rules.each.clients.bob.tokens: the rule has no such limit"},
		{"money that the rule does not limit", bob(Override{USD: usd(5)}), "rules.each.clients.bob.usd: the rule has no budget"},
		{"too much money", func(r *Rule) {
			r.Budget.USD = 1
			r.Clients = map[string]Override{"bob": {USD: usd(1e9)}}
		}, "rules.each.clients.bob.usd: 1e+09 is not from 0"},
		{"a burst of nothing", bob(Override{Requests: n(0), Burst: n(5)}), "rules.each.clients.bob.burst: it means nothing without requests"},
		{"a rate that cannot be kept", bob(Override{Requests: n(7_000_000)}), "rules.each.clients.bob.requests: 7000000 in 1m0s cannot be kept"},
		{"a client of a rule for all", func(r *Rule) {
			r.Per = perGlobal
			r.Clients = map[string]Override{"bob": {Requests: n(1)}}
		}, "rules.each.clients: no client has numbers of its own with per: global"},
		{"a client of a rule for groups", func(r *Rule) {
			r.Per = perGroup
			r.Clients = map[string]Override{"bob": {Requests: n(1)}}
		}, "rules.each.clients: no client has numbers"},
		{"a group of a rule for groups", func(r *Rule) {
			r.Per = perGroup
			r.Groups = map[string]Override{"vip": {Requests: n(1)}}
		}, ""},
		{"a group of a rule for models", func(r *Rule) {
			r.Per = perModel
			r.Groups = map[string]Override{"vip": {Requests: n(1)}}
		}, "rules.each.groups: no group has numbers of its own with per: model"},
		{"a group of clients", func(r *Rule) { r.Groups = map[string]Override{"vip": {Burst: n(5)}} }, ""},
	} {
		p.run(t)
	}
}

func TestSettingsOfTheStore(t *testing.T) {
	for _, tt := range []struct {
		name   string
		change func(*Settings)
		want   string
	}{
		{"no deadline", func(s *Settings) { s.Store.Deadline = 0 }, "store.deadline: 0s is not from 1ms to 10s"},
		{"no failures", func(s *Settings) { s.Store.Failures = 0 }, "store.failures: 0 is not from 1 to 1000"},
		{"no lease", func(s *Settings) { s.Store.Lease = 0 }, "store.lease: 0s is not from 1s to 1h0m0s"},
		{"replicas below none", func(s *Settings) { s.Store.Replicas = -1 }, "store.replicas: -1 is not from 0 to 10000"},
		{"shards by model", func(s *Settings) { s.Store.Shard = "model" }, `store.shard: "model" is not one of none, client`},
		{"what breaks off", func(s *Settings) { s.OnBroken = "half" }, `on_broken: "half" is not one of partial, reserved, free`},
		{"what has no price", func(s *Settings) { s.Unpriced = "guess" }, `unpriced: "guess" is not one of refuse, free`},
		{"estimates", func(s *Settings) { s.Estimate.BytesPerToken = 0 }, "estimate.bytes_per_token: 0 is not"},
	} {
		s := Defaults()
		tt.change(&s)
		if err := s.Validate(); err == nil || err.Error()[:min(len(tt.want), len(err.Error()))] != tt.want {
			t.Errorf("%s: problem = %v, want %q", tt.name, err, tt.want)
		}
	}
}
