package upstream

import (
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/holysheep/relay/internal/wire"
	"github.com/holysheep/relay/plugins"
	"github.com/holysheep/relay/plugins/plugintest"
)

// falling returns a pool of which gpt falls back on claude, then on deepseek.
func falling(t *testing.T, pool map[string]Settings) *Pool {
	t.Helper()
	p, err := New(Config{
		Upstreams: pool, Health: HealthDefaults(),
		Fallbacks: map[string][]string{"gpt": {"claude", "deepseek"}},
	}, plugintest.Env(t, nil))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestWhoIsChosenWithFallbacks(t *testing.T) {
	apart := map[string]Settings{"g": at(0, 1, "gpt"), "c": at(0, 1, "claude"), "d": at(0, 1, "deepseek")}
	both := map[string]Settings{"all": at(0, 1)}
	tests := []struct {
		name   string
		pool   map[string]Settings
		out    []string // ejected, for 1 s, 2 s and so on
		full   []string
		asked  []string
		want   string
		others int
	}{
		{"all is well", apart, nil, nil, nil, "g", 2},
		{"the panic threshold gives way", apart, []string{"g"}, nil, nil, "c for claude", 1},
		{"both are out: the next", apart, []string{"g", "c"}, nil, nil, "d for deepseek", 0},
		{"all are out: the model itself", apart, []string{"g", "c", "d"}, nil, nil, "g", 0},
		{"it is full", apart, nil, []string{"g"}, nil, "c for claude", 1},
		{"it was asked", apart, nil, nil, []string{"g for gpt"}, "c for claude", 1},
		{"all were asked: the model itself again", apart, nil, nil, []string{"g for gpt", "c for claude", "d for deepseek"}, "g", 0},
		{"all were asked, and it is out", apart, []string{"g"}, nil, []string{"g for gpt", "c for claude", "d for deepseek"}, "c for claude", 0},
		{"the same upstream for another model", both, nil, nil, []string{"all for gpt"}, "all for claude", 1},
		{"one alone is never out", both, []string{"all"}, nil, nil, "all", 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				pool := map[string]Settings{}
				for name, s := range tt.pool {
					if s.MaxInFlight = 0; slices.Contains(tt.full, name) {
						s.MaxInFlight = 1
					}
					pool[name] = s
				}
				p := falling(t, pool)
				for i, name := range tt.out {
					eject(p, name, time.Duration(i+1)*time.Second)
				}
				for _, name := range tt.full {
					p.named(name).state.inFlight.Add(1)
				}
				got, others := chosen(t, p, "gpt", tt.asked...)
				if !slices.Equal(got, []string{tt.want}) || others != tt.others {
					t.Errorf("chose %q with %d others, want %q with %d", got, others, tt.want, tt.others)
				}
			})
		})
	}
}

func TestAFallbackIsRefused(t *testing.T) {
	tests := []struct {
		name   string
		header string
		models []string // that the client may use
		want   string   // the model that answers; "" if the failure stands
	}{
		{"by nobody", "", nil, "claude"},
		{"by the client", "OFF", nil, ""},
		{"by the client, in other words", " no ", nil, ""},
		{"by a word that is none", "yes", nil, "claude"},
		{"by the client's list of models", "", []string{"gpt*"}, ""},
		{"in part by the client's list of models", "", []string{"gpt*", "deep*"}, "deepseek"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := falling(t, map[string]Settings{"g": at(0, 1, "gpt"), "c": at(0, 1, "claude"), "d": at(0, 1, "deepseek")})
			for _, m := range p.members {
				m.client = says(http.StatusOK)
			}
			p.named("g").client = says(http.StatusInternalServerError)
			req := plugintest.Request(t, `{"model":"gpt"}`)
			req.Header.Set("X-Relay-Fallback", tt.header)
			call := plugins.CallOf(req.Context())
			call.SetClient(plugins.Client{Name: "c", Models: tt.models})
			status := 0
			for range 2 {
				res, err := p.RoundTrip(req)
				if err != nil {
					t.Fatal(err)
				}
				_ = res.Body.Close()
				status = res.StatusCode
			}
			want := tt.want
			if want == "" {
				want = "gpt"
			}
			if got := call.Header("X-Relay-Model"); got != want || call.Trail.Answer().Model() != want || (status == 200) != (tt.want != "") {
				t.Errorf("%d by %q, told %q, want %q", status, call.Trail.Answer().Model(), got, want)
			}
		})
	}
}

func TestTheModelIsToldOnlyWhereItCouldBeAnother(t *testing.T) {
	p := falling(t, map[string]Settings{"g": at(0, 1)})
	p.named("g").client = says(http.StatusOK)
	for model, want := range map[string]string{"gpt": "gpt", "claude": ""} {
		req := plugintest.Request(t, `{"model":"`+model+`"}`)
		res, err := p.RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		_ = res.Body.Close()
		if got := plugins.CallOf(req.Context()).Header("X-Relay-Model"); got != want {
			t.Errorf("%s: told %q, want %q", model, got, want)
		}
	}
}

func TestAModelThatNobodyServesOverThisWireDoesNotFallBack(t *testing.T) {
	elsewhere := at(0, 1, "gpt")
	elsewhere.Wires = []wire.Name{wire.Gemini}
	p := falling(t, map[string]Settings{"a": elsewhere, "c": at(0, 1, "claude", "deepseek")})
	if _, err := p.RoundTrip(plugintest.Request(t, `{"model":"gpt"}`)); !errors.Is(err, ErrModel) {
		t.Errorf("err = %v, want %v", err, ErrModel)
	}
}

func TestAnUpstreamThatIsNotReachedIsNotAskedForAnotherModel(t *testing.T) {
	p := falling(t, map[string]Settings{"a": settings("http://127.0.0.1:1/v1", nil), "b": at(1, 1, "deepseek")})
	req := plugintest.Request(t, `{"model":"gpt"}`)
	call := plugins.CallOf(req.Context())
	for _, want := range []string{"a gpt", "b deepseek"} {
		if want != "a gpt" {
			p.named("b").client = says(http.StatusOK)
		}
		res, err := p.RoundTrip(req)
		if err == nil {
			_, _ = io.Copy(io.Discard, res.Body)
			_ = res.Body.Close()
		}
		a := call.Trail.Answer()
		if got := a.Upstream() + " " + a.Model(); got != want {
			t.Errorf("asked %s, want %s", got, want)
		}
		if want == "a gpt" && a.Alternatives() != 1 {
			t.Errorf("%d others, want 1: the same upstream is none", a.Alternatives())
		}
	}
}

func TestFallbacksThatCanBeNone(t *testing.T) {
	tests := []struct {
		name string
		all  map[string][]string
		want string
	}{
		{"good ones", map[string][]string{"gpt-4.1": {"gpt-4o", "sonnet"}}, ""},
		{"none", map[string][]string{"gpt-4.1": nil}, "fallbacks.gpt-4.1: names no model"},
		{"an empty one", map[string][]string{"gpt-4.1": {"gpt-4o", ""}}, "or an empty one"},
		{"itself", map[string][]string{"gpt-4.1": {"gpt-4.1"}}, "falls back on itself"},
		{"one twice", map[string][]string{"gpt-4.1": {"gpt-4o", "gpt-4o"}}, "names gpt-4o twice"},
		{"a glob of its own", map[string][]string{"gpt-*": {"gpt-4o"}}, "holds a glob"},
		{"a glob of others", map[string][]string{"gpt-4.1": {"claude-*"}}, "holds a glob"},
		{"one that nobody serves", map[string][]string{"gpt-4.1": {"sonet"}}, "fallbacks.gpt-4.1: no upstream serves sonet"},
		{"for what nobody serves", map[string][]string{"opus": {"sonnet"}}, "fallbacks.opus: no upstream serves opus"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			err := ValidateFallbacks(tt.all)
			if err == nil {
				_, err = New(Config{Upstreams: map[string]Settings{
					"one": settings("http://x/v1", func(s *Settings) { s.Models = []string{"gpt-*", "sonnet"} }),
				}, Fallbacks: tt.all}, plugintest.Env(t, nil))
			}
			if tt.want == "" && err != nil || tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)) {
				t.Errorf("err = %v, want %q", err, tt.want)
			}
		})
	}
}
