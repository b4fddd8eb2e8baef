package limit

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/holysheep/relay/plugins"
	"github.com/holysheep/relay/plugins/plugintest"
)

// asked returns the counters of a rule that the query asks for, each in a line:
// whose it is, its kind, used/limit, what remains, and when all does.
func asked(t testing.TB, link plugins.Link, rule, query string) (lines []string) {
	t.Helper()
	for _, c := range counters(t, link, query)[rule].Counters {
		var whose []string
		for _, name := range []*string{c.Client, c.Group, c.Model, c.Value} {
			if name != nil {
				whose = append(whose, *name)
			}
		}
		lines = append(lines, fmt.Sprintf("%s %s %s/%s %s %d %s", strings.Join(whose, "+"), c.Kind, c.Used, c.Limit, c.Remaining, c.ResetMS, c.Mode))
	}
	return lines
}

// counted is rules of every kind, after ada of the group red has sent two
// requests, of which one that uses no tokens is in flight, and bob of the group
// blue one.
func counted(t testing.TB, env plugins.Env) plugins.Link {
	t.Helper()
	link := build(t, env, func(s *Settings) {
		s.MaxInFlight = 9
		s.Rules = map[string]Rule{
			"each": {
				Per: perClient, Requests: 60, Burst: 5, InFlight: 3,
				Clients: map[string]Override{"bob": {Burst: new(int64(7)), InFlight: new(int64(0))}},
			},
			"money":  {Per: perGlobal, Budget: Budget{USD: 50, Per: budgetMonth}},
			"models": {Per: perClientModel, Tokens: Tokens{Limit: 60000}},
			"teams":  {Per: perGroup, Requests: 10},
			"apps":   {Per: perHeader, Header: "X-App", Requests: 10},
		}
	})
	clients := []plugins.Client{{Name: "ada", Group: "red"}, {Name: "bob", Group: "blue"}, {Name: "cyd"}}
	if err := link.Check(plugins.Scope{Named: true, Clients: clients}); err != nil {
		t.Fatal(err)
	}
	ask := func(client, group, model string) *http.Request {
		req := asks(t, client, group, `{"model": "`+model+`", "max_tokens": 400}`)
		req.Header.Set("X-App", "app-"+client)
		return req
	}
	list := ask("ada", "red", "two")
	list.URL.Path = "/v1/models"
	if _, err := link.Fetch(plugintest.Answers(200)).RoundTrip(list); err != nil {
		t.Fatal(err)
	}
	for client, model := range map[string]string{"ada": "two", "bob": "eight"} {
		group := map[string]string{"ada": "red", "bob": "blue"}[client]
		if err := to(link.Fetch(using(model, 200, reported(100, 400))), ask(client, group, model)); err != nil {
			t.Fatal(err)
		}
	}
	return link
}

// month is how long January lasts, in milliseconds.
const month = "2678400000"

func TestAdminListsWhatIsInUse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		link := counted(t, priced(t))
		for rule, want := range map[string][]string{
			replica:  {" in_flight 1/9 8 0 memory"},
			"each":   {"ada requests 2/5 3 2000 memory", "ada in_flight 1/3 2 0 memory", "bob requests 1/7 6 1000 memory"},
			"money":  {" budget 0.005/50.00 49.995 " + month + " memory"},
			"models": {"ada+two tokens 500/60000 59500 500 memory", "bob+eight tokens 500/60000 59500 500 memory"},
			"teams":  {"blue requests 1/10 9 6000 memory", "red requests 2/10 8 12000 memory"},
			"apps":   {"app-ada requests 2/10 8 12000 memory", "app-bob requests 1/10 9 6000 memory"},
		} {
			if diff := cmp.Diff(want, asked(t, link, rule, "")); diff != "" {
				t.Errorf("%s: %s", rule, diff)
			}
		}
		time.Sleep(time.Second)
		if got := asked(t, link, "each", ""); strings.Contains(strings.Join(got, "\n"), "bob") {
			t.Errorf("a second later bob is still there: %q", got)
		}
	})
}

func TestAdminShowsOneClient(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		link := counted(t, priced(t))
		for _, tt := range []struct {
			name, query, rule string
			want              []string
		}{
			{"its own numbers", "?client=bob", "each", []string{"bob requests 1/7 6 1000 memory"}},
			{"one that has used nothing", "?client=cyd", "each", []string{"cyd requests 0/5 5 0 memory", "cyd in_flight 0/3 3 0 memory"}},
			{"one without a name", "?client=", "each", []string{" requests 0/5 5 0 memory", " in_flight 0/3 3 0 memory"}},
			{"what it shares with all", "?client=cyd", "money", []string{" budget 0.005/50.00 49.995 " + month + " memory"}},
			{"its group", "?client=ada", "teams", []string{"red requests 2/10 8 12000 memory"}},
			{"any group", "?group=blue", "teams", []string{"blue requests 1/10 9 6000 memory"}},
			{"its models", "?client=ada", "models", []string{"ada+two tokens 500/60000 59500 500 memory"}},
			{"one of its models", "?client=ada&model=none", "models", []string{"ada+none tokens 0/60000 60000 0 memory"}},
			{"everybody's use of a model", "?model=eight", "models", []string{"bob+eight tokens 500/60000 59500 500 memory"}},
			{"a header", "?header=app-bob", "apps", []string{"app-bob requests 1/10 9 6000 memory"}},
		} {
			if diff := cmp.Diff(tt.want, asked(t, link, tt.rule, tt.query)); diff != "" {
				t.Errorf("%s: %s", tt.name, diff)
			}
		}
	})
}

func TestAdminShowsTheRules(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		link := build(t, priced(t), func(s *Settings) {
			s.Rules = map[string]Rule{"all": {
				Per: perModel, Models: []string{"gpt-*"}, Shadow: true, Requests: 6, Tokens: Tokens{Limit: 7, Period: time.Hour, Burst: 8},
				Budget: Budget{USD: 1.5, Per: budgetRolling, Length: time.Hour},
			}, "queued": {Per: perGlobal, InFlight: 1, Queue: Queue{Size: 3, MaxWait: time.Minute}}}
		})
		rt := link.Fetch(plugintest.Answers(200))
		first := come(t.Context(), t, rt, "ada")
		second := come(t.Context(), t, rt, "ada")
		time.Sleep(time.Second)
		got := counters(t, link, "")
		want := map[string]view{
			replica: {Per: perGlobal, Counters: []counter{{Kind: "in_flight", Limit: "0", Used: "1", Remaining: "0", Mode: "memory"}}},
			"all": {
				Per: perModel, Models: []string{"gpt-*"}, Shadow: true, Requests: 6, Period: "1m0s", Burst: 6,
				Tokens: &viewTokens{7, "1h0m0s", 8}, Budget: &viewBudget{"1.50", "1h0m0s"}, Counters: []counter{},
			},
			"queued": {
				Per: perGlobal, InFlight: 1, Queue: &viewQueue{3, "1m0s", 1, 1000},
				Counters: []counter{{Kind: "in_flight", Limit: "1", Used: "1", Remaining: "0", Mode: "memory"}},
			},
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
		_ = first.body.Close()
		synctest.Wait()
		_ = second.body.Close()
	})
}

func TestAdminListsSoManyAndSaysSo(t *testing.T) {
	link := build(t, plugintest.Env(t, nil), with("each", Rule{Per: perClient, Requests: 1, Period: time.Hour, InFlight: 1}))
	rt := link.Fetch(plugintest.Answers(200))
	for i := range 3 * maxListed / 2 {
		_, _ = send(t, rt, fmt.Sprint("client", i))
	}
	if got := counters(t, link, "")["each"]; len(got.Counters) != maxListed || !got.More {
		t.Errorf("%d counters, more = %t, want %d and true", len(got.Counters), got.More, maxListed)
	}
}

func TestTheCountersOfWhoDoesNotExist(t *testing.T) {
	link := counted(t, priced(t))
	for query, want := range map[string]string{
		"?client=eda": `no client is named \"eda\" in the configuration`, "?client=ada": "", "?client=": "", "": "",
	} {
		_, body := ask(t, link, http.MethodGet, query)
		if strings.Contains(body, `"note"`) != (want != "") || !strings.Contains(body, want) {
			t.Errorf("%s: %s, want a note %q", query, body, want)
		}
	}
	if status, body := ask(t, link, http.MethodGet, "?cleint=ada"); status != http.StatusBadRequest || !strings.Contains(body, "cleint: unknown") {
		t.Errorf("a misspelt key: %d %s, want 400", status, body)
	}
}
