package wire

import "testing"

// A meant event is an event and its meaning.
type meant struct {
	name, event, data string
	want              Meaning
}

func (m meant) run(t *testing.T, path string) {
	t.Helper()
	r, _ := Of(path)
	if got := r.Meaning(m.event, []byte(m.data)); got != m.want {
		t.Errorf("%s: event %q %s means %d, want %d", m.name, m.event, m.data, got, m.want)
	}
}

// delta returns a chunk of a chat with a choice that has this delta.
func delta(members string) string {
	return `{"id":"x","object":"chat.completion.chunk","choices":[{"index":0,"delta":{` + members + `},"logprobs":null,"finish_reason":null}],"usage":null}`
}

func TestChunksOfAChat(t *testing.T) {
	for _, tt := range []meant{
		{"a role", "", delta(`"role":"assistant","content":""`), Silent},
		{"a role without content", "", delta(`"role":"assistant","content":null,"refusal":null,"tool_calls":[]`), Silent},
		{"nothing", "", delta(``), Silent},
		{"an empty reasoning", "", delta(`"reasoning_content":"","reasoning_details":[]`), Silent},
		{"content", "", delta(`"content":" a"`), Content},
		{"white space", "", delta(`"content":"\n"`), Content},
		{"a refusal", "", delta(`"refusal":"no"`), Content},
		{"a call of a tool", "", delta(`"tool_calls":[{"index":0}]`), Content},
		{"a call of a function", "", delta(`"function_call":{"name":"f"}`), Content},
		{"reasoning", "", delta(`"reasoning":"hm"`), Content},
		{"reasoning by another name", "", delta(`"reasoning_content":"hm"`), Content},
		{"reasoning in parts", "", delta(`"reasoning_details":[{"text":"hm"}]`), Content},
		{"audio", "", delta(`"audio":{"id":"a"}`), Content},
		{"what may come yet", "", delta(`"smell":"wool"`), Content},
		{"text", "", `{"choices":[{"text":"a","index":0,"finish_reason":null}]}`, Content},
		{"no text", "", `{"choices":[{"text":"","index":0,"finish_reason":null}]}`, Silent},
		{"a finish", "", `{"choices":[{"delta":{},"finish_reason":"stop"}]}`, Content},
		{"the second choice", "", `{"choices":[{"delta":{}},{"delta":{"content":"a"}}]}`, Content},
		{"usage alone", "", `{"choices":[],"usage":{"prompt_tokens":1}}`, Silent},
		{"usage without choices", "", `{"usage":{"prompt_tokens":1}}`, Silent},
		{"what Azure found in the question", "", `{"choices":[],"prompt_filter_results":[{}]}`, Silent},
		{"an error", "", `{"error":{"message":"x"}}`, Failure},
		{"an error behind a choice", "", `{"choices":[{"delta":{"content":""},"finish_reason":"error"}],"error":{"code":502}}`, Failure},
		{"no error", "", `{"error":null,"choices":[{"delta":{"content":"a"}}]}`, Content},
		{"an error by name", "error", `{"message":"x"}`, Failure},
		{"an error by name alone", "error", ``, Failure},
		{"the end", "", ` [DONE] `, End},
		{"a comment", "", ``, Silent},
		{"a ping", "ping", `{}`, Silent},
		{"a ping by type", "", `{"type":"ping"}`, Silent},
		{"not JSON", "", `hello`, Content},
		{"another object", "", `{"a":1}`, Content},
	} {
		tt.run(t, "/v1/chat/completions")
		tt.run(t, "/openai/deployments/d/chat/completions")
	}
}

func TestEventsOfResponses(t *testing.T) {
	for _, tt := range []meant{
		{"created", "response.created", `{"type":"response.created","response":{"error":null}}`, Silent},
		{"created, without an event line", "", `{"type":"response.created"}`, Silent},
		{"in progress", "response.in_progress", `{}`, Silent},
		{"queued", "response.queued", `{}`, Silent},
		{"an item begins", "response.output_item.added", `{}`, Silent},
		{"a part begins", "response.content_part.added", `{}`, Silent},
		{"a summary begins", "response.reasoning_summary_part.added", `{}`, Silent},
		{"a delta", "response.output_text.delta", `{"delta":"a"}`, Content},
		{"a delta, without an event line", "", `{"type":"response.output_text.delta"}`, Content},
		{"the end of an item", "response.output_item.done", `{}`, Content},
		{"what may come yet", "response.wool.shorn", `{}`, Content},
		{"completed", "response.completed", `{}`, End},
		{"incomplete", "response.incomplete", `{}`, End},
		{"the end of a relay", "", `[DONE]`, End},
		{"failed", "response.failed", `{}`, Failure},
		{"an error", "error", `{"type":"error"}`, Failure},
		{"an error, without an event line", "", `{"type":"error"}`, Failure},
		{"an error in the form of chats", "", `{"error":{"message":"x"}}`, Failure},
	} {
		tt.run(t, "/v1/responses")
	}
}

func TestEventsOfMessages(t *testing.T) {
	for _, tt := range []meant{
		{"the beginning", "message_start", `{"type":"message_start","message":{}}`, Silent},
		{"the beginning, without an event line", "", `{"type":"message_start"}`, Silent},
		{"a ping", "ping", `{"type":"ping"}`, Silent},
		{"a text begins", "content_block_start", `{"index":0,"content_block":{"type":"text","text":""}}`, Silent},
		{"thinking begins", "content_block_start", `{"index":0,"content_block":{"type":"thinking","thinking":"","signature":""}}`, Silent},
		{"a text begins with text", "content_block_start", `{"content_block":{"type":"text","text":"a"}}`, Content},
		{"a tool is called", "content_block_start", `{"content_block":{"type":"tool_use","name":"f","input":{}}}`, Content},
		{"a block ends", "content_block_stop", `{"index":0}`, Silent},
		{"a delta", "content_block_delta", `{"delta":{"type":"text_delta","text":"a"}}`, Content},
		{"a finish", "message_delta", `{"delta":{"stop_reason":"end_turn"}}`, Content},
		{"the end", "message_stop", `{"type":"message_stop"}`, End},
		{"an error", "error", `{"type":"error"}`, Failure},
		{"an error, without an event line", "", `{"type":"error","error":{}}`, Failure},
		{"an error without a type", "", `{"error":{"message":"x"}}`, Failure},
		{"what may come yet", "message_wool", `{}`, Content},
	} {
		tt.run(t, "/v1/messages")
	}
}

func TestChunksOfGemini(t *testing.T) {
	for _, tt := range []meant{
		{"a text", "", `{"candidates":[{"content":{"parts":[{"text":"a"}],"role":"model"}}]}`, Content},
		{"an empty text", "", `{"candidates":[{"content":{"parts":[{"text":""}],"role":"model"}}]}`, Silent},
		{"no part", "", `{"candidates":[{"content":{"role":"model"}}],"usageMetadata":{}}`, Silent},
		{"a finish", "", `{"candidates":[{"content":{"parts":[{"text":""}]},"finishReason":"STOP"}]}`, Content},
		{"a blocked question", "", `{"promptFeedback":{"blockReason":"SAFETY"}}`, Content},
		{"usage", "", `{"usageMetadata":{"promptTokenCount":1},"modelVersion":"x"}`, Silent},
		{"an error", "", `{"error":{"code":503}}`, Failure},
		{"what may come yet", "", `{"wool":1}`, Content},
	} {
		tt.run(t, "/v1beta/models/m:streamGenerateContent")
	}
}

func TestEventsOfOtherRoutes(t *testing.T) {
	for _, tt := range []meant{
		{"anything", "x", `{"a":1}`, Content},
		{"an error", "", `{"error":{"message":"x"}}`, Failure},
	} {
		tt.run(t, "/v1/embeddings")
	}
}

func TestMeaningNeedsNoMemory(t *testing.T) {
	r, _ := Of("/v1/chat/completions")
	data := []byte(delta(`"content":"a"`))
	if got := testing.AllocsPerRun(100, func() { _ = r.Meaning("", data) }); got != 0 {
		t.Errorf("%v allocations, want none", got)
	}
}

// FuzzMeaning holds that an event that is no JSON object, or is none of the wire's,
// is never held back.
func FuzzMeaning(f *testing.F) {
	f.Add("", []byte(delta(`"content":"a"`)))
	f.Add("message_start", []byte(`{"type":"message_start","message":{"usage":{"input_tokens":1}}}`))
	f.Add("", []byte(`{"candidates":[{"content":{"parts":[{"text":"a"}]}}],"error":null}`))
	paths := []string{"/v1/chat/completions", "/v1/responses", "/v1/messages", "/v1beta/models/m:streamGenerateContent", "/v1/embeddings"}
	f.Fuzz(func(t *testing.T, name string, data []byte) {
		for _, path := range paths {
			r, _ := Of(path)
			if m := r.Meaning(name, data); m == Silent && name == "x" && len(data) > 0 && data[0] != '{' && data[0] > ' ' {
				t.Errorf("%s: %q is silent", path, data)
			}
			if status, _ := r.Passes(name, data); status < 400 || status > 599 {
				t.Errorf("%s: status %d of %q", path, status, data)
			}
		}
	})
}

func BenchmarkMeaning(b *testing.B) {
	r, _ := Of("/v1/chat/completions")
	data := []byte(delta(`"content":"a"`))
	b.ReportAllocs()
	for b.Loop() {
		_ = r.Meaning("", data)
	}
}
