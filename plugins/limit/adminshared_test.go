package limit

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/holysheep/relay/internal/redistest"
	"github.com/holysheep/relay/plugins"
	"github.com/holysheep/relay/plugins/plugintest"
)

// shared builds two replicas that share a Redis and know the clients ada, bob
// and cyd.
func shared(t testing.TB, change func(*Settings)) (server *redistest.Server, links [2]plugins.Link) {
	t.Helper()
	server = redistest.Start(t)
	for i := range links {
		links[i] = build(t, inRedis(t, server), patient(change))
		clients := []plugins.Client{{Name: "ada", Group: "red"}, {Name: "bob", Group: "red"}, {Name: "cyd"}}
		if err := links[i].Check(plugins.Scope{Named: true, Clients: clients}); err != nil {
			t.Fatal(err)
		}
	}
	return server, links
}

// TestAdminReadsAndResetsWhatIsShared asks one replica about what another has
// let through, and has it reset.
func TestAdminReadsAndResetsWhatIsShared(t *testing.T) {
	server, links := shared(t, func(s *Settings) {
		s.Rules = map[string]Rule{
			"each":   {Per: perClient, Requests: 9, Period: 1000 * time.Hour, InFlight: 3},
			"teams":  {Per: perGroup, Requests: 9, Period: 1000 * time.Hour},
			"models": {Per: perClientModel, Requests: 9, Period: 1000 * time.Hour},
		}
	})
	rt := links[0].Fetch(plugintest.Answers(200))
	for range 2 {
		if _, err := rt.RoundTrip(asks(t, "ada", "red", `{"model": "two"}`)); err != nil { // they stay in flight
			t.Fatal(err)
		}
	}
	short := func(lines []string) (all []string) { // without the time until the reset
		for _, line := range lines {
			f := strings.Fields(line)
			all = append(all, strings.Join(append(f[:len(f)-2], f[len(f)-1]), " "))
		}
		return all
	}
	for rule, want := range map[string][]string{
		"each":  {"ada requests 2/9 7 shared", "ada in_flight 2/3 1 shared"},
		"teams": {"red requests 2/9 7 shared"},
	} {
		if diff := cmp.Diff(want, short(asked(t, links[1], rule, ""))); diff != "" {
			t.Errorf("%s: %s", rule, diff)
		}
	}
	models := counters(t, links[1], "")["models"]
	if len(models.Counters) != 0 || !models.More {
		t.Errorf("%v, want none of what Redis does not name, and that there may be more", models)
	}
	one := counters(t, links[1], "?client=ada&model=two")["models"].Counters
	if len(one) != 1 || one[0].Used != "2" || server.Client().Exists(t.Context(), one[0].Key).Val() != 1 {
		t.Errorf("%v, want 2 used, and the name of a key in Redis", one)
	}
	if status, body := ask(t, links[1], http.MethodDelete, "?rule=each&client=ada"); status != http.StatusOK {
		t.Fatalf("reset: %d %s", status, body)
	}
	if got := asked(t, links[0], "each", ""); len(got) != 0 {
		t.Errorf("after a reset by another replica: %q", got)
	}
}

// TestAdminTellsNoUseThatNobodyKnows asks a replica that has no share of what
// Redis counts, while that cannot be asked.
func TestAdminTellsNoUseThatNobodyKnows(t *testing.T) {
	server, links := shared(t, func(s *Settings) {
		s.Rules = map[string]Rule{"each": {Per: perClient, Requests: 9, Period: 1000 * time.Hour}}
	})
	server.Kill()
	got := asked(t, links[0], "each", "?client=ada")
	if len(got) != 1 || !strings.HasPrefix(got[0], "ada requests /9 0 ") || !strings.HasSuffix(got[0], " closed") {
		t.Errorf("got %q, want no use, nothing that remains, and closed", got)
	}
}

// TestAQueueFindsWhatAnotherReplicaGivesBack waits in one replica for a request
// in flight in another, and then for one of its own.
func TestAQueueFindsWhatAnotherReplicaGivesBack(t *testing.T) {
	_, links := shared(t, waiting(5))
	up := plugintest.Answers(200)
	holder, err := links[0].Fetch(up).RoundTrip(asks(t, "ada", "", `{}`))
	if err != nil {
		t.Fatal(err)
	}
	for i, link := range []plugins.Link{links[1], links[1], links[0]} {
		next := make(chan *http.Response)
		go func() {
			res, err := link.Fetch(up).RoundTrip(asks(t, "bob", "", `{}`))
			if err != nil {
				t.Errorf("request %d: %v", i, err)
			}
			next <- res
		}()
		eventually(t, "a request waits", func() bool { return counters(t, link, "")["all"].Queue.Waiting == 1 })
		_ = holder.Body.Close()
		if holder = <-next; holder == nil {
			return
		}
	}
	_ = holder.Body.Close()
}
