package upstream

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/holysheep/relay/internal/breaker"
	"github.com/holysheep/relay/plugins"
	"github.com/holysheep/relay/plugins/plugintest"
)

// at returns an upstream of that priority and weight.
func at(priority, weight int, models ...string) Settings {
	return settings("http://x/v1", func(s *Settings) { s.Priority, s.Weight, s.Models = priority, weight, models })
}

// named returns a member of the pool.
func (p *Pool) named(name string) *member {
	return p.members[slices.IndexFunc(p.members, func(m *member) bool { return m.name == name })]
}

// eject takes the named upstream out for so long.
func eject(p *Pool, name string, d time.Duration) {
	b := p.named(name).state.breaker
	ticket, _ := b.Take(p.now())
	b.Failure(p.now(), ticket, d)
}

// chosen returns whom the pool chooses how often, of 200 times, for a call
// that has asked the named ones before, and how many it leaves.
func chosen(t *testing.T, p *Pool, model string, asked ...string) (names []string, others int) {
	t.Helper()
	seen := map[string]bool{}
	for range 200 {
		call := plugins.CallOf(plugintest.Request(t, `{"model":"`+model+`"}`).Context())
		for _, a := range asked {
			name, as, _ := strings.Cut(a, " for ")
			before := &plugins.Attempt{}
			before.Begin(name, "", as, 0)
			call.Trail.Begin(before)
		}
		a := &asking{Pool: p, call: call, attempt: &plugins.Attempt{}}
		if err := p.pick(a); err != nil {
			return []string{err.Error()}, 0
		}
		a.member.state.breaker.Forget(a.ticket)
		a.member.state.leave()
		name := a.member.name
		if a.model != "" && a.model != model {
			name += " for " + a.model
		}
		seen[name], others = true, a.attempt.Alternatives()
	}
	return slices.Sorted(maps.Keys(seen)), others
}

func TestWhoIsChosen(t *testing.T) {
	two := map[string]Settings{"a": at(0, 1), "b": at(1, 1)}
	three := map[string]Settings{"a": at(0, 1), "b": at(0, 1), "c": at(1, 1)}
	limited := settings("http://x/v1", func(s *Settings) { s.MaxInFlight = 1 })
	tests := []struct {
		name   string
		pool   map[string]Settings
		out    []string // ejected, for 1 s, 2 s and so on
		full   []string
		asked  []string
		want   []string
		others int
	}{
		{"nobody is out", two, nil, nil, nil, []string{"a"}, 1},
		{"the ejected one is left alone", two, []string{"a"}, nil, nil, []string{"b"}, 0},
		{"of two one is asked, the one that is back first", two, []string{"b", "a"}, nil, nil, []string{"b"}, 0},
		{"of three one is asked", three, []string{"c", "b", "a"}, nil, nil, []string{"c"}, 0},
		{"one alone is never out", map[string]Settings{"a": at(0, 1)}, []string{"a"}, nil, nil, []string{"a"}, 0},
		{"the healthy one again before the ejected one", two, []string{"a"}, nil, []string{"b"}, []string{"b"}, 0},
		{"the ejected one if the other is full", map[string]Settings{"a": at(0, 1), "b": limited}, []string{"a"}, []string{"b"}, nil, []string{"a"}, 0},
		{"who is not full", map[string]Settings{"a": limited, "b": at(1, 1)}, nil, []string{"a"}, nil, []string{"b"}, 0},
		{"all are full", map[string]Settings{"a": limited, "b": limited}, nil, []string{"a", "b"}, nil, []string{ErrBusy.Error()}, 0},
		{"weight 0 after every other priority", map[string]Settings{"a": at(0, 0), "b": at(1, 1)}, nil, nil, nil, []string{"b"}, 1},
		{"weight 0 before one that is out", map[string]Settings{"a": at(0, 0), "b": at(1, 1)}, []string{"b"}, nil, nil, []string{"a"}, 0},
		{"all were asked: the healthy ones again", three, []string{"a"}, nil, []string{"a", "b", "c"}, []string{"b"}, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := newPool(t, nil, tt.pool)
				for i, name := range tt.out {
					eject(p, name, time.Duration(i+1)*time.Second)
				}
				for _, name := range tt.full {
					p.named(name).state.inFlight.Add(1)
				}
				got, others := chosen(t, p, "m", tt.asked...)
				if !slices.Equal(got, tt.want) || others != tt.others {
					t.Errorf("chose %q with %d others, want %q with %d", got, others, tt.want, tt.others)
				}
			})
		})
	}
}

func TestATrialIsTakenByOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPool(t, nil, map[string]Settings{"a": at(0, 1), "b": at(1, 1)})
		eject(p, "a", time.Second)
		time.Sleep(time.Second)
		var got []string
		for range 3 {
			m, err := pick(p, asked(t, "m"))
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, m.name)
		}
		if want := []string{"a", "b", "b"}; !slices.Equal(got, want) {
			t.Errorf("chose %q, want %q", got, want)
		}
		if state, _ := p.named("a").state.breaker.Look(p.now()); state != breaker.OnTrial {
			t.Errorf("state %d, want a trial", state)
		}
	})
}

func TestAllFullSaysWhenToComeAgain(t *testing.T) {
	quota := func(n int, period time.Duration) Settings {
		return settings("http://x/v1", func(s *Settings) { s.Requests, s.Period = n, period })
	}
	tests := []struct {
		name        string
		pool        map[string]Settings
		after       time.Duration // since the requests that filled it
		seconds, ms string
	}{
		{"by the quota", map[string]Settings{"a": quota(1, time.Minute)}, 10 * time.Second, "51", "51000"},
		{"by the quota that is free first", map[string]Settings{"a": quota(1, time.Minute), "b": quota(1, time.Second)}, 0, "2", "1017"},
		{"never less than a second for those who read no milliseconds", map[string]Settings{"a": quota(1, time.Second)}, 900 * time.Millisecond, "1", "117"},
		{"in flight", map[string]Settings{"a": settings("http://x/v1", func(s *Settings) { s.MaxInFlight = 1 })}, 0, "1", "1000"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := newPool(t, nil, tt.pool)
				for range tt.pool {
					if _, err := pick(p, asked(t, "m")); err != nil {
						t.Fatal(err)
					}
				}
				time.Sleep(tt.after)
				a := &asking{Pool: p, call: asked(t, "m"), attempt: &plugins.Attempt{}}
				e, ok := plugins.AsError(p.pick(a))
				if !ok || !e.Is(ErrBusy) || !e.Again || !a.attempt.Unsent() || a.call.Trail.Attempts() != 0 {
					t.Fatalf("err = %v, unsent %t, want %v with nothing sent", e, a.attempt.Unsent(), ErrBusy)
				}
				if got := fmt.Sprint(e.Header.Get("Retry-After"), " ", e.Header.Get("Retry-After-Ms")); got != tt.seconds+" "+tt.ms {
					t.Errorf("wait of %s, want %s s and %s ms", got, tt.seconds, tt.ms)
				}
			})
		})
	}
}

func TestAnUpstreamThatRefusedOneOfItsKeysIsNotDoneWith(t *testing.T) {
	p := newPool(t, nil, map[string]Settings{"a": at(0, 1), "b": at(1, 1)})
	call := asked(t, "m")
	refused := &plugins.Attempt{}
	refused.Begin("a", "1", "", 1)
	refused.SetFault(plugins.FaultKey)
	call.Trail.Begin(refused)
	if m, err := pick(p, call); err != nil || m.name != "a" {
		t.Errorf("chose %v, %v, want a again, by another key", m, err)
	}
}

func TestChoosingAllocatesNothing(t *testing.T) {
	p := newPool(t, nil, map[string]Settings{"a": at(0, 1, "m*"), "b": at(0, 3, "m*"), "c": at(1, 1)})
	call := asked(t, "m")
	call.Ask()
	a := &asking{Pool: p, call: call, attempt: &plugins.Attempt{}}
	got := testing.AllocsPerRun(1000, func() {
		var room [fewOptions]option
		options := a.options(p.now(), room[:0], "m")
		a.take(p.now(), &options[choose(options)])
		a.member = options[0].m
	})
	if got != 0 {
		t.Errorf("%v allocations, want none", got)
	}
}
