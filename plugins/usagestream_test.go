package plugins

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// An eventsTest is a stream, of which each event is data, or a name, a space and data.
type eventsTest struct {
	name, path string
	events     []string
	whole      bool
	want       Usage
}

func (tt eventsTest) run(t *testing.T) {
	u := readerOf(tt.path, question)
	for _, e := range tt.events {
		name := ""
		if e[0] != '{' && e[0] != '[' {
			name, e, _ = strings.Cut(e, " ")
		}
		u.Event(name, []byte(e))
	}
	if diff := cmp.Diff(tt.want, u.Usage(tt.whole)); diff != "" {
		t.Errorf("usage (-want +got):\n%s", diff)
	}
}

func TestUsageOfStreamsOfOpenAI(t *testing.T) {
	const (
		role   = `{"model":"m","choices":[{"delta":{"role":"assistant","content":""}}],"usage":null}`
		a      = `{"model":"m","choices":[{"delta":{"content":"a"},"finish_reason":null}],"usage":null}`
		stop   = `{"model":"m","choices":[{"delta":{},"finish_reason":"stop"}],"usage":null}`
		usage  = `{"model":"m","choices":[],"usage":{"prompt_tokens":9,"completion_tokens":12}}`
		so     = `{"model":"m","choices":[{"delta":{"content":"a"},"finish_reason":null}],"usage":{"prompt_tokens":9,"completion_tokens":4}}`
		before = `{"model":"m","choices":[{"delta":{"role":"assistant"}}],"usage":{"prompt_tokens":9,"completion_tokens":0}}`
		both   = `{"model":"m","choices":[{"delta":{},"finish_reason":"stop"}],"usage":{"prompt_tokens":9,"completion_tokens":7}}`
		done   = `[DONE]`
		fails  = `{"error":{"message":"x"}}`

		created   = `response.created {"response":{"model":"m","usage":null}}`
		text      = `response.output_text.delta {"delta":"the \"usage\" of wool"}`
		completed = `response.completed {"response":{"model":"m","usage":{"input_tokens":9,"output_tokens":12}}}`
		failed    = `response.failed {"response":{"model":"m","usage":{"input_tokens":9,"output_tokens":2}}}`
	)
	for _, tt := range []eventsTest{
		{"with usage", "/v1/chat/completions", []string{role, a, a, stop, usage, done}, true, Usage{Input: 9, Output: 12, Model: "m", Source: UsageReported}},
		{"left behind usage", "/v1/chat/completions", []string{role, a, a, stop, usage}, false, Usage{Input: 9, Output: 12, Model: "m", Source: UsageReported}},
		{"without usage", "/v1/chat/completions", []string{role, a, a, stop, done}, true, Usage{Input: 10, Output: 3, Model: "m", Source: UsageEstimated}},
		{"left behind the end", "/v1/chat/completions", []string{role, a, a, stop, done}, false, Usage{Input: 10, Output: 3, Model: "m", Source: UsageEstimated}},
		{"broken off", "/v1/chat/completions", []string{role, a, a}, false, Usage{Input: 10, Output: 2, Model: "m", Source: UsagePartial}},
		{"usage so far, broken off", "/v1/chat/completions", []string{before, so}, false, Usage{Input: 9, Output: 4, Model: "m", Source: UsagePartial}},
		{"usage so far, less than there was", "/v1/chat/completions", []string{before, a, a}, false, Usage{Input: 9, Output: 2, Model: "m", Source: UsagePartial}},
		{"usage with the finish", "/v1/chat/completions", []string{a, so, both}, false, Usage{Input: 9, Output: 7, Model: "m", Source: UsageReported}},
		{"an error behind content", "/v1/chat/completions", []string{role, a, fails}, true, Usage{Input: 10, Output: 1, Model: "m", Source: UsagePartial}},
		{"an error first", "/v1/chat/completions", []string{role, fails}, true, Usage{Model: "m"}},
		{"responses", "/v1/responses", []string{created, text, completed}, true, Usage{Input: 9, Output: 12, Model: "m", Source: UsageReported}},
		{"responses without an end", "/v1/responses", []string{created, text}, false, Usage{Input: 10, Output: 1, Model: "m", Source: UsagePartial}},
		{"a response that failed", "/v1/responses", []string{created, text, failed}, true, Usage{Input: 9, Output: 2, Model: "m", Source: UsageReported}},
	} {
		t.Run(tt.name, tt.run)
	}
}

func TestUsageOfOtherStreams(t *testing.T) {
	const (
		start = `message_start {"type":"message_start","message":{"model":"c","usage":{"input_tokens":5,"cache_read_input_tokens":30,"cache_creation_input_tokens":0,"output_tokens":1}}}`
		text  = `content_block_delta {"type":"content_block_delta","delta":{"text":"a"}}`
		delta = `message_delta {"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":15}}`
		stop  = `message_stop {"type":"message_stop"}`

		first = `{"candidates":[{"content":{"parts":[{"text":"a"}]}}],"usageMetadata":{"promptTokenCount":5,"totalTokenCount":5},"modelVersion":"g"}`
		last  = `{"candidates":[{"content":{"parts":[{"text":"b"}]},"finishReason":"STOP"}],"usageMetadata":{"promptTokenCount":5,"candidatesTokenCount":3,"thoughtsTokenCount":2,"totalTokenCount":10},"modelVersion":"g"}`

		messages, gemini = "/v1/messages", "/v1beta/models/m:streamGenerateContent"
	)
	for _, tt := range []eventsTest{
		{"messages", messages, []string{start, text, delta, stop}, true, Usage{Input: 35, Output: 15, Cached: 30, Model: "c", Source: UsageReported}},
		{"messages, left behind the usage", messages, []string{start, text, delta}, false, Usage{Input: 35, Output: 15, Cached: 30, Model: "c", Source: UsageReported}},
		{"messages, broken off", messages, []string{start, text, text}, false, Usage{Input: 35, Output: 2, Cached: 30, Model: "c", Source: UsagePartial}},
		{"Gemini", gemini, []string{first, last}, true, Usage{Input: 5, Output: 5, Reasoning: 2, Model: "g", Source: UsageReported}},
		{"Gemini, left behind the finish", gemini, []string{first, last}, false, Usage{Input: 5, Output: 5, Reasoning: 2, Model: "g", Source: UsageReported}},
		{"Gemini, broken off", gemini, []string{first}, false, Usage{Input: 5, Output: 1, Model: "g", Source: UsagePartial}},
	} {
		t.Run(tt.name, tt.run)
	}
}

func TestUsageOfAnEventInParts(t *testing.T) {
	u := readerOf("/v1/responses", question)
	u.Event("response.output_text.delta", []byte(`{"delta":"a"}`))
	data := `{"response":{"instructions":"` + strings.Repeat("wool ", 40_000) + `","model":"m","usage":{"input_tokens":9,"output_tokens":12}}}`
	u.EventPart([]byte(data[:65536]), false)
	u.EventPart([]byte(data[65536:]), true)
	if diff := cmp.Diff(Usage{Input: 9, Output: 12, Model: "m", Source: UsageReported}, u.Usage(false)); diff != "" {
		t.Errorf("usage (-want +got):\n%s", diff)
	}
}
