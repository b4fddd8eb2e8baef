package server

import (
	"slices"
	"strings"
	"testing"

	"github.com/anthropics/anthropic-sdk-go/v2"
	"github.com/openai/openai-go/v3"
)

// converting is a configuration whose cache converts.
var converting = strings.Replace(whole, "plugins:", "plugins:\n  cache: {convert: true}\n", 1)

// said reads a stream by the SDK's own accumulator.
func said(t *testing.T, s *sdk, ask openai.ChatCompletionNewParams) openai.ChatCompletion {
	t.Helper()
	stream := s.Chat.Completions.NewStreaming(t.Context(), ask)
	var whole openai.ChatCompletionAccumulator
	for stream.Next() {
		if !whole.AddChunk(stream.Current()) {
			t.Errorf("the accumulator refused %s", stream.Current().RawJSON())
		}
	}
	if err := stream.Err(); err != nil {
		t.Fatal(err)
	}
	return whole.ChatCompletion
}

// TestSDKChatOutOfTheCache asks the same in each form after the other: the SDK
// gets the same message, of which the upstream was asked once.
func TestSDKChatOutOfTheCache(t *testing.T) {
	unary := func(t *testing.T, s *sdk, ask openai.ChatCompletionNewParams) openai.ChatCompletion {
		t.Helper()
		answer, err := s.Chat.Completions.New(t.Context(), ask)
		if err != nil {
			t.Fatal(err)
		}
		return *answer
	}
	forms := []func(*testing.T, *sdk, openai.ChatCompletionNewParams) openai.ChatCompletion{unary, said, func(t *testing.T, s *sdk, ask openai.ChatCompletionNewParams) openai.ChatCompletion {
		t.Helper()
		ask.StreamOptions.IncludeUsage = openai.Bool(true)
		return said(t, s, ask)
	}}
	for i, first := range forms {
		for j, second := range forms {
			s := newSDK(t, converting)
			ask := question("a story in a few words")
			ask.Temperature = openai.Float(0)
			one, other := first(t, s, ask), second(t, s, ask)
			a, b := one.Choices[0], other.Choices[0]
			if a.Message.Content != b.Message.Content || a.Message.Role != b.Message.Role || a.FinishReason != b.FinishReason || one.ID != other.ID || one.Model != other.Model {
				t.Errorf("form %d after %d:\n%s\n%s", j, i, other.RawJSON(), one.RawJSON())
			}
			if want := int64(8); j != 1 && other.Usage.CompletionTokens != want {
				t.Errorf("form %d after %d: %d tokens, want %d", j, i, other.Usage.CompletionTokens, want)
			}
			all := s.sent.all()
			// The SDK leaves a stream at its end, and may ask before it is stored.
			if n := s.Demo.Books().Len(); n != 1 || !slices.Contains([]string{"HIT", "COALESCED"}, all[1].header.Get("X-Cache")) {
				t.Errorf("form %d after %d: the upstream was asked %d times, X-Cache is %s", j, i, n, all[1].header.Get("X-Cache"))
			}
		}
	}
}

// TestAnthropicSDKStreamOutOfTheCache reads the same stream twice.
func TestAnthropicSDKStreamOutOfTheCache(t *testing.T) {
	s := newClaude(t, strings.Replace(whole, "plugins:", "plugins:\n  cache: {sampled: true}\n", 1)+anthropicUpstream)
	ask := toClaude("a story in a few words")
	var texts []string
	for range 2 {
		stream := s.Anthropic.Messages.NewStreaming(t.Context(), ask)
		var m anthropic.Message
		for stream.Next() {
			if err := m.Accumulate(stream.Current()); err != nil {
				t.Fatal(err)
			}
		}
		if err := stream.Err(); err != nil {
			t.Fatal(err)
		}
		texts = append(texts, textOf(m))
	}
	if texts[0] != texts[1] || texts[0] != "You said: a story in a few words" || s.Demo.Books().Len() != 1 {
		t.Errorf("the SDK read %q, the upstream was asked %d times", texts, s.Demo.Books().Len())
	}
}
