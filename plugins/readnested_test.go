package plugins_test

import (
	"strings"
	"testing"

	"github.com/holysheep/relay/plugins"
)

func TestReadAskUsage(t *testing.T) {
	tests := []struct {
		name, options string // "" leaves stream_options out
		want          bool   // include_usage is true
		can           bool   // it can be added
	}{
		{"none", "", false, true},
		{"null", `null`, false, true},
		{"an empty object", `{}`, false, true},
		{"asked for", `{"x":[1],"include_usage":true}`, true, false},
		{"asked for with escapes", `{"include\u005fusage":true}`, true, false},
		{"not asked for", `{"include_usage":false}`, false, true},
		{"null inside", `{"include_usage":null}`, false, true},
		{"inside of another object", `{"x":{"include_usage":true}}`, false, true},
		{"twice, the last asks", `{"include_usage":false,"include_usage":true}`, true, false},
		{"twice, the last does not", `{"include_usage":true,"include_usage":false}`, false, false},
		{"in another case", `{"Include_Usage":true}`, false, false},
		{"with a NUL", `{"include_usage\u0000":true}`, false, false},
		{"a text", `{"include_usage":"true"}`, false, false},
		{"a list", `[]`, false, false},
		{"a text in place of the object", `"include_usage"`, false, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			options := `,"stream_options":` + tt.options
			if tt.options == "" {
				options = ""
			}
			body := `{"model":"a","stream":true` + options + `,"max_tokens":3}`
			got := read(body)
			if got.IncludeUsage != tt.want || got.CanIncludeUsage() != tt.can {
				t.Errorf("include_usage %t, can be added %t, want %t, %t", got.IncludeUsage, got.CanIncludeUsage(), tt.want, tt.can)
			}
			if doubts(got) != 0 || got.Model != "a" || !got.Stream || got.MaxTokens != 3 {
				t.Errorf("ReadAsk = %+v, want a, true, 3 without doubt", got)
			}
			for _, other := range []string{strings.Replace(body, "true", "false", 1), strings.Replace(body, `"stream":true`, `"stream":1`, 1), body[1:]} {
				if read(other).CanIncludeUsage() {
					t.Errorf("%s: usage can be added", other)
				}
			}
			if plugins.ReadAsk(post("application/json"), []byte(body), false).CanIncludeUsage() {
				t.Error("usage can be added to a body that goes on")
			}
		})
	}
}

func TestReadAskGeneration(t *testing.T) {
	tests := []struct {
		name, config string
		tokens       int64
		want         plugins.Field
	}{
		{"Gemini's spelling", `"generationConfig":{"temperature":0,"maxOutputTokens":5}`, 5, 0},
		{"the spelling of its definition", `"generation_config":{"max_output_tokens":5}`, 5, 0},
		{"none inside", `"generationConfig":{"x":{"maxOutputTokens":5}}`, 0, 0},
		{"null", `"generationConfig":null`, 0, 0},
		{"null inside", `"generationConfig":{"maxOutputTokens":null}`, 0, 0},
		{"the larger of two", `"generationConfig":{"maxOutputTokens":5,"max_output_tokens":6}`, 6, 0},
		{"twice", `"generationConfig":{},"generationConfig":{"maxOutputTokens":5}`, 0, tokens},
		{"twice inside", `"generationConfig":{"maxOutputTokens":5,"maxOutputTokens":5}`, 5, tokens},
		{"in another case", `"generationConfig":{"MaxOutputTokens":5}`, 0, tokens},
		{"a text", `"generationConfig":{"maxOutputTokens":"5"}`, 0, tokens},
		{"a list", `"generationConfig":[5]`, 0, tokens},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := read(`{"contents":[],` + tt.config + `}`)
			if got.MaxTokens != tt.tokens || doubts(got) != tt.want {
				t.Errorf("%d tokens, doubt in %03b, want %d, %03b", got.MaxTokens, doubts(got), tt.tokens, tt.want)
			}
		})
	}
}

// The path wins where Azure or Gemini go by it.
func TestReadAskPaths(t *testing.T) {
	const azure = "POST /openai/deployments/"
	tests := []struct {
		name, line, body string
		model            string
		stream           bool
		want             plugins.Field
	}{
		{"a deployment", azure + "a/chat/completions", `{}`, "a", false, 0},
		{"another in the body", azure + "a/chat/completions", `{"model":"b","stream":true}`, "a", true, 0},
		{"in another case", "POST /openai/Deployments/A/chat/completions", `{"model":"b"}`, "A", false, 0},
		{"two in the body", azure + "a/chat/completions", `{"model":"b","Model":"c","models":[]}`, "a", false, 0},
		{"a body that is not JSON", azure + "a/chat/completions", `{"model":`, "a", false, every &^ model},
		{"an escaped slash", azure + "team%2Fa/chat/completions", `{"model":"team/a"}`, "team/a", false, 0},
		{"an escaped blank", azure + "a%20b/chat/completions", `{}`, "a b", false, 0},
		{"an escaped place", "POST /openai/deployment%73/a/chat/completions", `{"model":"b"}`, "b", false, model},
		{"an escaped slash in front", "POST /openai/deployments%2Fa/chat/completions", `{"model":"b"}`, "b", false, model},
		{"a parameter", azure + "a;b/chat/completions", `{}`, "a;b", false, model},
		{"an escaped question mark", azure + "a%3Fb/chat/completions", `{}`, "a?b", false, model},
		{"escaped twice", azure + "a%252Fb/chat/completions", `{}`, "a%2Fb", false, model},
		{"a deployment under /v1/", "POST /v1/openai/deployments/a/chat/completions", `{"model":"b"}`, "b", false, model},
		{"Azure's newer paths", "POST /openai/v1/chat/completions", `{"model":"b"}`, "b", false, 0},
		{"a stream of Gemini's", "POST /v1beta/models/a:streamGenerateContent", `{}`, "a", true, 0},
		{"a stream in the stable version", "POST /v1/models/a:streamGenerateContent", `{}`, "a", true, 0},
		{"an answer of Gemini's", "POST /v1beta/models/a:generateContent", `{}`, "a", false, 0},
		{"a model with a colon", "POST /v1beta/models/a:b:generateContent", `{}`, "a:b", false, 0},
		{"a colon that is escaped", "POST /v1beta/models/a%3Ab:generateContent", `{}`, "a:b", false, 0},
		{"a verb whose colon is escaped", "POST /v1beta/models/a%3AgenerateContent", `{}`, "a", false, model},
		{"an escaped slash of Gemini's", "POST /v1beta/models/a%2Fb:generateContent", `{}`, "a/b", false, 0},
		{"a tuned model", "POST /v1beta/tunedModels/a:generateContent", `{}`, "tunedModels/a", false, 0},
		{"a resource in the body", "POST /v1beta/models/a:embedContent", `{"model":"models/a"}`, "a", false, 0},
		{"another resource in the body", "POST /v1beta/models/a:embedContent", `{"model":"models/b"}`, "b", false, model},
		{"a resource in the body alone", "POST /v1beta/cachedContents", `{"model":"models/a"}`, "a", false, 0},
		{"a reader", "GET /v1beta/models/a", ``, "", false, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, got := asking(t, tt.line, "application/json", tt.body)
			if got.Model != tt.model || got.Stream != tt.stream || doubts(got) != tt.want {
				t.Errorf("model %q, stream %t, doubt in %03b, want %q, %t, %03b", got.Model, got.Stream, doubts(got), tt.model, tt.stream, tt.want)
			}
		})
	}
}
