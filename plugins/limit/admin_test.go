package limit

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/holysheep/relay/plugins/plugintest"
)

// TestAdmin reads the counters after ada has sent two requests, of which one is
// in flight, and bob one.
func TestAdmin(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		link := build(t, plugintest.Env(t, nil), func(s *Settings) {
			s.MaxInFlight = 9
			s.Rules = map[string]Rule{"each": {Per: perClient, Requests: 60, Burst: 5, InFlight: 3}}
		})
		rt := link.Fetch(plugintest.Answers(200))
		open(t, rt, "ada")
		_, _ = send(t, rt, "ada")
		_, _ = send(t, rt, "bob")
		all := view{Per: perGlobal, InFlight: 9, Counters: []counter{{InFlight: new(int64(1))}}}
		each := func(cs ...counter) view {
			return view{Per: perClient, Requests: 60, Period: "1m0s", Burst: 5, InFlight: 3, Counters: cs}
		}
		of := func(client string, inFlight, remaining, reset int64) counter {
			return counter{Client: &client, InFlight: &inFlight, Remaining: &remaining, ResetMS: &reset}
		}
		for _, tt := range []struct {
			name, query string
			want        map[string]view
		}{
			{"every client", "", map[string]view{replica: all, "each": each(of("ada", 1, 3, 2000), of("bob", 0, 4, 1000))}},
			{"one client", "?client=bob", map[string]view{replica: all, "each": each(of("bob", 0, 4, 1000))}},
			{"a client that has used nothing", "?client=cyd", map[string]view{replica: all, "each": each(of("cyd", 0, 5, 0))}},
			{"the client without a name", "?client=", map[string]view{replica: all, "each": each(of("", 0, 5, 0))}},
		} {
			if got := counters(t, link, tt.query); !cmp.Equal(got, tt.want) {
				t.Errorf("%s: %s", tt.name, cmp.Diff(got, tt.want))
			}
		}
		time.Sleep(time.Second)
		if got := counters(t, link, "")["each"]; !cmp.Equal(got, each(of("ada", 1, 4, 1000))) {
			t.Errorf("a second later bob is still there: %s", cmp.Diff(got, each(of("ada", 1, 4, 1000))))
		}
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

func TestAdminChangesNothing(t *testing.T) {
	link := build(t, plugintest.Env(t, nil), nil)
	rec := httptest.NewRecorder()
	link.Admin.ServeHTTP(rec, httptest.NewRequest(http.MethodDelete, "/plugins/limit/?client=ada", nil))
	if rec.Code != http.StatusMethodNotAllowed || !strings.Contains(rec.Header().Get("Allow"), "GET") {
		t.Errorf("DELETE = %d, Allow %q, want 405 and GET", rec.Code, rec.Header().Get("Allow"))
	}
}
