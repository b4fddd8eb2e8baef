package limit

import (
	"errors"
	"net/http"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/holysheep/relay/plugins"
	"github.com/holysheep/relay/plugins/plugintest"
)

func TestConform(t *testing.T) {
	plugintest.Conform(t, Plugin, func(s plugins.Settings) plugins.Settings {
		d := s.(Settings)
		d.Rules = map[string]Rule{
			"all":  {Per: perGlobal, Requests: 600, Burst: 20},
			"each": {Per: perClient, Requests: 60, InFlight: 5},
		}
		return d
	}, ErrRateLimit, ErrTokens, ErrConcurrency, ErrBudget, ErrUnavailable, ErrUnpriced)
}

func TestDefaultsLimitNoRate(t *testing.T) {
	rt := plugintest.Link[Settings](t, Plugin, plugintest.Env(t, nil), nil).Fetch(plugintest.Answers(200))
	for range 1000 {
		if _, err := send(t, rt, "ada"); err != nil {
			t.Fatal(err)
		}
	}
}

// TestRefusalTellsTheExactWait has 10 a second with a burst of 5: six requests
// at once are told to wait 0, 0, 0, 0, 0 and 100ms, and 100ms are exactly it.
func TestRefusalTellsTheExactWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		link := build(t, plugintest.Env(t, nil), with("all", Rule{Per: perGlobal, Requests: 10, Period: time.Second, Burst: 5}))
		rt := link.Fetch(plugintest.Answers(200))
		wait := func() string {
			_, err := send(t, rt, "ada")
			if e := refused(t, err); e != nil {
				return e.Header.Get("Retry-After-Ms")
			}
			return "0"
		}
		var waits []string
		for range 6 {
			waits = append(waits, wait())
		}
		if want := []string{"0", "0", "0", "0", "0", "100"}; !slices.Equal(waits, want) {
			t.Fatalf("waits = %q, want %q", waits, want)
		}
		time.Sleep(99 * time.Millisecond)
		if got := wait(); got != "1" {
			t.Errorf("99ms later the wait is %q, want 1", got)
		}
		time.Sleep(time.Millisecond)
		if got := wait(); got != "0" {
			t.Errorf("100ms later the wait is %q, want 0", got)
		}
	})
}

func TestClientsHaveBucketsOfTheirOwn(t *testing.T) {
	link := build(t, plugintest.Env(t, nil), with("each", Rule{Per: perClient, Requests: 1, Period: time.Hour}))
	rt := link.Fetch(plugintest.Answers(200))
	for _, tt := range []struct {
		name, client string
		refused      bool
	}{
		{name: "the first of ada", client: "ada"},
		{name: "the first of bob", client: "bob"},
		{name: "the second of ada", client: "ada", refused: true},
		{name: "the first without a name", client: ""},
		{name: "the second without a name", client: "", refused: true},
	} {
		if _, err := send(t, rt, tt.client); (refused(t, err) != nil) != tt.refused {
			t.Errorf("%s: error = %v", tt.name, err)
		}
	}
}

// TestWithoutAuthAllAreOneClient sends calls that carry no client at all.
func TestWithoutAuthAllAreOneClient(t *testing.T) {
	link := build(t, plugintest.Env(t, nil), with("each", Rule{Per: perClient, Requests: 1, Period: time.Hour}))
	rt := link.Fetch(plugintest.Answers(200))
	if _, err := rt.RoundTrip(plugintest.Request(t, `{}`)); err != nil {
		t.Fatal(err)
	}
	if _, err := rt.RoundTrip(plugintest.Request(t, `{}`)); refused(t, err) == nil {
		t.Error("the second nameless request passed")
	}
}

// TestARefusedRequestTakesFromNoRule lets one rule refuse, and looks at the
// others: before and after the refusing rule, and in flight.
func TestARefusedRequestTakesFromNoRule(t *testing.T) {
	link := build(t, plugintest.Env(t, nil), func(s *Settings) {
		s.Rules = map[string]Rule{
			"a_wide":  {Per: perGlobal, Requests: 10, Period: time.Hour, InFlight: 10},
			"b_tight": {Per: perClient, Requests: 1, Period: time.Hour},
			"c_wide":  {Per: perClient, Requests: 10, Period: time.Hour},
		}
	})
	upstream := plugintest.Answers(200)
	rt := link.Fetch(upstream)
	for range 5 {
		_, _ = send(t, rt, "ada")
	}
	if upstream.Asked() != 1 {
		t.Errorf("the upstream was asked %d times, want 1", upstream.Asked())
	}
	got := counters(t, link, "?client=ada")
	for rule, want := range map[string]int64{"a_wide": 9, "b_tight": 0, "c_wide": 9} {
		if left := of(t, got[rule], kindRequests, "remaining"); left != want {
			t.Errorf("%s has %d left, want %d", rule, left, want)
		}
	}
	if n := inFlight(t, link, "a_wide"); n != 0 {
		t.Errorf("%d in flight, want 0", n)
	}
}

func TestTooManyInFlightTakesNoRate(t *testing.T) {
	link := build(t, plugintest.Env(t, nil), func(s *Settings) {
		s.MaxInFlight = 1
		s.Rules = map[string]Rule{"all": {Per: perGlobal, Requests: 10, Period: time.Hour}}
	})
	rt := link.Fetch(plugintest.Answers(200))
	body := open(t, rt, "ada")
	for range 3 {
		if _, err := send(t, rt, "bob"); !errors.Is(err, ErrConcurrency) {
			t.Fatalf("the second request at once: error = %v", err)
		}
	}
	if left := of(t, counters(t, link, "")["all"], kindRequests, "remaining"); left != 9 {
		t.Errorf("%d left, want 9", left)
	}
	_ = body.Close()
	if _, err := send(t, rt, "bob"); err != nil {
		t.Errorf("after the first has ended: %v", err)
	}
}

// TestAnErrorFromInsideHasCost says what the README does: what was let through
// has cost its request, whatever became of it.
func TestAnErrorFromInsideHasCost(t *testing.T) {
	link := build(t, plugintest.Env(t, nil), with("all", Rule{Per: perGlobal, Requests: 1, Period: time.Hour}))
	inside := &plugins.Error{Status: 503, Code: "no_upstream"}
	rt := link.Fetch(plugintest.RoundTripFunc(func(*http.Request) (*http.Response, error) { return nil, inside }))
	call, err := send(t, rt, "ada")
	if !errors.Is(err, inside) {
		t.Errorf("error = %v, want the one from inside", err)
	}
	if got := call.Header("X-RateLimit-Remaining"); got != "0" {
		t.Errorf("X-RateLimit-Remaining = %q, want 0", got)
	}
	if _, err := send(t, rt, "ada"); !errors.Is(err, ErrRateLimit) {
		t.Errorf("the second request: error = %v", err)
	}
}
