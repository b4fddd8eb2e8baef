package plugins

import (
	"net/http"
	"strings"
	"testing"
)

func TestTheModelInAPath(t *testing.T) {
	tests := []struct {
		name, line, body string
		model            string
		doubt            bool
	}{
		{"Gemini's form", "POST /v1/models/gemini-2.5-flash:generateContent", `{"contents":[]}`, "gemini-2.5-flash", false},
		{"a model with a colon", "POST /v1/models/ft:gpt:x:generate", `{}`, "ft:gpt:x", false},
		{"without a verb", "POST /v1/models/claude", `{}`, "claude", false},
		{"an engine", "POST /v1/engines/davinci/completions", `{}`, "davinci", false},
		{"a deployment", "POST /v1/openai/deployments/gpt-4o/chat/completions", `{}`, "gpt-4o", false},
		{"the same in the body", "POST /v1/engines/davinci/completions", `{"model":"davinci"}`, "davinci", false},
		{"another in the body", "POST /v1/models/claude:generateContent", `{"model":"gpt-4o"}`, "gpt-4o", true},
		{"no body at all", "POST /v1/models/claude:generateContent", ``, "claude", false},
		{"a reader", "GET /v1/models/claude", ``, "", false},
		{"the list", "POST /v1/models", `{"model":"gpt-4o"}`, "gpt-4o", false},
		{"an ordinary path", "POST /v1/chat/completions", `{"model":"gpt-4o"}`, "gpt-4o", false},
		{"models to fall back on", "POST /v1/chat/completions", `{"model":"gpt-4o","models":["claude"]}`, "gpt-4o", true},
		{"the same in another case", "POST /v1/chat/completions", `{"model":"gpt-4o","Models":["claude"]}`, "gpt-4o", true},
		{"no models to fall back on", "POST /v1/chat/completions", `{"model":"gpt-4o","models":null}`, "gpt-4o", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			method, url, _ := strings.Cut(tt.line, " ")
			req, err := http.NewRequest(method, url, nil)
			if err != nil {
				t.Fatal(err)
			}
			ask := ReadAsk(req, []byte(tt.body), true)
			if doubt := ask.Doubt(FieldModel) != nil; ask.Model != tt.model || doubt != tt.doubt {
				t.Errorf("model %q, doubt %v, want %q, %t", ask.Model, ask.Doubt(FieldModel), tt.model, tt.doubt)
			}
		})
	}
}
