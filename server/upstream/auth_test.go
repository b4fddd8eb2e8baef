package upstream

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/holysheep/relay/internal/wire"
	"github.com/holysheep/relay/plugins/plugintest"
)

// paths are one of each wire, and what it is where the base URL ends in /base.
func paths() map[wire.Name][2]string {
	return map[wire.Name][2]string{
		wire.OpenAI:    {"/v1/chat/completions?b=%zz", "/base/chat/completions?b=%zz"},
		wire.Anthropic: {"/v1/messages/count_tokens", "/base/messages/count_tokens"},
		wire.Gemini:    {"/v1beta/models/gemini%2Fpro:generateContent", "/base/models/gemini%2Fpro:generateContent"},
		wire.Azure:     {"/openai/deployments/gpt%204/chat/completions?api-version=1", "/base/deployments/gpt%204/chat/completions?api-version=1"},
	}
}

// place tells where in a request the key stands: all places that there are.
func place(r *http.Request, key string) []string {
	var found []string
	for _, name := range []string{"Authorization", "X-Api-Key", "Api-Key", "X-Goog-Api-Key"} {
		for _, value := range r.Header[name] {
			found = append(found, name+": "+value)
		}
	}
	if r.URL.Query().Get("key") == key {
		found = append(found, "key in the query")
	}
	return found
}

func TestTheKeyStandsWhereTheUpstreamLooksForIt(t *testing.T) {
	native := map[wire.Name]string{
		wire.OpenAI: "Authorization: Bearer k+1", wire.Anthropic: "X-Api-Key: k+1",
		wire.Gemini: "X-Goog-Api-Key: k+1", wire.Azure: "Api-Key: k+1",
	}
	all := func(want string) map[wire.Name]string {
		return map[wire.Name]string{wire.OpenAI: want, wire.Anthropic: want, wire.Gemini: want, wire.Azure: want}
	}
	tests := []struct {
		auth  string
		wires []wire.Name
		want  map[wire.Name]string
	}{
		{"", nil, all("Authorization: Bearer k+1")},
		{"", wire.Names(), native},
		{authBearer, wire.Names(), all("Authorization: Bearer k+1")},
		{authAnthropic, wire.Names(), all("X-Api-Key: k+1")},
		{authAzure, wire.Names(), all("Api-Key: k+1")},
		{authGemini, wire.Names(), all("X-Goog-Api-Key: k+1")},
		{authQuery, wire.Names(), all("key in the query")},
		{authQuery, nil, all("key in the query")},
		{authNone, wire.Names(), all("")},
	}
	for _, tt := range tests {
		for name, path := range paths() {
			t.Run(fmt.Sprintf("auth %q of %v asked by %s", tt.auth, tt.wires, name), func(t *testing.T) {
				var got []string
				up := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { got = place(r, "k+1") }))
				defer up.Close()
				p := newPool(t, map[string]string{"KEY": "k+1"}, map[string]Settings{
					"one": settings(up.URL+"/base", func(s *Settings) {
						if s.Auth, s.Wires = tt.auth, tt.wires; tt.auth != authNone {
							s.APIKeyEnv = "KEY"
						}
					}),
				})
				m := p.members[0]
				a := &asking{Pool: p, member: m, key: m.keys.all[0]}
				req := plugintest.Request(t, "{}")
				req.URL, _ = req.URL.Parse(path[0])
				a.route, _ = wire.Of(req.URL.EscapedPath())
				res, err := a.exchange(req)
				if err != nil {
					t.Fatal(err)
				}
				_ = res.Body.Close()
				var want []string
				if tt.want[name] != "" {
					want = []string{tt.want[name]}
				}
				if diff := cmp.Diff(want, got); diff != "" {
					t.Errorf("the key stands in (-want +got):\n%s", diff)
				}
			})
		}
	}
}
