package cache

import (
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/holysheep/relay/internal/answer"
	"github.com/holysheep/relay/internal/sse"
	"github.com/holysheep/relay/internal/wire"
)

// checked returns a checker that has seen all events that come from src.
func checked(t testing.TB, kind wire.Kind, src io.Reader) *checker {
	t.Helper()
	c := newChecker(wire.Route{Kind: kind}, answer.Stream)
	r := sse.NewReader(src)
	defer r.Release()
	for {
		e, err := r.Next()
		if errors.Is(err, io.EOF) {
			return c
		}
		if err != nil {
			t.Fatal(err)
		}
		c.event(e)
	}
}

func faultOf(t testing.TB, kind wire.Kind, text string) string {
	t.Helper()
	return checked(t, kind, strings.NewReader(text)).fault()
}

// data returns events of these data.
func data(events ...string) string {
	var b strings.Builder
	for _, e := range events {
		b.WriteString("data: " + e + "\n\n")
	}
	return b.String()
}

// named returns an event that has its type for a name.
func named(kind, rest string) string {
	return "event: " + kind + "\ndata: {\"type\":\"" + kind + "\"" + rest + "}\n\n"
}

const (
	chatBegin  = `{"id":"c","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":null}]}`
	chatSays   = `{"id":"c","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":{"content":"Hi"},"logprobs":null,"finish_reason":null}]}`
	chatStops  = `{"id":"c","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}`
	chatUsage  = `{"id":"c","object":"chat.completion.chunk","created":1,"model":"m","choices":[],"usage":{"prompt_tokens":1}}`
	chatFilter = `{"id":"","object":"","created":0,"model":"","choices":[],"prompt_filter_results":[{"prompt_index":0}]}`
	textSays   = `{"id":"c","object":"text_completion","created":1,"model":"m","choices":[{"text":"Hi","index":0,"finish_reason":null}]}`
	textStops  = `{"id":"c","object":"text_completion","created":1,"model":"m","choices":[{"text":"","index":0,"finish_reason":"length"}]}`
)

// wholes are streams that are whole, by kind, whose last event ends them.
func wholes() map[string]struct {
	kind wire.Kind
	text string
} {
	type stream = struct {
		kind wire.Kind
		text string
	}
	long := strings.Repeat(`a\"\\\u00e9`, 3*sse.Bound/10)
	messages := named("message_start", `,"message":{"id":"m"}`) + named("content_block_start", `,"index":0,"content_block":{"type":"text","text":""}`) +
		named("ping", "") + named("content_block_delta", `,"index":0,"delta":{"type":"text_delta","text":"Hi"}`) + named("content_block_stop", `,"index":0`) +
		named("message_delta", `,"delta":{"stop_reason":"end_turn","stop_sequence":null},"usage":{"output_tokens":1}`) + named("message_stop", "")
	responses := named("response.created", `,"response":{"id":"r","status":"in_progress","error":null}`) +
		named("response.output_text.delta", `,"delta":"Hi"`)
	return map[string]stream{
		"a chat":                     {wire.Chat, data(chatBegin, chatSays, chatStops, done)},
		"a chat with usage":          {wire.Chat, data(chatBegin, chatSays, chatStops, chatUsage, done)},
		"a chat of Azure's":          {wire.Chat, data(chatFilter, chatBegin, chatSays, chatStops, done)},
		"a chat with comments":       {wire.Chat, ": OPENROUTER PROCESSING\n\n" + data(chatBegin) + ":\n\n" + data(chatSays, chatStops, done)},
		"a chat in CR LF":            {wire.Chat, strings.ReplaceAll(data(chatSays, chatStops, done), "\n", "\r\n")},
		"a chat in CR":               {wire.Chat, strings.ReplaceAll(data(chatSays, chatStops, done), "\n", "\r")},
		"a chat in several lines":    {wire.Chat, strings.ReplaceAll(data(chatSays, chatStops), `,"choices`, "\ndata: ,\"choices") + data(done)},
		"a chat with a long event":   {wire.Chat, data(chatBegin, strings.Replace(chatSays, "Hi", long, 1), chatStops, done)},
		"a chat in one long event":   {wire.Chat, data(strings.Replace(chatStops, `{}`, `{"content":"`+long+`","images":[{"url":"`+long+`"}]}`, 1), done)},
		"a chat of two choices":      {wire.Chat, data(chatSays, strings.Replace(chatSays, `"index":0`, `"index":1`, 1), strings.Replace(chatStops, `"index":0`, `"index":1`, 1), chatStops, done)},
		"completions":                {wire.Completions, data(textSays, textStops, done)},
		"messages":                   {wire.Messages, messages},
		"messages without names":     {wire.Messages, strings.NewReplacer("event: ", "id: ").Replace(messages)},
		"a response":                 {wire.Responses, responses + named("response.completed", `,"response":{"status":"completed","error":null}`)},
		"a response in CR LF":        {wire.Responses, strings.ReplaceAll(responses+named("response.completed", ""), "\n", "\r\n")},
		"a response with a long end": {wire.Responses, responses + named("response.completed", `,"response":{"output":[{"content":[{"text":"`+long+`"}]}],"status":"completed","error":null}`)},
		"a long end without names":   {wire.Responses, data(`{"type":"response.completed","response":{"text":"` + long + `"}}`)},
	}
}

// cuts returns where to cut a text: everywhere, or around what is not the
// inside of a long string.
func cuts(text string) (at []int) {
	for i := range len(text) {
		if len(text) < 4000 || i < 300 || i > len(text)-200 || i%sse.Bound < 2 {
			at = append(at, i)
		}
	}
	return at
}

// TestACutStreamIsNeverWhole cuts whole streams at every byte.
func TestACutStreamIsNeverWhole(t *testing.T) {
	for name, tt := range wholes() {
		t.Run(name, func(t *testing.T) {
			if got := faultOf(t, tt.kind, tt.text); got != "" {
				t.Fatalf("the whole stream has the fault %q, want none", got)
			}
			for _, i := range cuts(tt.text) {
				if got := faultOf(t, tt.kind, tt.text[:i]); got != whyIncomplete {
					t.Fatalf("cut at %d of %d, behind %q, it has the fault %q, want %q", i, len(tt.text), tt.text[max(0, i-40):i], got, whyIncomplete)
				}
			}
		})
	}
}

// TestWhatMayFollowTheEnd appends to whole streams what says nothing.
func TestWhatMayFollowTheEnd(t *testing.T) {
	for name, tt := range wholes() {
		end := "\n"
		if strings.HasSuffix(tt.text, "\r") {
			end = "\r"
		}
		for _, more := range []string{end, ": a comment" + end, ": half a comm", end + end + ":" + end} {
			if got := faultOf(t, tt.kind, tt.text+more); got != "" {
				t.Errorf("%s and %q has the fault %q, want none", name, more, got)
			}
		}
		for _, more := range []string{data(chatSays), data("x"), "data: " + done, "d", named("error", "")} {
			if got := faultOf(t, tt.kind, tt.text+more); got == "" {
				t.Errorf("%s and %q has no fault, want one", name, more)
			}
		}
		want := ""
		if tt.kind == wire.Chat || tt.kind == wire.Completions {
			want = whyContent
		}
		if got := faultOf(t, tt.kind, tt.text+data(done)); got != want {
			t.Errorf("%s and one more [DONE] has the fault %q, want %q", name, got, want)
		}
		if got := faultOf(t, tt.kind, tt.text+data(done, done)); got != whyContent {
			t.Errorf("%s and two more [DONE] has the fault %q, want %q", name, got, whyContent)
		}
	}
}

func TestFaultsOfStreams(t *testing.T) {
	stop := named("message_stop", "")
	reason := func(r string) string { return named("message_delta", `,"delta":{"stop_reason":`+r+`}`) }
	finish := func(r string) string { return strings.Replace(chatStops, `"stop"`, r, 1) }
	long := strings.Repeat("x", 2*sse.Bound)
	tests := []struct {
		name string
		kind wire.Kind
		text string
		want string
	}{
		{"nothing", wire.Chat, "", whyIncomplete},
		{"an end alone", wire.Chat, data(done), whyIncomplete},
		{"no reason to finish", wire.Chat, data(chatBegin, chatSays, done), whyIncomplete},
		{"an empty reason to finish", wire.Chat, data(finish(`""`), done), whyIncomplete},
		{"one of two choices without a reason", wire.Chat, data(strings.Replace(chatSays, `"index":0`, `"index":7`, 1), chatStops, done), whyIncomplete},
		{"completions without a reason", wire.Completions, data(textSays, done), whyIncomplete},
		{"finished by an error", wire.Chat, data(finish(`"error"`), done), whyContent},
		{"finished by an abort", wire.Chat, data(finish(`"abort"`), done), whyContent},
		{"a choice with an error", wire.Chat, data(strings.Replace(chatStops, `"delta"`, `"error":{"code":502},"delta"`, 1), done), whyContent},
		{"a choice with an index out of the world", wire.Chat, data(strings.Replace(chatStops, `"index":0`, `"index":1024`, 1), done), whyContent},
		{"a choice with half an index", wire.Chat, data(strings.Replace(chatStops, `"index":0`, `"index":0.5`, 1), done), whyContent},
		{"an error event", wire.Chat, data(chatSays, `{"error":{"message":"overloaded"}}`, chatStops, done), whyContent},
		{"an error event as vLLM's were", wire.Chat, data(`{"object":"error","message":"overloaded"}`, chatStops, done), whyContent},
		{"an error behind a long string", wire.Chat, data(`{"choices":[{"delta":{"content":"`+long+`"}}],"error":{"code":500}}`, chatStops, done), whyContent},
		{"an event named error", wire.Chat, "event: error\ndata: {}\n\n" + data(chatStops, done), whyContent},
		{"an object that is no chunk", wire.Chat, data(`{"detail":"x"}`, chatStops, done), whyContent},
		{"a text that is no object", wire.Chat, data("keep-alive", chatStops, done), whyContent},
		{"half an object", wire.Chat, data(chatSays[:50], chatStops, done), whyContent},
		{"a long event of too many choices", wire.Chat, data(`{"choices":[`+strings.Repeat(`{"index":0},`, 20_000)+`{"index":0}]}`, chatStops, done), whyContent},
		{"a response that failed", wire.Responses, named("response.failed", ""), whyContent},
		{"a response that is incomplete", wire.Responses, named("response.incomplete", ""), whyContent},
		{"a response completed by another status", wire.Responses, named("response.completed", `,"response":{"status":"failed"}`), whyContent},
		{"a response completed with an error", wire.Responses, named("response.completed", `,"response":{"error":{"code":"x"}}`), whyContent},
		{"a response that only done ends", wire.Responses, named("response.output_text.delta", "") + data(done), whyIncomplete},
		{"a name that is not the type", wire.Responses, "event: response.completed\ndata: {\"type\":\"response.created\"}\n\n", whyContent},
		{"no reason to stop", wire.Messages, stop, whyIncomplete},
		{"null for a reason to stop", wire.Messages, reason("null") + stop, whyIncomplete},
		{"stopped by an error", wire.Messages, reason(`"error"`) + stop, whyContent},
		{"messages that only done ends", wire.Messages, reason(`"end_turn"`) + data(done), whyIncomplete},
		{"messages with an error", wire.Messages, named("error", `,"error":{"type":"overloaded_error"}`) + reason(`"end_turn"`) + stop, whyContent},
		{"Gemini's, which have no end", wire.Generate, data(`{"candidates":[{"finishReason":"STOP"}]}`), whyType},
		{"what is not known", wire.Other, data(done), whyType},
		{"half of the last CR LF", wire.Chat, strings.ReplaceAll(data(chatStops), "\n", "\r\n") + "data: [DONE]\r\n\r", whyIncomplete},
	}
	for _, tt := range tests {
		if got := faultOf(t, tt.kind, tt.text); got != tt.want {
			t.Errorf("%s: the fault is %q, want %q", tt.name, got, tt.want)
		}
	}
	if got := newChecker(wire.Route{Kind: wire.Chat}, answer.Unary).fault(); got != whyType {
		t.Errorf("of no stream the fault is %q, want %q", got, whyType)
	}
}

// TestBegun finds the first event that says something.
func TestBegun(t *testing.T) {
	long := `{"choices":[{"delta":{"images":[{"url":"` + strings.Repeat("x", 2*sse.Bound) + `"}]}}]}`
	tests := []struct {
		name string
		kind wire.Kind
		text string
		want bool
	}{
		{"nothing", wire.Chat, "", false},
		{"a comment", wire.Chat, ": x\n\n", false},
		{"a role", wire.Chat, data(chatBegin), false},
		{"a ping", wire.Messages, named("ping", ""), false},
		{"an error", wire.Chat, data(`{"error":{"code":500}}`), false},
		{"content", wire.Chat, data(chatSays), true},
		{"a long picture", wire.Chat, data(long), true},
		{"an end", wire.Messages, named("message_stop", ""), true},
		{"content of Gemini's", wire.Generate, data(`{"candidates":[{"finishReason":"STOP"}]}`), true},
	}
	for _, tt := range tests {
		if got := checked(t, tt.kind, strings.NewReader(tt.text)).begun(); got != tt.want {
			t.Errorf("%s: begun is %t, want %t", tt.name, got, tt.want)
		}
	}
}
