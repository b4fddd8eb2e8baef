package limit

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/holysheep/relay/plugins"
)

func TestWarningsNameTheModelsThatABudgetRefuses(t *testing.T) {
	const refuses = "rules.a.budget: it refuses every request for gpt-5, o3, which prices does not name: name it there, or set unpriced: free"
	tests := []struct {
		name     string
		rule     Rule
		unpriced string
		want     []string
	}{
		{"a budget of all models", Rule{Per: perClient, Budget: Budget{USD: 1}}, unpricedRefuse, []string{refuses}},
		{"a budget of models with a price", Rule{Per: perClient, Models: []string{"llama-*"}, Budget: Budget{USD: 1}}, unpricedRefuse, nil},
		{"no budget", Rule{Per: perClient, Requests: 1}, unpricedRefuse, nil},
		{"a shadow, which refuses nothing", Rule{Per: perClient, Budget: Budget{USD: 1}, Shadow: true}, unpricedRefuse, nil},
		{"what is free without a price", Rule{Per: perClient, Budget: Budget{USD: 1}}, unpricedFree, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := Defaults()
			s.Rules, s.Unpriced = map[string]Rule{"a": tt.rule}, tt.unpriced
			got := s.Warnings([]string{"gpt-5", "llama-3", "o3"}, plugins.Prices{"llama-*": {}})
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("warnings (-want +got):\n%s", diff)
			}
		})
	}
}
