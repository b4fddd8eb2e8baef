package wire

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/openai/openai-go/v3/packages/ssestream"

	"github.com/holysheep/relay/internal/sse"
)

func TestProblems(t *testing.T) {
	p := Problem{Status: 429, Type: "rate_limit_error", Code: "too_many", Message: `wait <a> "bit"`}
	const text = `wait \u003ca\u003e \"bit\"`
	const openAI = `{"error":{"message":"` + text + `","type":"rate_limit_error","param":null,"code":"too_many"}}`
	const anthropic = `{"type":"error","error":{"type":"rate_limit_error","message":"` + text + `","code":"too_many"}}`
	const gemini = `{"error":{"code":429,"message":"` + text + `","status":"RESOURCE_EXHAUSTED","reason":"too_many"}}`
	tests := []struct{ path, body, event string }{
		{"/v1/chat/completions", openAI, "data: " + openAI + "\n\n"},
		{"/v1/files", openAI, "data: " + openAI + "\n\n"},
		{"/openai/deployments/d/chat/completions", openAI, "data: " + openAI + "\n\n"},
		{"/nowhere", openAI, "data: " + openAI + "\n\n"},
		{
			"/v1/responses", openAI,
			"event: error\n" + `data: {"type":"error","code":"too_many","message":"` + text + `","param":null,"sequence_number":0,` + openAI[1:] + "\n\n",
		},
		{"/v1/messages", anthropic, "event: error\ndata: " + anthropic + "\n\n"},
		{"/v1beta/models/m:generateContent", gemini, "data: " + gemini + "\n\n"},
	}
	for _, tt := range tests {
		t.Run(tt.path, func(t *testing.T) {
			r, _ := Of(tt.path)
			if got := string(r.Body(p)); got != tt.body || !json.Valid([]byte(got)) {
				t.Errorf("body = %s, want %s", got, tt.body)
			}
			if got := string(r.Event(p)); got != tt.event {
				t.Errorf("event = %q, want %q", got, tt.event)
			}
		})
	}
}

func TestAProblemOfOursMeansFailure(t *testing.T) {
	for _, path := range []string{"/v1/chat/completions", "/v1/completions", "/v1/responses", "/v1/messages", "/v1beta/models/m:generateContent", "/v1/embeddings"} {
		r, _ := Of(path)
		e, err := sse.NewReader(bytes.NewReader(r.Event(Problem{Status: 504, Type: "upstream_error", Code: "too_slow", Message: "x"}))).Next()
		if got := r.Meaning(e.Name, e.Data); got != Failure || err != nil {
			t.Errorf("%s: means %d, %v, want %d", path, got, err, Failure)
		}
	}
}

func TestOpenAIsSDKTakesAProblemForAnError(t *testing.T) {
	for _, path := range []string{"/v1/chat/completions", "/v1/responses"} {
		r, _ := Of(path)
		body := "data: {}\n\n" + string(r.Event(Problem{Status: 502, Code: "broken_off", Message: "x"}))
		res := &http.Response{Header: http.Header{"Content-Type": {"text/event-stream"}}, Body: io.NopCloser(strings.NewReader(body))}
		s := ssestream.NewStream[map[string]any](ssestream.NewDecoder(res), nil)
		if !s.Next() || s.Next() || s.Err() == nil || !strings.Contains(s.Err().Error(), "broken_off") {
			t.Errorf("%s: err = %v, want the code in it", path, s.Err())
		}
	}
}

func TestTypesAndStatuses(t *testing.T) {
	tests := []struct {
		status            int
		anthropic, gemini string
	}{
		{400, "invalid_request_error", "INVALID_ARGUMENT"},
		{401, "authentication_error", "UNAUTHENTICATED"},
		{402, "billing_error", "INVALID_ARGUMENT"},
		{403, "permission_error", "PERMISSION_DENIED"},
		{404, "not_found_error", "NOT_FOUND"},
		{408, "timeout_error", "DEADLINE_EXCEEDED"},
		{409, "invalid_request_error", "ABORTED"},
		{413, "request_too_large", "INVALID_ARGUMENT"},
		{429, "rate_limit_error", "RESOURCE_EXHAUSTED"},
		{499, "invalid_request_error", "CANCELLED"},
		{500, "api_error", "INTERNAL"},
		{501, "api_error", "UNIMPLEMENTED"},
		{502, "api_error", "UNAVAILABLE"},
		{503, "overloaded_error", "UNAVAILABLE"},
		{504, "timeout_error", "DEADLINE_EXCEEDED"},
		{529, "overloaded_error", "INTERNAL"},
	}
	for _, tt := range tests {
		p := Problem{Status: tt.status}
		if p.anthropic() != tt.anthropic || p.gemini() != tt.gemini {
			t.Errorf("%d: %s and %s, want %s and %s", tt.status, p.anthropic(), p.gemini(), tt.anthropic, tt.gemini)
		}
	}
}
