package upstream

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/holysheep/relay/internal/wire"
	"github.com/holysheep/relay/plugins"
	"github.com/holysheep/relay/plugins/plugintest"
)

func TestTheBaseURLStandsInPlaceOfThePrefix(t *testing.T) {
	for name, path := range paths() {
		t.Run(string(name), func(t *testing.T) {
			var got string
			up := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { got = r.RequestURI }))
			defer up.Close()
			p := newPool(t, nil, map[string]Settings{"one": settings(up.URL+"/base/", func(s *Settings) { s.Wires = wire.Names() })})
			req := plugintest.Request(t, "{}")
			req.URL, _ = req.URL.Parse(path[0])
			res, err := p.RoundTrip(req)
			if err != nil {
				t.Fatal(err)
			}
			_ = res.Body.Close()
			if got != path[1] {
				t.Errorf("asked for %q, want %q", got, path[1])
			}
			if res.Request != req {
				t.Errorf("the answer is to another request, which may hold the key: %v", res.Request.URL)
			}
		})
	}
}

func TestHeadersOfTheSettingsStandInPlaceOfTheClients(t *testing.T) {
	var got http.Header
	up := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { got = r.Header }))
	defer up.Close()
	p := newPool(t, nil, map[string]Settings{"one": settings(up.URL, func(s *Settings) {
		s.Headers = map[string]string{"HTTP-Referer": "https://relay.example", "x-title": "relay"}
	})})
	req := plugintest.Request(t, "{}")
	req.Header.Add("X-Title", "mine")
	req.Header.Add("X-Title", "mine too")
	req.Header.Set("X-Other", "stays")
	req.Header.Set("X-Relay-Fallback", "off")
	res, err := p.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	_ = res.Body.Close()
	for name, want := range map[string][]string{
		"Http-Referer": {"https://relay.example"}, "X-Title": {"relay"}, "X-Other": {"stays"}, "X-Relay-Fallback": nil,
	} {
		if diff := cmp.Diff(want, got[name]); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
	if len(req.Header["X-Title"]) != 2 {
		t.Errorf("the chain's own request was changed: %q", req.Header)
	}
}

func TestTheUpstreamGetsTheModelByItsOwnName(t *testing.T) {
	rewrite := map[string]string{"gpt-4.1": "openai/gpt-4.1"}
	tests := []struct {
		name, asked, model string // what the client asks for, and what the pool chose
		want               plugins.Edit
	}{
		{"a model of another name here", "gpt-4.1", "gpt-4.1", plugins.Edit{Model: "openai/gpt-4.1"}},
		{"a model of the same name", "gpt-4.1-mini", "gpt-4.1-mini", plugins.Edit{}},
		{"a fallback", "claude", "deepseek", plugins.Edit{Model: "deepseek"}},
		{"a fallback of another name here", "claude", "gpt-4.1", plugins.Edit{Model: "openai/gpt-4.1"}},
		{"a model that nobody cares for", "gpt-4.1", "", plugins.Edit{}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			req := plugintest.Request(t, `{"model":"`+tt.asked+`"}`)
			a := &asking{member: &member{set: Settings{Rewrite: rewrite}}, model: tt.model, call: plugins.CallOf(req.Context())}
			if got := a.changes(req); got != tt.want {
				t.Errorf("changes are %+v, want %+v", got, tt.want)
			}
		})
	}
}

func TestAModelWithAnotherNameIsServed(t *testing.T) {
	p := newPool(t, nil, map[string]Settings{
		"a": settings("http://x/v1", func(s *Settings) { s.Models = []string{"claude-*"} }),
		"b": settings("http://x/v1", func(s *Settings) {
			s.Models, s.Rewrite = []string{"o3"}, map[string]string{"gpt-4.1": "openai/gpt-4.1"}
		}),
	})
	if m, err := pick(p, asked(t, "gpt-4.1")); err != nil || m.name != "b" {
		t.Errorf("picked %v, %v, want b", m, err)
	}
}
