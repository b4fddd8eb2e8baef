package limit

import (
	"io"
	"testing"
	"time"

	"github.com/holysheep/relay/plugins"
	"github.com/holysheep/relay/plugins/plugintest"
)

// TestCapIsExactAcrossGenerations rebuilds the link 30 times, with another
// number each time and a stream opened in each generation: the streams of all
// generations share the slots, and the counters go on.
func TestCapIsExactAcrossGenerations(t *testing.T) {
	env := plugintest.Env(t, nil)
	var streams []io.Closer
	var link plugins.Link
	before := 0.0
	for generation := range int64(30) {
		link = build(t, env, func(s *Settings) {
			s.MaxInFlight = generation + 1
			s.Rules = map[string]Rule{"each": {Per: perClient, InFlight: 100 - generation}}
		})
		rt := link.Fetch(plugintest.Answers(200))
		stream := open(t, rt, "ada")
		if stream == nil || open(t, rt, "bob") != nil {
			t.Fatalf("generation %d does not let exactly one more stream through", generation)
		}
		streams = append(streams, stream)
		sum := value(t, env, "relay_limit_decisions_total", nil)
		if sum < before+3 { // admitted by two rules, refused by one
			t.Fatalf("generation %d: the counters went from %g to %g", generation, before, sum)
		}
		before = sum
	}
	for i, stream := range streams {
		if n := inFlight(t, link, replica); n != int64(30-i) {
			t.Errorf("%d in flight, want %d", n, 30-i)
		}
		_ = stream.Close()
	}
	if n := inFlight(t, link, replica); n != 0 {
		t.Errorf("in the end %d in flight, want 0", n)
	}
}

// TestALimitSetLaterCountsWhatIsInFlight starts streams while max_in_flight is
// 0, and then sets it.
func TestALimitSetLaterCountsWhatIsInFlight(t *testing.T) {
	env := plugintest.Env(t, nil)
	rt := build(t, env, nil).Fetch(plugintest.Answers(200))
	stream := open(t, rt, "ada")
	_ = open(t, rt, "bob")
	rt = build(t, env, func(s *Settings) { s.MaxInFlight = 2 }).Fetch(plugintest.Answers(200))
	if open(t, rt, "cyd") != nil {
		t.Error("a third request passed a limit of 2")
	}
	_ = stream.Close()
	if open(t, rt, "cyd") == nil {
		t.Error("the second request was refused by a limit of 2")
	}
}

func TestBucketsOutliveAReload(t *testing.T) {
	env := plugintest.Env(t, nil)
	half := with("each", Rule{Per: perClient, Requests: 2, Period: time.Hour})
	for generation, want := range []bool{true, true, false} {
		_, err := send(t, build(t, env, half).Fetch(plugintest.Answers(200)), "ada")
		if passed := refused(t, err) == nil; passed != want {
			t.Errorf("generation %d: passed = %t, want %t", generation, passed, want)
		}
	}
}

// TestRulesActive follows the gauge through reloads, in whichever order the
// generations start and close.
func TestRulesActive(t *testing.T) {
	env := plugintest.Env(t, nil)
	link := func(n int64) plugins.Link {
		s := Settings{MaxInFlight: n, Rules: map[string]Rule{"each": {Per: perClient, InFlight: 1}}}
		l, err := New(s, env)
		if err != nil {
			t.Fatal(err)
		}
		return l
	}
	first, second := link(0), link(5)
	for _, step := range []struct {
		name string
		do   func()
		want float64
	}{
		{"built", func() {}, 0},
		{"the first starts", first.Start, 1},
		{"the second starts", second.Start, 2},
		{"the first closes", func() { _ = first.Close(t.Context()) }, 2},
		{"the second closes", func() { _ = second.Close(t.Context()) }, 0},
	} {
		step.do()
		if got := value(t, env, "relay_limit_rules_active", nil); got != step.want {
			t.Errorf("%s: %g rules are active, want %g", step.name, got, step.want)
		}
	}
}

// TestOpenStreamOfARuleThatWasRemoved ends without harm to the next generation.
func TestOpenStreamOfARuleThatWasRemoved(t *testing.T) {
	env := plugintest.Env(t, nil)
	old := build(t, env, with("each", Rule{Per: perClient, InFlight: 1})).Fetch(plugintest.Answers(200))
	stream := open(t, old, "ada")
	link := build(t, env, nil)
	other := open(t, link.Fetch(plugintest.Answers(200)), "ada")
	_ = stream.Close()
	if n := inFlight(t, link, replica); n != 1 {
		t.Errorf("%d in flight, want 1", n)
	}
	_ = other.Close()
}
