package upstream

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/holysheep/relay/plugins"
	"github.com/holysheep/relay/plugins/plugintest"
)

// timed returns a pool whose clock the test moves, and what it logs.
func timed(t *testing.T, upstreams map[string]Settings) (p *Pool, c *listClock, logged *bytes.Buffer) {
	t.Helper()
	c, logged = &listClock{}, &bytes.Buffer{}
	env := plugintest.Env(t, map[string]string{"KEY": "secret", "OTHER": "other"})
	env.Now, env.Log = c.now, slog.New(slog.NewTextHandler(logged, nil))
	return again(t, env, upstreams), c, logged
}

// again returns a further generation of a pool.
func again(t *testing.T, env plugins.Env, upstreams map[string]Settings) *Pool {
	t.Helper()
	p, err := New(Config{Upstreams: upstreams, Health: HealthDefaults()}, env)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// expectList compares the list, and how often the upstream was asked so far.
func expectList(t *testing.T, p *Pool, up *lister, asked int64, want ...string) {
	t.Helper()
	if got := p.listed(t, reading(t, "/v1/models")); !slices.Equal(got, want) {
		t.Errorf("models %q, want %q", got, want)
	}
	if n := up.asked.Load(); n != asked {
		t.Errorf("the upstream was asked %d times, want %d", n, asked)
	}
}

// settled waits for the question that is under way.
func (m *member) settled() { m.list.running.Wait() }

func TestAListIsKeptForAMinute(t *testing.T) {
	up := newLister(t, data("a"))
	p, c, _ := timed(t, map[string]Settings{"up": settings(up.URL, nil)})
	expectList(t, p, up, 1, "a")
	up.says(200, data("b"))
	c.pass(listTime - 1)
	expectList(t, p, up, 1, "a")
	c.pass(1)
	expectList(t, p, up, 2, "b")
}

func TestTheLastGoodListIsServed(t *testing.T) {
	up := newLister(t, data("a"))
	p, c, logged := timed(t, map[string]Settings{"up": settings(up.URL, nil)})
	m := p.members[0]
	expectList(t, p, up, 1, "a")
	for i, bad := range []string{"no JSON", `{"data":{}}`, data("b")[1:]} {
		c.pass(listTime)
		up.says(200, bad)
		if got := p.listed(t, reading(t, "/v1/models")); !slices.Equal(got, []string{"a"}) {
			t.Errorf("models %q, want a", got)
		}
		if m.settled(); m.list.lastError() == nil {
			t.Errorf("%s was taken for a list", bad)
		}
		c.pass(listRest - 1)
		expectList(t, p, up, int64(i+2), "a")
	}
	if n := strings.Count(logged.String(), "level=WARN"); n != 1 {
		t.Errorf("%d warnings, want one:\n%s", n, logged)
	}
	c.pass(1)
	release := make(chan struct{})
	up.does(func(w http.ResponseWriter, _ *http.Request) {
		<-release
		_, _ = w.Write([]byte(data("b")))
	})
	if got := p.listed(t, reading(t, "/v1/models")); !slices.Equal(got, []string{"a"}) {
		t.Errorf("models %q, want a: nobody waits for an upstream that has failed", got)
	}
	close(release)
	m.settled()
	expectList(t, p, up, 5, "b")
	if n := strings.Count(logged.String(), "lists its models again"); n != 1 {
		t.Errorf("%d lines that it is well again, want one:\n%s", n, logged)
	}
}

func TestManyClientsAskOnce(t *testing.T) {
	const clients = 100
	first, second := newLister(t, ""), newLister(t, data("b"))
	release := make(chan struct{})
	first.does(func(w http.ResponseWriter, _ *http.Request) {
		<-release
		_, _ = w.Write([]byte(data("a")))
	})
	p := newPool(t, nil, map[string]Settings{"a": settings(first.URL, nil), "b": settings(second.URL, nil)})
	var begun, ended sync.WaitGroup
	begun.Add(clients)
	for range clients {
		req := reading(t, "/v1/models")
		ended.Go(func() {
			begun.Done()
			if got := p.listed(t, req); !slices.Equal(got, []string{"a", "b"}) {
				t.Errorf("models %q, want a and b", got)
			}
		})
	}
	begun.Wait()
	// One that leaves takes nothing from the others.
	ctx, leave := context.WithCancelCause(t.Context())
	gone := errors.New("gone")
	leave(gone)
	if res, err := p.RoundTrip(reading(t, "/v1/models").WithContext(ctx)); !errors.Is(err, gone) {
		t.Errorf("a client that left: %v, %v, want %v", res, err, gone)
	}
	close(release)
	ended.Wait()
	if first.asked.Load() != 1 || second.asked.Load() != 1 {
		t.Errorf("asked %d and %d times, want once each", first.asked.Load(), second.asked.Load())
	}
}

// An upstream that is down when the relay starts hides nothing of the others.
func TestAnUpstreamThatIsDown(t *testing.T) {
	down, up := newLister(t, ""), newLister(t, data("b"))
	down.Close()
	only := map[string]Settings{"down": settings(down.URL, nil)}
	named := map[string]Settings{"down": settings(down.URL, func(s *Settings) {
		s.Models, s.Rewrite = []string{"a", "gpt-*"}, map[string]string{"alias": "x"}
	})}
	both := map[string]Settings{"down": only["down"], "up": settings(up.URL, nil)}

	p, _, _ := timed(t, only)
	for range 2 {
		res, err := p.RoundTrip(reading(t, "/v1/models"))
		if e, ok := plugins.AsError(err); !ok || !errors.Is(err, ErrList) || e.Again || !strings.Contains(e.Err.Error(), "upstream down: ") {
			t.Errorf("nobody is there: %v, %v, want %v with the upstream's error", res, err, ErrList)
		}
	}
	p, _, _ = timed(t, named)
	expectList(t, p, up, 0, "a", "alias")
	if got := string(p.union()[0].raw); got != `{"id":"a","object":"model","created":0,"owned_by":"down"}` {
		t.Errorf("a model that is made up: %s", got)
	}
	p, _, _ = timed(t, both)
	expectList(t, p, up, 1, "b")
}

func TestARefusedKeyIsTheErrorOfTheList(t *testing.T) {
	up := newLister(t, "")
	up.says(http.StatusUnauthorized, "")
	p, _, _ := timed(t, map[string]Settings{"up": settings(up.URL, func(s *Settings) { s.APIKeyEnv = "KEY" })})
	res, err := p.RoundTrip(reading(t, "/v1/models"))
	if e, ok := plugins.AsError(err); !ok || !errors.Is(err, ErrKey) || e.Again {
		t.Errorf("%v, %v, want %v, which is final", res, err, ErrKey)
	}
}

// A list outlives a reload, but not the account that it is of.
func TestAListIsKeptOverAReload(t *testing.T) {
	up := newLister(t, data("a", "b"))
	env := plugintest.Env(t, map[string]string{"KEY": "secret", "OTHER": "other"})
	account := func(key string, models ...string) map[string]Settings {
		return map[string]Settings{"up": settings(up.URL, func(s *Settings) { s.APIKeyEnv, s.Models = key, models })}
	}
	expectList(t, again(t, env, account("KEY")), up, 1, "a", "b")
	expectList(t, again(t, env, account("KEY", "b")), up, 1, "b")
	expectList(t, again(t, env, account("OTHER")), up, 2, "a", "b")
	expectList(t, again(t, env, account("KEY")), up, 2, "a", "b")
}

// What is freed ends its question.
func TestAListThatIsFreedWaitsForNobody(t *testing.T) {
	up := newLister(t, "")
	asked := make(chan struct{})
	up.does(func(_ http.ResponseWriter, r *http.Request) {
		close(asked)
		<-r.Context().Done()
	})
	p := newPool(t, nil, map[string]Settings{"up": settings(up.URL, nil)})
	landed, _ := p.members[0].list.refresh(p, p.members[0])
	<-asked
	if err := p.members[0].list.Close(); err != nil {
		t.Error(err)
	}
	<-landed
	if err := p.members[0].list.lastError(); !errors.Is(err, context.Canceled) {
		t.Errorf("the question ended with %v, want %v", err, context.Canceled)
	}
}
