package upstream

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/holysheep/relay/internal/wire"
	"github.com/holysheep/relay/plugins"
	"github.com/holysheep/relay/plugins/plugintest"
)

func TestWhoSpeaksWhichWire(t *testing.T) {
	speaks := func(wires ...wire.Name) Settings {
		return settings("http://x/v1", func(s *Settings) { s.Wires = wires })
	}
	none := []string{ErrWire.Code}
	tests := []struct {
		name string
		pool map[string]Settings
		want map[string][]string // by path
	}{
		{"nobody names one", map[string]Settings{"a": speaks()}, map[string][]string{
			"/v1/chat/completions": {"a"}, "/v1/messages": {"a"}, "/v1beta/models/g:generateContent": none, "/openai/v1/responses": none,
		}},
		{"one names anthropic", map[string]Settings{"a": speaks(), "b": speaks(wire.Anthropic)}, map[string][]string{
			"/v1/chat/completions": {"a"}, "/v1/messages": {"b"},
		}},
		{"every wire is named", map[string]Settings{"a": speaks(wire.OpenAI, wire.Azure), "b": speaks(wire.Gemini)}, map[string][]string{
			"/v1/chat/completions": {"a"}, "/v1/messages": none, "/v1beta/models/g:generateContent": {"b"},
			"/openai/deployments/d/chat/completions": {"a"},
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := newPool(t, nil, tt.pool)
			for _, m := range p.members {
				m.client = says(200)
			}
			for path, want := range tt.want {
				req := plugintest.Request(t, "{}")
				req.URL.Path = path
				call := plugins.CallOf(req.Context())
				got := []string{""}
				if res, err := p.RoundTrip(req); err == nil {
					_ = res.Body.Close()
					got[0] = call.Trail.Last()
				} else if e, ok := plugins.AsError(err); ok {
					got[0] = e.Code
					if w, _ := wire.Of(path); !strings.Contains(e.Message, string(w.Wire)) || !strings.Contains(e.Message, "wires") {
						t.Errorf("%s: %q names neither the wire nor the setting", path, e.Message)
					}
				}
				if !slices.Equal(got, want) {
					t.Errorf("%s: %q, want %q", path, got, want)
				}
			}
		})
	}
}

func TestWhoServesWhichModel(t *testing.T) {
	tests := []struct {
		name  string
		set   Settings
		model string
		want  bool
	}{
		{"without models every one", Settings{}, "m", true},
		{"by a glob", Settings{Models: []string{"x", "gpt-*"}}, "gpt-4.1", true},
		{"by another name", Settings{Models: []string{"x"}, Rewrite: map[string]string{"m": "y"}}, "m", true},
		{"by the name that only the upstream uses", Settings{Models: []string{"x"}, Rewrite: map[string]string{"m": "y"}}, "y", false},
		{"another name restricts nothing", Settings{Rewrite: map[string]string{"m": "y"}}, "z", true},
	}
	for _, tt := range tests {
		if got := tt.set.serves(tt.model); got != tt.want {
			t.Errorf("%s: %t, want %t", tt.name, got, tt.want)
		}
	}
	for _, s := range []Settings{{Models: []string{"x"}}, {Rewrite: map[string]string{"m": "y"}}} {
		if !s.routed() {
			t.Errorf("%+v is not routed", s)
		}
	}
}

func TestAModelOfAnotherWireIsToldSo(t *testing.T) {
	p := newPool(t, nil, map[string]Settings{
		"a": settings("http://x/v1", func(s *Settings) { s.Models = []string{"gpt-*"} }),
		"b": settings("http://x/v1", func(s *Settings) { s.Models, s.Wires = []string{"claude-*"}, []wire.Name{wire.Anthropic} }),
	})
	for model, want := range map[string]string{
		"claude-x": "no upstream serves this model over the API openai; it is served over anthropic",
		"llama":    ErrModel.Message,
	} {
		_, err := p.RoundTrip(plugintest.Request(t, `{"model":"`+model+`"}`))
		if e, ok := plugins.AsError(err); !ok || !errors.Is(err, ErrModel) || e.Message != want {
			t.Errorf("%s: %v, want %q", model, err, want)
		}
	}
}
