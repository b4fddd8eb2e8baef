package limit

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/holysheep/relay/plugins/plugintest"
)

// TestTheLongestWaitIsTold has two rules refuse: the one that makes ada wait
// longer is the one whose bucket is full sooner.
func TestTheLongestWaitIsTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rt := build(t, plugintest.Env(t, nil), func(s *Settings) {
			s.Rules = map[string]Rule{
				"all":  {Per: perGlobal, Requests: 3, Period: 3 * time.Second},
				"each": {Per: perClient, Requests: 1, Period: 2 * time.Second},
			}
		}).Fetch(plugintest.Answers(200))
		for _, client := range []string{"ada", "bob", "cyd"} {
			if _, err := send(t, rt, client); err != nil {
				t.Fatal(err)
			}
		}
		call, err := send(t, rt, "ada")
		if got := refused(t, err).Header.Get("Retry-After-Ms"); got != "2000" {
			t.Errorf("retry-after-ms = %q, want 2000", got)
		}
		if got := call.Header(openAILimit); got != "1" {
			t.Errorf("the limit told is %q, want that of the rule that refused, 1", got)
		}
		time.Sleep(2 * time.Second)
		if _, err := send(t, rt, "ada"); err != nil {
			t.Errorf("after the wait: %v", err)
		}
	})
}

func TestOfTwoRatesWithAsMuchLeftTheSlowerIsTold(t *testing.T) {
	rt := build(t, plugintest.Env(t, nil), func(s *Settings) {
		s.Rules = map[string]Rule{
			"a": {Per: perGlobal, Requests: 5, Period: 5 * time.Second},
			"b": {Per: perClient, Requests: 5, Period: 5 * time.Hour},
			"c": {Per: perClient, Requests: 5, Period: 5 * time.Minute},
		}
	}).Fetch(plugintest.Answers(200))
	call, err := send(t, rt, "ada")
	if err != nil {
		t.Fatal(err)
	}
	if got := call.Header(openAIReset); got != "1h0m0s" {
		t.Errorf("the reset told is %q, want 1h0m0s", got)
	}
}
