package limit

import (
	"net/http"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/holysheep/relay/plugins"
	"github.com/holysheep/relay/plugins/plugintest"
)

// TestAClockThatLagsGivesNothingBack has 10 a second without a burst, and a
// request that is refused with the time of before the one that passed.
func TestAClockThatLagsGivesNothingBack(t *testing.T) {
	start := time.Now()
	now := start
	env := plugintest.Env(t, nil)
	env.Now = func() time.Time { return now }
	rt := build(t, env, with("all", Rule{Per: perGlobal, Requests: 10, Period: time.Second, Burst: 1})).
		Fetch(plugintest.Answers(200))
	for _, tt := range []struct {
		millis int
		passes bool
	}{{1000, true}, {910, false}, {1010, false}, {1099, false}, {1100, true}} {
		now = start.Add(time.Duration(tt.millis) * time.Millisecond)
		if _, err := send(t, rt, "ada"); (refused(t, err) == nil) != tt.passes {
			t.Errorf("at %dms: passed = %t, want %t", tt.millis, err == nil, tt.passes)
		}
	}
}

// TestTheRateHoldsInACrowd has 100 goroutines at once, each of which moves the
// clock on by reading it and then lets others go first. Whoever gets the lock
// late must not have brought the time of before: in the time that the clock has
// run, no more pass than the rule says, and no fewer.
func TestTheRateHoldsInACrowd(t *testing.T) {
	start := time.Now()
	var clock atomic.Int64
	env := plugintest.Env(t, nil)
	env.Now = func() time.Time {
		at := start.Add(time.Duration(clock.Add(int64(100 * time.Microsecond))))
		runtime.Gosched()
		return at
	}
	upstream := plugintest.Answers(200)
	rt := build(t, env, with("all", Rule{Per: perGlobal, Requests: 600, Burst: 10})).Fetch(upstream)
	var wg sync.WaitGroup
	for range 100 {
		wg.Go(func() {
			for range 200 {
				_, _ = send(t, rt, "ada")
			}
		})
	}
	wg.Wait()
	const interval = 100 * time.Millisecond
	most := 10 + int(time.Duration(clock.Load())/interval)
	if got := upstream.Asked(); got > most || got < most-1 {
		t.Errorf("%d passed in %s, want %d", got, time.Duration(clock.Load()), most)
	}
}

// TestAnOldGenerationGivesNothingBack empties a bucket under a slow rule, and
// then has a request come that began when the rule was fast.
func TestAnOldGenerationGivesNothingBack(t *testing.T) {
	env := plugintest.Env(t, nil)
	link := func(r Rule) http.RoundTripper {
		return build(t, env, with("each", r)).Fetch(plugintest.Answers(200))
	}
	old := link(Rule{Per: perClient, Requests: 1, Period: time.Millisecond})
	rt := link(Rule{Per: perClient, Requests: 2, Period: 2 * time.Hour})
	passes := func(rt http.RoundTripper) bool {
		_, err := send(t, rt, "ada")
		return refused(t, err) == nil
	}
	for range 2 {
		if !passes(rt) {
			t.Fatal("the bucket was not full")
		}
	}
	if passes(old) || passes(rt) {
		t.Error("a third request passed")
	}
}

// TestAFasterRuleIsAsEmptyInParts makes a rule of a day one of a second, six
// hours after its bucket has become empty: a quarter of it is back.
func TestAFasterRuleIsAsEmptyInParts(t *testing.T) {
	now := time.Now()
	env := plugintest.Env(t, nil)
	env.Now = func() time.Time { return now }
	wait := func(link plugins.Link) string {
		_, err := send(t, link.Fetch(plugintest.Answers(200)), "ada")
		if e := refused(t, err); e != nil {
			return e.Header.Get("Retry-After-Ms")
		}
		return "0"
	}
	slow := build(t, env, with("each", Rule{Per: perClient, Requests: 1, Period: 24 * time.Hour}))
	if got := wait(slow); got != "0" {
		t.Fatalf("the bucket was not full: wait %q", got)
	}
	now = now.Add(6 * time.Hour)
	fast := build(t, env, with("each", Rule{Per: perClient, Requests: 1, Period: time.Second}))
	if got := wait(fast); got != "750" {
		t.Errorf("after the change the wait is %q, want 750", got)
	}
	now = now.Add(750 * time.Millisecond)
	if got := wait(fast); got != "0" {
		t.Errorf("750 ms later the wait is %q, want 0", got)
	}
}
