package limit

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/holysheep/relay/plugins"
	"github.com/holysheep/relay/plugins/plugintest"
)

// A visitor is a request that may have to wait.
type visitor struct {
	body  io.Closer // of its answer
	err   error
	after time.Duration
	done  bool
}

// come sends a request of the client and goes on when it waits.
func come(ctx context.Context, t *testing.T, rt http.RoundTripper, client string) *visitor {
	t.Helper()
	v, began := &visitor{}, time.Now()
	req := plugintest.Client(plugintest.Request(t, `{}`), client)
	req = req.WithContext(plugins.WithCall(ctx, plugins.CallOf(req.Context())))
	go func() {
		res, err := rt.RoundTrip(req)
		if err == nil {
			v.body = res.Body
		}
		v.err, v.after, v.done = err, time.Since(began), true
	}()
	synctest.Wait()
	return v
}

// waiting is a rule with one request in flight and a queue.
func waiting(size int, more ...func(*Rule)) func(*Settings) {
	r := Rule{Per: perGlobal, InFlight: 1, Queue: Queue{Size: size, MaxWait: 10 * time.Second}}
	for _, change := range more {
		change(&r)
	}
	return with("all", r)
}

func TestARequestWaitsForOneInFlightToEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rt := build(t, plugintest.Env(t, nil), waiting(5)).Fetch(plugintest.Answers(200))
		first := come(t.Context(), t, rt, "ada")
		second := come(t.Context(), t, rt, "ada")
		if !first.done || second.done {
			t.Fatalf("done: %t and %t, want the second to wait", first.done, second.done)
		}
		time.Sleep(3 * time.Second)
		_ = first.body.Close()
		synctest.Wait()
		if !second.done || second.err != nil || second.after != 3*time.Second {
			t.Errorf("done: %t after %s with %v", second.done, second.after, second.err)
		}
	})
}

// Three of one client wait before one of another, who comes second all the
// same; and whoever comes while they wait does not go past them.
func TestClientsTakeTurns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rt := build(t, plugintest.Env(t, nil), waiting(9)).Fetch(plugintest.Answers(200))
		last := come(t.Context(), t, rt, "noisy")
		all := map[string]*visitor{}
		for name := range strings.FieldsSeq("noisy1 noisy2 noisy3 quiet1") {
			all[name] = come(t.Context(), t, rt, name[:5])
		}
		for want := range strings.FieldsSeq("noisy1 quiet1 noisy2 noisy3") {
			_ = last.body.Close()
			synctest.Wait()
			if want == "noisy2" {
				all["late1"] = come(t.Context(), t, rt, "late1")
			}
			if last = all[want]; !last.done {
				t.Fatalf("%s still waits", want)
			}
			delete(all, want)
		}
		if late := all["late1"]; late.done {
			t.Error("one that came late went past those who waited")
		}
		_ = last.body.Close()
		synctest.Wait()
	})
}

func TestWhatTheQueueRefuses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		env := plugintest.Env(t, nil)
		rt := build(t, env, waiting(2)).Fetch(plugintest.Answers(200))
		first := come(t.Context(), t, rt, "ada")
		ctx, cancel := context.WithCancel(t.Context())
		late, gone := come(t.Context(), t, rt, "bob"), come(ctx, t, rt, "cyd")
		if got := value(t, env, "relay_limit_queue_length", map[string]string{"rule": "all"}); got != 2 {
			t.Errorf("the queue's length is %g, want 2", got)
		}
		full := come(t.Context(), t, rt, "dan")
		if e := refused(t, full.err); e == nil || !errors.Is(e, ErrConcurrency) || e.Header.Get("Retry-After") != "1" {
			t.Errorf("a full queue: %v, want 429 with the hint", full.err)
		}
		cancel()
		synctest.Wait()
		if !errors.Is(gone.err, context.Canceled) {
			t.Errorf("a client that left: %v", gone.err)
		}
		time.Sleep(10 * time.Second)
		synctest.Wait()
		if !errors.Is(late.err, ErrConcurrency) || late.after != 10*time.Second {
			t.Errorf("max_wait: %v after %s", late.err, late.after)
		}
		_ = first.body.Close()
		for outcome, want := range map[string]uint64{"turn": 0, "full": 1, "late": 1, "gone": 1} {
			if got := waits(t, env, outcome); got != want {
				t.Errorf("%d waits ended by %s, want %d", got, outcome, want)
			}
		}
		labels := map[string]string{"rule": "all", "decision": "concurrency_exceeded"}
		if got := value(t, env, "relay_limit_decisions_total", labels); got != 2 {
			t.Errorf("%g refusals are counted, want 2: an attempt is none", got)
		}
		if got := value(t, env, "relay_limit_queue_length", map[string]string{"rule": "all"}); got != 0 {
			t.Errorf("the queue's length is %g, want 0", got)
		}
		if v := come(t.Context(), t, rt, "eve"); v.err != nil {
			t.Errorf("a slot was lost: %v", v.err)
		} else {
			_ = v.body.Close()
		}
	})
}

// waits returns how many waits have ended by the outcome.
func waits(t *testing.T, env plugins.Env, outcome string) (n uint64) {
	t.Helper()
	families, err := env.Metrics.(prometheus.Gatherer).Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		for _, m := range f.GetMetric() {
			for _, l := range m.GetLabel() {
				if f.GetName() == "relay_limit_queue_wait_seconds" && l.GetName() == "outcome" && l.GetValue() == outcome {
					n += m.GetHistogram().GetSampleCount()
				}
			}
		}
	}
	return n
}

// Nobody waits for what does not end with a request in flight.
func TestWhatIsRefusedByMoreThanFlightsDoesNotWait(t *testing.T) {
	more := func(name string, r Rule) func(*Settings) {
		return func(s *Settings) { waiting(5)(s); s.Rules[name] = r }
	}
	tests := []struct {
		name   string
		change func(*Settings)
		waits  bool
	}{
		{"nothing else", waiting(5), true},
		{"a rate too", more("rate", Rule{Per: perGlobal, Requests: 1, Period: time.Hour}), false},
		{"a rule in flight without a queue too", more("none", Rule{Per: perGlobal, InFlight: 1}), false},
		{"a shadow too", more("dark", Rule{Per: perGlobal, Requests: 1, Period: time.Hour, Shadow: true}), true},
		{"another queue too", more("two", Rule{Per: perGlobal, InFlight: 1, Queue: Queue{Size: 1, MaxWait: time.Second}}), true},
		{"a rule without a queue alone", with("none", Rule{Per: perGlobal, InFlight: 1}), false},
		{"the replica", func(s *Settings) { waiting(5)(s); s.MaxInFlight = 1 }, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				rt := build(t, plugintest.Env(t, nil), tt.change).Fetch(plugintest.Answers(200))
				first, second := come(t.Context(), t, rt, "ada"), come(t.Context(), t, rt, "ada")
				if second.done == tt.waits {
					t.Errorf("done: %t with %v, want it to wait: %t", second.done, second.err, tt.waits)
				}
				_ = first.body.Close()
				synctest.Wait()
				if tt.waits && (!second.done || second.err != nil) {
					t.Errorf("done: %t with %v, want it to be served", second.done, second.err)
				}
				if second.err == nil {
					_ = second.body.Close()
				}
			})
		})
	}
}

// A request that waits in one queue goes on in another when it is that one which
// it lacks.
func TestARequestGoesFromQueueToQueue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rule := func(per string, n int64) Rule {
			return Rule{Per: per, InFlight: n, Queue: Queue{Size: 9, MaxWait: time.Minute}}
		}
		rt := build(t, plugintest.Env(t, nil), func(s *Settings) {
			s.Rules = map[string]Rule{"all": rule(perGlobal, 2), "each": rule(perClient, 1)}
		}).Fetch(plugintest.Answers(200))
		ada, bob := come(t.Context(), t, rt, "ada"), come(t.Context(), t, rt, "bob")
		second := come(t.Context(), t, rt, "ada") // lacks both
		_ = bob.body.Close()
		synctest.Wait()
		bob = come(t.Context(), t, rt, "bob") // does not wait for ada
		if second.done || !bob.done {
			t.Fatalf("ada's second: %t, bob's: %t, want only bob's to be done", second.done, bob.done)
		}
		_ = ada.body.Close()
		synctest.Wait()
		if !second.done || second.err != nil {
			t.Errorf("ada's second: %t, %v", second.done, second.err)
		}
	})
}

// While it waits, a request is in no slot of the replica.
func TestWhoWaitsHoldsNoSlotOfTheReplica(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rt := build(t, plugintest.Env(t, nil), func(s *Settings) {
			s.MaxInFlight = 2
			s.Rules = map[string]Rule{"each": {Per: perClient, InFlight: 1, Queue: Queue{Size: 9, MaxWait: time.Minute}}}
		}).Fetch(plugintest.Answers(200))
		ada := come(t.Context(), t, rt, "ada")
		second := come(t.Context(), t, rt, "ada")
		bob := come(t.Context(), t, rt, "bob")
		if !bob.done || bob.err != nil {
			t.Fatalf("bob: %t, %v", bob.done, bob.err)
		}
		_ = ada.body.Close()
		cyd := come(t.Context(), t, rt, "cyd")
		if !second.done && cyd.err != nil {
			t.Errorf("neither ada's second nor cyd's has the slot: %v", cyd.err)
		}
		_ = bob.body.Close()
		time.Sleep(time.Second) // the replica has room again: nobody is told, and all the same
		synctest.Wait()
		if !second.done || second.err != nil {
			t.Errorf("ada's second: %t, %v", second.done, second.err)
		}
	})
}

// Generations share the queue, and its size is that of the last one.
func TestAReloadKeepsTheQueue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		env := plugintest.Env(t, nil)
		up := plugintest.Answers(200)
		old := build(t, env, waiting(1)).Fetch(up)
		first, second := come(t.Context(), t, old, "ada"), come(t.Context(), t, old, "bob")
		rt := build(t, env, waiting(2)).Fetch(up)
		third := come(t.Context(), t, rt, "ada")
		if third.done {
			t.Fatalf("%v, want the new size to hold", third.err)
		}
		for _, v := range []*visitor{first, second, third} {
			if !v.done || v.err != nil {
				t.Fatalf("done: %t, %v", v.done, v.err)
			}
			_ = v.body.Close()
			synctest.Wait()
		}
	})
}
