package plugins_test

import (
	"io"
	"testing"

	"github.com/holysheep/relay/plugins"
)

func TestRewriteURL(t *testing.T) {
	const azure = "POST /openai/deployments/"
	tests := []struct {
		name, line, body string
		model            string
		url              string // of the copy, escaped
		want             string // the body
	}{
		{"a deployment", azure + "a/chat/completions?api-version=1", `{"x":1}`, "b", "/openai/deployments/b/chat/completions?api-version=1", `{"x":1}`},
		{"a deployment and the body", azure + "a/chat/completions", `{"model":"a"}`, "b", "/openai/deployments/b/chat/completions", `{"model":"b"}`},
		{"a deployment and another in the body", azure + "a/chat/completions", `{"model":"c"}`, "b", "/openai/deployments/b/chat/completions", `{"model":"b"}`},
		{"a deployment and two in the body", azure + "a/chat/completions", `{"model":"c","model":"d"}`, "b", "/openai/deployments/b/chat/completions", `{"model":"c","model":"d"}`},
		{"a slash for a deployment", azure + "a/chat/completions", `{}`, "x/y z", "/openai/deployments/x%2Fy%20z/chat/completions", `{}`},
		{"a slash in a deployment", azure + "x%2Fy/chat/completions", `{"model":"x/y"}`, "b", "/openai/deployments/b/chat/completions", `{"model":"b"}`},
		{"escapes around it", "POST /v1/x%2Fy/deployments/a/%C3%A9", `{}`, "b", "/v1/x%2Fy/deployments/b/%C3%A9", `{}`},
		{"an engine", "POST /v1/engines/a/completions", `{"model":"a"}`, "b", "/v1/engines/b/completions", `{"model":"b"}`},
		{"Gemini's form", "POST /v1beta/models/a:generateContent", `{"contents":[]}`, "b", "/v1beta/models/b:generateContent", `{"contents":[]}`},
		{"Gemini's form in the stable version", "POST /v1/models/a:b:generateContent", `{}`, "c:d", "/v1/models/c:d:generateContent", `{}`},
		{"a tuned model", "POST /v1beta/tunedModels/a:generateContent", `{}`, "b", "/v1beta/models/b:generateContent", `{}`},
		{"to a tuned model", "POST /v1beta/models/a:generateContent", `{}`, "tunedModels/b", "/v1beta/tunedModels/b:generateContent", `{}`},
		{"a resource in the body", "POST /v1beta/models/a:embedContent", `{"model":"models/a"}`, "b", "/v1beta/models/b:embedContent", `{"model":"models/b"}`},
		{"a resource in the body alone", "POST /v1beta/cachedContents", `{"model":"models/a"}`, "tunedModels/b", "/v1beta/cachedContents", `{"model":"tunedModels/b"}`},
		{"a query", "GET /v1/realtime?xmodel=a&mod%65l=a&z=%zz", ``, "b c", "/v1/realtime?xmodel=a&mod%65l=b+c&z=%zz", ``},
		{"a query and a body", "POST /v1/x?model=a&y", `{"model":"a"}`, "b", "/v1/x?model=b&y", `{"model":"b"}`},
		{"a model that is read", "GET /v1/models/a", ``, "b", "/v1/models/a", ``},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			req, ask := asking(t, tt.line, jsonType, tt.body)
			before := *req.URL
			out, err := ask.Rewrite(req, plugins.Edit{Model: tt.model})
			if err != nil {
				t.Fatal(err)
			}
			body, err := io.ReadAll(out.Body)
			if out.URL.String() != tt.url || string(body) != tt.want || err != nil {
				t.Errorf("%s %s, %v, want %s %s", out.URL, body, err, tt.url, tt.want)
			}
			if *req.URL != before {
				t.Errorf("the request itself was changed: %s", req.URL)
			}
			if again := plugins.ReadAsk(out, body, true); ask.Model != "" && again.Model != tt.model {
				t.Errorf("the copy asks for %q, want %q", again.Model, tt.model)
			}
		})
	}
}
