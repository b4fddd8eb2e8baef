package limit

import (
	"strings"
	"testing"

	"github.com/holysheep/relay/plugins"
	"github.com/holysheep/relay/plugins/plugintest"
)

// TestCheck holds rules to the clients and models that there are.
func TestCheck(t *testing.T) {
	ada := plugins.Client{Name: "ada"}
	vip := plugins.Client{Name: "bob", Group: "vip"}
	n := int64(5)
	serves := func(glob string) bool { return glob == "gpt-*" }
	tests := []struct {
		name  string
		rule  Rule
		scope plugins.Scope
		want  string
	}{
		{"for all, nobody named", Rule{Per: perGlobal}, plugins.Scope{}, ""},
		{"a header, nobody named", Rule{Per: perHeader, Header: "X-Team"}, plugins.Scope{}, ""},
		{"for each client", Rule{Per: perClient}, plugins.Scope{Named: true, Clients: []plugins.Client{ada}}, ""},
		{"for each client, nobody named", Rule{Per: perClient}, plugins.Scope{}, "rules.each.per: client means nothing, for nobody in the chain names clients: put auth before limit, or take per: global or header"},
		{"for each model of a client, nobody named", Rule{Per: perClientModel}, plugins.Scope{}, "rules.each.per: client+model means nothing"},
		{"for each group", Rule{Per: perGroup}, plugins.Scope{Named: true, Clients: []plugins.Client{ada, vip}}, ""},
		{"for each group, nobody is in one", Rule{Per: perGroup}, plugins.Scope{Named: true, Clients: []plugins.Client{ada}}, "rules.each.per: no client is in a group"},
		{"models that are served", Rule{Per: perGlobal, Models: []string{"gpt-*"}}, plugins.Scope{Serves: serves}, ""},
		{"models that are not", Rule{Per: perGlobal, Models: []string{"gpt-*", "o3"}}, plugins.Scope{Serves: serves}, `rules.each.models: no upstream serves a model that fits "o3"`},
		{"other numbers for a client and a group", Rule{Per: perClient, Clients: map[string]Override{"ada": {Requests: &n}}, Groups: map[string]Override{"vip": {Requests: &n}}}, plugins.Scope{Named: true, Clients: []plugins.Client{ada, vip}}, ""},
		{"other numbers for nobody", Rule{Per: perClient, Clients: map[string]Override{"eve": {Requests: &n}}}, plugins.Scope{Named: true, Clients: []plugins.Client{ada, vip}}, "rules.each.clients.eve: there is no such client"},
		{"other numbers for no group", Rule{Per: perClient, Groups: map[string]Override{"all": {Requests: &n}}}, plugins.Scope{Named: true, Clients: []plugins.Client{ada, vip}}, "rules.each.groups.all: no client is in such a group"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tt.rule.Requests = 1
			got := ""
			if err := build(t, plugintest.Env(t, nil), with("each", tt.rule)).Check(tt.scope); err != nil {
				got = err.Error()
			}
			if (got == "") != (tt.want == "") || !strings.HasPrefix(got, tt.want) {
				t.Errorf("problem = %q, want %q", got, tt.want)
			}
		})
	}
}
