package upstream

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/holysheep/relay/internal/wire"
	"github.com/holysheep/relay/plugins"
	"github.com/holysheep/relay/plugins/plugintest"
)

// The upstream sees its own name of the model on every wire, whichever place
// the wire has for it, and nothing else is changed.
func TestTheModelIsRewrittenOnEveryWire(t *testing.T) {
	tests := []struct{ name, path, body, wantPath, wantBody string }{
		{
			"openai", "/v1/chat/completions?b=%zz", `{"n": 1.0, "model" : "gpt-4.1","x":"gpt-4.1"}`,
			"/base/chat/completions?b=%zz", `{"n": 1.0, "model" : "openai/gpt-4.1","x":"gpt-4.1"}`,
		},
		{"anthropic", "/v1/messages", `{"model":"gpt-4.1"}`, "/base/messages", `{"model":"openai/gpt-4.1"}`},
		{
			"gemini", "/v1beta/models/gpt-4.1:generateContent", `{"contents":[]}`,
			"/base/models/openai%2Fgpt-4.1:generateContent", `{"contents":[]}`,
		},
		{
			"azure", "/openai/deployments/gpt-4.1/chat/completions?api-version=1", `{"messages":[]}`,
			"/base/deployments/openai%2Fgpt-4.1/chat/completions?api-version=1", `{"messages":[]}`,
		},
		{"another model", "/v1/chat/completions", `{"model":"o3"}`, "/base/chat/completions", `{"model":"o3"}`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var path, body string
			up := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
				text, _ := io.ReadAll(r.Body)
				path, body = r.RequestURI, string(text)
			}))
			defer up.Close()
			p := newPool(t, nil, map[string]Settings{"one": settings(up.URL+"/base", func(s *Settings) {
				s.Wires, s.Rewrite = wire.Names(), map[string]string{"gpt-4.1": "openai/gpt-4.1"}
			})})
			req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, tt.path, strings.NewReader(tt.body))
			if err != nil {
				t.Fatal(err)
			}
			req.Header.Set("Content-Type", "application/json")
			call := plugins.NewCall("", func() plugins.Ask { return plugins.ReadAsk(req, []byte(tt.body), true) })
			res, err := p.RoundTrip(req.WithContext(plugins.WithCall(req.Context(), call)))
			if err != nil {
				t.Fatal(err)
			}
			_ = res.Body.Close()
			if path != tt.wantPath || body != tt.wantBody {
				t.Errorf("the upstream got %s of %s, want %s of %s", body, path, tt.wantBody, tt.wantPath)
			}
		})
	}
}

// An edit that cannot be made is the request's fault, and nothing is sent.
func TestAModelInDoubtIsNotRewritten(t *testing.T) {
	p := newPool(t, nil, map[string]Settings{"one": settings("http://127.0.0.1:1", func(s *Settings) {
		s.Rewrite = map[string]string{"gpt-4.1": "openai/gpt-4.1"}
	})})
	attempt := &plugins.Attempt{}
	req := plugintest.Request(t, `{"model":"gpt-4.1","model":"o3"}`)
	_, err := p.RoundTrip(req.WithContext(plugins.WithAttempt(req.Context(), attempt)))
	if e, ok := plugins.AsError(err); !ok || e.Code != plugins.ErrAmbiguousBody.Code || !attempt.Unsent() {
		t.Errorf("err = %v, want %v and nothing sent", err, plugins.ErrAmbiguousBody)
	}
}
