package limit

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// passesWords stand wherever there is a rule.
const passesWords = "A request that all rules let through takes of each; one that is refused, by 429 and the rule's name, takes of none."

func TestWords(t *testing.T) {
	tests := []struct {
		name   string
		change func(*Settings)
		want   []string
	}{
		{"the defaults", func(*Settings) {}, []string{"At most 100 requests are in flight in this replica."}},
		{"no limit", func(s *Settings) { s.MaxInFlight = 0 }, []string{"Any number of requests may be in flight in this replica."}},
		{"rules of every kind", everyKind, []string{
			"At most 100 requests are in flight in this replica.",
			"apps, for each value of X-Team: 10 requests in 1m. It only counts and reports: it refuses nothing.",
			"fair, for each client: 600 requests in 1h, 50 of them at once; 1000 tokens in 1m; 5 in flight, beyond which 100 in each replica wait for up to 10s, clients by turns; 2.50 US dollars in a day of the calendar (UTC).",
			"fair, for the client bob: 6000 requests in 1h, 50 of them at once; 1000 tokens in 1m; 2.50 US dollars in a day of the calendar (UTC).",
			"fair, for the group ops: no limit.",
			"models, for each client and model, of requests for gpt-*, o3: 20 tokens of questions in 1m; 30 tokens of answers in 1m, 5 of them at once; 40.00 US dollars in the last 168h.",
			"site, for all together: 9.00 US dollars in a month of the calendar (UTC).",
			passesWords,
			"Tokens and money are taken by an estimate when a request begins, and corrected by the answer's use; of an answer that breaks off what had come counts.",
			"A request for a model without a price is refused where a rule with a budget is about it.",
			"Where replicas share a Redis, and it cannot be asked, each replica holds to its share of fair: to nothing, by 429 limits_unavailable, as long as it has never reached it.",
			"Where replicas share a Redis, and it cannot be asked, everything passes models.",
			"Where replicas share a Redis, and it cannot be asked, nothing passes site.",
		}},
		{"tokens, and other choices", func(s *Settings) {
			s.OnBroken, s.Unpriced = brokenReserved, unpricedFree
			s.Rules = map[string]Rule{"a": {Per: perGroup, Tokens: Tokens{Limit: 5}, Budget: Budget{USD: 1}, OnStoreDown: downOpen}}
		}, []string{
			"At most 100 requests are in flight in this replica.",
			"a, for each group: 5 tokens in 1m; 1.00 US dollars in a day of the calendar (UTC).",
			passesWords,
			"Tokens and money are taken by an estimate when a request begins, and corrected by the answer's use; of an answer that breaks off the whole estimate counts.",
			"A request for a model without a price takes nothing of a budget.",
			"Where replicas share a Redis, and it cannot be asked, everything passes a.",
		}},
		{"what looks like a key where a name belongs", func(s *Settings) {
			s.Rules = map[string]Rule{"a": {
				Per: perClient, Requests: 1, Models: []string{"sk-canary1234"}, OnStoreDown: downOpen,
				Clients: map[string]Override{"sk-canary5678": {Requests: new(int64(2))}},
			}}
		}, []string{
			"At most 100 requests are in flight in this replica.",
			"a, for each client, of requests for (hidden): 1 requests in 1m.",
			"a, for the client (hidden): 2 requests in 1m.",
			passesWords,
			"Where replicas share a Redis, and it cannot be asked, everything passes a.",
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := Defaults()
			tt.change(&s)
			if err := s.Validate(); err != nil {
				t.Error(err)
			}
			if diff := cmp.Diff(tt.want, s.Words()); diff != "" {
				t.Errorf("words (-want +got):\n%s", diff)
			}
		})
	}
}

// everyKind has a rule of each kind that Words speaks of.
func everyKind(s *Settings) {
	s.Rules = map[string]Rule{
		"apps": {Per: perHeader, Header: "x-team", Requests: 10, Shadow: true},
		"fair": {
			Per: perClient, Requests: 600, Period: time.Hour, Burst: 50, Tokens: Tokens{Limit: 1000},
			InFlight: 5, Queue: Queue{Size: 100, MaxWait: 10 * time.Second}, Budget: Budget{USD: 2.5},
			Clients: map[string]Override{"bob": {Requests: new(int64(6000)), InFlight: new(int64(0))}},
			Groups: map[string]Override{"ops": {
				Requests: new(int64(0)), Tokens: new(int64(0)), InFlight: new(int64(0)), USD: new(0.0),
			}},
		},
		"models": {
			Per: perClientModel, Models: []string{"gpt-*", "o3"}, InputTokens: Tokens{Limit: 20},
			OutputTokens: Tokens{Limit: 30, Burst: 5}, Budget: Budget{USD: 40, Per: budgetRolling, Length: 168 * time.Hour}, OnStoreDown: downOpen,
		},
		"site": {Per: perGlobal, Budget: Budget{USD: 9, Per: budgetMonth}, OnStoreDown: downClosed},
	}
}
