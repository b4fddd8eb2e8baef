package limit

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/holysheep/relay/plugins"
	"github.com/holysheep/relay/plugins/plugintest"
)

func TestEstimatesThatCanBeNone(t *testing.T) {
	err := Estimate{BytesPerToken: 17, Output: -1, Media: 1_000_001}.validate()
	want := []string{
		"bytes_per_token: 17 is not from 1 to 16",
		"output: -1 is not from 0 to 1000000",
		"media: 1000001 is not from 0 to 1000000",
	}
	if err == nil {
		t.Fatal("no error")
	}
	if diff := cmp.Diff(want, strings.Split(err.Error(), "\n")); diff != "" {
		t.Errorf("problems (-want +got):\n%s", diff)
	}
	for _, good := range []Estimate{estimateDefaults(), {BytesPerToken: 1}, {BytesPerToken: 16, Output: 1_000_000, Media: 1_000_000}} {
		if err := good.validate(); err != nil {
			t.Errorf("%+v: %v", good, err)
		}
	}
}

func TestWhatARequestIsTakenFor(t *testing.T) {
	image := `{"max_tokens":30,"url":"data:image/png;base64,` + strings.Repeat("iVBORw0K", 5000) + `"}`
	hundred := `{"input":"` + strings.Repeat("wool ", 77) + `abc"}` // and 400 bytes
	for _, tt := range []struct {
		name, path, body string
		input, output    int64
	}{
		{"text", "/v1/chat/completions", hundred, 100, 1024},
		{"a bound of the output", "/v1/chat/completions", `{"max_completion_tokens":7}`, 7, 7},
		{"an image", "/v1/messages", image, 1000 + 12, 30},
		{"a completion", "/v1/completions", hundred, 100, 1024},
		{"a response", "/v1/responses", hundred, 100, 1024},
		{"Gemini", "/v1beta/models/gemini-2.5-flash:generateContent", hundred, 100, 1024},
		{"a deployment", "/openai/deployments/gpt-4.1/chat/completions", hundred, 100, 1024},
		{"embeddings have no output", "/v1/embeddings", hundred, 100, 0},
		{"nor has rerank", "/v1/rerank", hundred, 100, 0},
		{"nor moderations", "/v1/moderations", hundred, 100, 0},
		{"counting tokens", "/v1/messages/count_tokens", hundred, 100, 0},
		{"another endpoint", "/v1/images/generations", hundred, 100, 0},
		{"another endpoint that bounds it", "/v1/sheep", `{"max_tokens":9}`, 4, 9},
		{"a file", "/v1/files", hundred, 0, 0},
		{"a file of Azure's", "/openai/v1/files", hundred, 0, 0},
		{"models", "/v1/models", "", 0, 0},
		{"a WebSocket", "/v1/realtime", "", 0, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			req := plugintest.Request(t, tt.body)
			req.URL.Path = tt.path
			input, output := estimateDefaults().of(req, plugins.CallOf(req.Context()))
			if input != tt.input || output != tt.output {
				t.Errorf("taken for %d and %d tokens, want %d and %d", input, output, tt.input, tt.output)
			}
		})
	}
}
