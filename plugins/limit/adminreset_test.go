package limit

import (
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/holysheep/relay/plugins"
	"github.com/holysheep/relay/plugins/plugintest"
)

// ask asks the link's admin side.
func ask(t testing.TB, link plugins.Link, method, query string) (status int, body string) {
	t.Helper()
	rec := httptest.NewRecorder()
	link.Admin.ServeHTTP(rec, httptest.NewRequest(method, "/limits"+query, nil))
	return rec.Code, rec.Body.String()
}

func TestAResetTakesBackWhatIsTaken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		env := priced(t)
		var log strings.Builder
		env.Log = slog.New(slog.NewTextHandler(&log, nil))
		link := counted(t, env)
		for _, tt := range []struct {
			name, query string
			reset       []string // rule, kind and what was used
			rule        string
			left        []string
		}{
			{"one kind", "?rule=each&client=ada&kind=requests", []string{"each requests 2"}, "each", []string{"ada in_flight 1/3 2 0 memory", "bob requests 1/7 6 1000 memory"}},
			{"all kinds", "?rule=each&client=ada", []string{"each requests 0", "each in_flight 1"}, "each", []string{"bob requests 1/7 6 1000 memory"}},
			{"a model", "?rule=models&client=bob&model=eight", []string{"models tokens 500"}, "models", []string{"ada+two tokens 500/60000 59500 500 memory"}},
			{"a group", "?rule=teams&client=ada", []string{"teams requests 2"}, "teams", []string{"blue requests 1/10 9 6000 memory"}},
			{"a header", "?rule=apps&header=app-bob", []string{"apps requests 1"}, "apps", []string{"app-ada requests 2/10 8 12000 memory"}},
			{"money", "?rule=money", []string{"money budget 0.005"}, "money", []string{" budget 0.00/50.00 50.00 " + month + " memory"}},
		} {
			status, body := ask(t, link, http.MethodDelete, tt.query)
			got := resets(t, body)
			if status != http.StatusOK || !cmp.Equal(got, tt.reset) {
				t.Errorf("%s: %d %s, want %q", tt.name, status, body, tt.reset)
			}
			if diff := cmp.Diff(tt.left, asked(t, link, tt.rule, "")); diff != "" {
				t.Errorf("%s: %s", tt.name, diff)
			}
		}
		if n := strings.Count(log.String(), `msg="limits reset"`); n != 6 || !strings.Contains(log.String(), "rule=each client=ada") {
			t.Errorf("%d resets are logged, want 6:\n%s", n, log.String())
		}
	})
}

func TestWhatCannotBeReset(t *testing.T) {
	link := counted(t, priced(t))
	none := build(t, plugintest.Env(t, nil), nil)
	for _, tt := range []struct {
		name  string
		link  plugins.Link
		query string
		want  string
	}{
		{"no rule", link, "", `rule: "" is not one of apps, each, models, money, teams`},
		{"an unknown rule", link, "?rule=eech&client=ada", `rule: "eech" is not one of apps, each, models, money, teams`},
		{"the replica's", link, "?rule=max_in_flight", `rule: "max_in_flight" is not one of apps`},
		{"no client", link, "?rule=each", `client: missing: the rule "each" is per client`},
		{"no client and model", link, "?rule=models", `client, model: missing: the rule "models" is per client+model`},
		{"no model", link, "?rule=models&client=ada", `model: missing`},
		{"no group", link, "?rule=teams", `group: missing`},
		{"no header", link, "?rule=apps", `header: missing`},
		{"a client of a global rule", link, "?rule=money&client=ada", `client: the rule "money" is per global, so others would be reset too`},
		{"a model of a rule per client", link, "?rule=each&client=ada&model=eight", `model: the rule "each" is per client, so others`},
		{"a header and a group", link, "?rule=each&client=ada&header=x&group=y", `group, header: the rule "each" is per client, so others`},
		{"a misspelt key", link, "?rule=each&client=ada&knd=requests", `knd: unknown: it is not one of client, group, model, header, rule, kind`},
		{"a key twice", link, "?rule=each&client=ada&client=bob", `client: it is there twice`},
		{"an unknown kind", link, "?rule=each&client=ada&kind=money", `kind: "money" is none of what the rule "each" limits: [requests in_flight]`},
		{"a kind that is lifted", link, "?rule=each&client=bob&kind=in_flight", `kind: "in_flight" is none of what the rule "each" limits: [requests]`},
		{"a relay without rules", none, "?rule=each", "rule: there is none that could be reset"},
	} {
		status, body := ask(t, tt.link, http.MethodDelete, tt.query)
		var answer struct {
			Error struct{ Message, Type, Code string }
		}
		if err := json.Unmarshal([]byte(body), &answer); err != nil || status != http.StatusBadRequest ||
			answer.Error.Code != "invalid_request" || !strings.HasPrefix(answer.Error.Message, tt.want) {
			t.Errorf("%s: %d %s, want 400 with %q", tt.name, status, body, tt.want)
		}
	}
	if status, body := ask(t, link, http.MethodPost, ""); status != http.StatusMethodNotAllowed {
		t.Errorf("POST: %d %s, want 405", status, body)
	}
}

// Whoever waits for a slot hears that one was given back.
func TestAResetWakesWhoWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		link := build(t, plugintest.Env(t, nil), waiting(5))
		rt := link.Fetch(plugintest.Answers(200))
		first, second := come(t.Context(), t, rt, "ada"), come(t.Context(), t, rt, "ada")
		if status, body := ask(t, link, http.MethodDelete, "?rule=all"); status != http.StatusOK {
			t.Fatalf("%d %s", status, body)
		}
		synctest.Wait()
		if !second.done || second.err != nil || second.after != 0 {
			t.Errorf("done: %t after %s with %v", second.done, second.after, second.err)
		}
		time.Sleep(time.Second)
		_ = first.body.Close() // of a slot that is not its own any more
		third := come(t.Context(), t, rt, "ada")
		if third.done {
			t.Error("what was reset was given back once more")
		}
		_ = second.body.Close()
		synctest.Wait()
		_ = third.body.Close()
	})
}

// resets returns what an answer says was reset: rule, kind and what was used.
func resets(t testing.TB, body string) (lines []string) {
	t.Helper()
	var answer struct{ Reset []resetCounter }
	if err := json.Unmarshal([]byte(body), &answer); err != nil {
		t.Fatalf("%v: %s", err, body)
	}
	for _, c := range answer.Reset {
		lines = append(lines, c.Rule+" "+c.Kind+" "+c.Used.String())
	}
	return lines
}
