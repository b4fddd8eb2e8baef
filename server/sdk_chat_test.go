package server

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/responses"

	"github.com/holysheep/relay/server/relay"
)

// question is a chat of one message.
func question(text string) openai.ChatCompletionNewParams {
	return openai.ChatCompletionNewParams{
		Model:    "gpt-4.1",
		Messages: []openai.ChatCompletionMessageParamUnion{openai.UserMessage(text)},
	}
}

func TestSDKChat(t *testing.T) {
	s := newSDK(t, whole)
	answer, err := s.Chat.Completions.New(t.Context(), question("Grüße, 羊 \u2028 <&>"))
	if err != nil {
		t.Fatal(err)
	}
	if got, want := answer.Choices[0].Message.Content, "You said: Grüße, 羊 \u2028 <&>"; got != want {
		t.Errorf("content = %q, want %q", got, want)
	}
	if answer.Model != "gpt-4.1" || answer.Usage.TotalTokens == 0 || answer.Choices[0].FinishReason != "stop" {
		t.Errorf("answer = %s, want model, usage and the reason to stop", answer.RawJSON())
	}
	s.unchanged(t)
}

func TestSDKChatIsAskedOnceIfItsAnswerIsCertain(t *testing.T) {
	s := newSDK(t, whole)
	certain := question("once")
	certain.Temperature = openai.Float(0)
	var answers []string
	for range 2 {
		answer, err := s.Chat.Completions.New(t.Context(), certain)
		if err != nil {
			t.Fatal(err)
		}
		answers = append(answers, answer.RawJSON())
	}
	if answers[0] != answers[1] {
		t.Errorf("answers differ:\n%s\n%s", answers[0], answers[1])
	}
	if n := s.Demo.Books().Len(); n != 1 {
		t.Errorf("the upstream was asked %d times, want once", n)
	}
	if got := s.sent.all()[1].header.Get("X-Cache"); got != "HIT" {
		t.Errorf("X-Cache = %q, want HIT", got)
	}
}

func TestSDKChatStream(t *testing.T) {
	shapes := map[string]http.Header{
		"plain":                   nil,
		"packets of three bytes":  {"X-Demo-Packets": {"bytes=3"}},
		"many events in a packet": {"X-Demo-Packets": {"events=4"}},
		"with CRLF and comments":  {"X-Demo-Newline": {"crlf"}, "X-Demo-Comment": {"still here"}, "X-Demo-Packets": {"bytes=7"}},
	}
	for name, shape := range shapes {
		t.Run(name, func(t *testing.T) {
			s := newSDK(t, whole)
			s.plan(shape)
			ask := question("a story in a few words")
			ask.StreamOptions.IncludeUsage = openai.Bool(true)
			stream := s.Chat.Completions.NewStreaming(t.Context(), ask)
			var whole openai.ChatCompletionAccumulator
			finished := false
			for stream.Next() {
				if !whole.AddChunk(stream.Current()) {
					t.Errorf("the accumulator refused %s", stream.Current().RawJSON())
				}
				_, now := whole.JustFinishedContent()
				finished = finished || now
			}
			if err := stream.Err(); err != nil {
				t.Fatal(err)
			}
			if got, want := whole.Choices[0].Message.Content, "You said: a story in a few words"; got != want || !finished {
				t.Errorf("content = %q, finished %t, want %q", got, finished, want)
			}
			if u := whole.Usage; u.CompletionTokens != 8 || u.TotalTokens != u.PromptTokens+8 {
				t.Errorf("usage = %+v, want that of 8 tokens", u)
			}
			s.unchanged(t)
		})
	}
}

func TestSDKSeesThatAStreamBreaksOff(t *testing.T) {
	s := newSDK(t, whole)
	s.plan(http.Header{"X-Demo-Break": {"events=3"}})
	stream := s.Chat.Completions.NewStreaming(t.Context(), question("a story in a few words"))
	n := 0
	for stream.Next() {
		n++
	}
	if err := stream.Err(); n != 3 || err == nil || !strings.Contains(err.Error(), relay.ErrBrokeOff.Code) {
		t.Errorf("%d events and the error %v, want 3 and %s", n, err, relay.ErrBrokeOff.Code)
	}
}

func TestSDKResponses(t *testing.T) {
	s := newSDK(t, whole)
	ask := responses.ResponseNewParams{
		Model: "gpt-4.1", Input: responses.ResponseNewParamsInputUnion{OfString: openai.String("count to three")},
	}
	answer, err := s.Responses.New(t.Context(), ask)
	if err != nil {
		t.Fatal(err)
	}
	const want = "You said: count to three"
	if got := answer.OutputText(); got != want || answer.Usage.OutputTokens != 5 {
		t.Errorf("text %q of %d tokens, want %q of 5", got, answer.Usage.OutputTokens, want)
	}
	stream := s.Responses.NewStreaming(t.Context(), ask)
	var text strings.Builder
	var kinds []string
	for stream.Next() {
		e := stream.Current()
		if len(kinds) == 0 || kinds[len(kinds)-1] != e.Type {
			kinds = append(kinds, e.Type)
		}
		if e.Type == "response.output_text.delta" {
			text.WriteString(e.AsResponseOutputTextDelta().Delta)
		}
	}
	if err := stream.Err(); err != nil {
		t.Fatal(err)
	}
	if text.String() != want {
		t.Errorf("streamed text = %q, want %q", text.String(), want)
	}
	wantKinds := []string{
		"response.created", "response.in_progress", "response.output_item.added", "response.content_part.added",
		"response.output_text.delta", "response.output_text.done", "response.content_part.done",
		"response.output_item.done", "response.completed",
	}
	if diff := cmp.Diff(kinds, wantKinds); diff != "" {
		t.Errorf("events (-got +want):\n%s", diff)
	}
	s.unchanged(t)
}
