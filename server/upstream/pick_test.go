package upstream

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/holysheep/relay/plugins"
	"github.com/holysheep/relay/plugins/plugintest"
)

// asked returns a call for the model, which has asked the named upstreams.
func asked(t *testing.T, model string, names ...string) *plugins.Call {
	t.Helper()
	call := plugins.CallOf(plugintest.Request(t, `{"model":"`+model+`"}`).Context())
	for _, name := range names {
		call.Trail.Note(name, 0)
	}
	return call
}

// pick has the pool choose for one attempt of the call.
func pick(p *Pool, call *plugins.Call) (*member, error) {
	a := &asking{Pool: p, call: call, attempt: &plugins.Attempt{}}
	err := p.pick(a)
	return a.member, err
}

func TestPick(t *testing.T) {
	at := func(priority, weight int, models ...string) Settings {
		return settings("http://x/v1", func(s *Settings) { s.Priority, s.Weight, s.Models = priority, weight, models })
	}
	tests := []struct {
		name   string
		pool   map[string]Settings
		model  string
		asked  []string
		want   []string // any of these, and each of them sometimes
		others int
	}{
		{"the only one", map[string]Settings{"a": at(0, 1)}, "m", nil, []string{"a"}, 0},
		{"the lowest priority", map[string]Settings{"a": at(1, 9), "b": at(0, 1)}, "m", nil, []string{"b"}, 1},
		{"any of the same priority", map[string]Settings{"a": at(0, 1), "b": at(0, 3)}, "m", nil, []string{"a", "b"}, 1},
		{"weight 0 only if nobody else is left", map[string]Settings{"a": at(0, 0), "b": at(0, 1)}, "m", nil, []string{"b"}, 1},
		{"weight 0 if nobody else is left", map[string]Settings{"a": at(0, 0), "b": at(0, 1)}, "m", []string{"b"}, []string{"a"}, 0},
		{"not the one that was asked", map[string]Settings{"a": at(0, 1), "b": at(1, 1)}, "m", []string{"a"}, []string{"b"}, 0},
		{"from the beginning when all were asked", map[string]Settings{"a": at(0, 1), "b": at(1, 1)}, "m", []string{"a", "b"}, []string{"a"}, 0},
		{"one that serves the model", map[string]Settings{"a": at(0, 1, "x-*"), "b": at(5, 1, "gpt-*")}, "gpt-4.1", nil, []string{"b"}, 0},
		{"a star stands for slashes", map[string]Settings{"a": at(0, 1, "x"), "b": at(5, 1, "*gpt*")}, "openai/gpt-4.1", nil, []string{"b"}, 0},
		{"any if no model is named", map[string]Settings{"a": at(0, 1, "x"), "b": at(0, 1, "y")}, "", nil, []string{"a", "b"}, 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := newPool(t, nil, tt.pool)
			seen := map[string]bool{}
			for range 200 {
				call := asked(t, tt.model, tt.asked...)
				m, err := pick(p, call)
				if err != nil {
					t.Fatal(err)
				}
				seen[m.name] = true
				if call.Trail.Last() != m.name || call.Trail.Answer().Alternatives() != tt.others {
					t.Fatalf("trail: last %q, %d others, want %q and %d", call.Trail.Last(), call.Trail.Answer().Alternatives(), m.name, tt.others)
				}
			}
			for name := range seen {
				if !slices.Contains(tt.want, name) {
					t.Errorf("picked %q, want one of %q", name, tt.want)
				}
			}
			if len(seen) != len(tt.want) {
				t.Errorf("picked %v, want each of %q sometimes", seen, tt.want)
			}
		})
	}
}

func TestAModelThatNobodyServesIsNotAskedFor(t *testing.T) {
	p := newPool(t, nil, map[string]Settings{"a": settings("http://127.0.0.1:1/v1", func(s *Settings) { s.Models = []string{"gpt-*"} })})
	if _, err := p.RoundTrip(plugintest.Request(t, `{"model":"claude"}`)); !errors.Is(err, ErrModel) {
		t.Errorf("err = %v, want %v", err, ErrModel)
	}
}

func TestAModelInDoubtIsNotRouted(t *testing.T) {
	some := map[string]Settings{
		"claude": settings("http://c/v1", func(s *Settings) { s.Models = []string{"claude-*"} }),
		"gpt":    settings("http://g/v1", func(s *Settings) { s.Models = []string{"gpt-*"} }),
	}
	all := map[string]Settings{"any": settings("http://a/v1", nil)}
	tests := []struct {
		name, body string
		whole      bool
		pool       map[string]Settings
		want       string // the upstream; "" if it is refused
	}{
		{"a model twice", `{"model":"claude-x","model":"gpt-4"}`, true, some, ""},
		{"a model in another case", `{"Model":"gpt-4"}`, true, some, ""},
		{"a model beyond what was seen", `{"messages":[`, false, some, ""},
		{"a model before what was not seen", `{"model":"gpt-4","messages":[`, false, some, "gpt"},
		{"a model twice before what was not seen", `{"model":"claude-x","model":"gpt-4","messages":[`, false, some, ""},
		{"a model twice where nobody cares", `{"model":"claude-x","model":"gpt-4"}`, true, all, "any"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			req := plugintest.Request(t, tt.body)
			call := plugins.NewCall("", func() plugins.Ask { return plugins.ReadAsk(req, []byte(tt.body), tt.whole) })
			m, err := pick(newPool(t, nil, tt.pool), call)
			switch {
			case tt.want == "" && !errors.Is(err, plugins.ErrAmbiguousBody):
				t.Errorf("got %v, %v, want %v", m, err, plugins.ErrAmbiguousBody)
			case tt.want != "" && (err != nil || m.name != tt.want):
				t.Errorf("got %v, %v, want %s", m, err, tt.want)
			}
		})
	}
}

func TestSharesFollowTheWeights(t *testing.T) {
	at := func(weight int) Settings { return settings("http://x/v1", func(s *Settings) { s.Weight = weight }) }
	p := newPool(t, nil, map[string]Settings{"a": at(1), "b": at(3)})
	const n = 10_000
	b := 0
	for range n {
		m, _ := pick(p, asked(t, ""))
		if m.name == "b" {
			b++
		}
	}
	// The standard deviation is 43: 300 is seven of them.
	if b < n*3/4-300 || b > n*3/4+300 {
		t.Errorf("b got %d of %d, want about %d", b, n, n*3/4)
	}
}

func TestSettingsValidate(t *testing.T) {
	tests := []struct {
		name   string
		change func(*Settings)
		want   string
	}{
		{"the defaults with a URL", func(*Settings) {}, ""},
		{"no URL", func(s *Settings) { s.BaseURL = "" }, "base_url: missing"},
		{"a URL without scheme", func(s *Settings) { s.BaseURL = "api.example.com/v1" }, "base_url: scheme"},
		{"a URL of another scheme", func(s *Settings) { s.BaseURL = "ftp://x/v1" }, `base_url: scheme "ftp"`},
		{"a password in the URL", func(s *Settings) { s.BaseURL = "https://u:hunter2@x/v1" }, "base_url: holds a user or password"},
		{"a query in the URL", func(s *Settings) { s.BaseURL = "https://x/v1?key=hunter2" }, "base_url: holds a query"},
		{"a URL that is none", func(s *Settings) { s.BaseURL = "https://hunter2 x\x7f/" }, "base_url: not a URL"},
		{"two keys", func(s *Settings) { s.APIKeyEnv, s.APIKeyFile = "A", "b" }, "api_key_env: stands beside api_key_file"},
		{"an empty glob", func(s *Settings) { s.Models = []string{"a", ""} }, "models: holds an empty glob"},
		{"a negative weight", func(s *Settings) { s.Weight = -1 }, "weight: -1"},
		{"a negative priority", func(s *Settings) { s.Priority = -1 }, "priority: -1"},
		{"no time to connect", func(s *Settings) { s.ConnectTimeout = 0 }, "connect_timeout: 0s"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			err := settings("https://x/v1", tt.change).Validate()
			if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
				t.Fatalf("err = %v, want %q", err, tt.want)
			}
			if err != nil && strings.Contains(err.Error(), "hunter2") {
				t.Errorf("the error shows a secret: %v", err)
			}
		})
	}
}
