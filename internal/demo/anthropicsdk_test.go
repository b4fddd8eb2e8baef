package demo

import (
	"errors"
	"strings"
	"testing"

	"github.com/anthropics/anthropic-sdk-go/v2"
	"github.com/anthropics/anthropic-sdk-go/v2/option"
	"github.com/google/go-cmp/cmp"
)

// anthropicClient returns Anthropic's official SDK in front of a demo upstream
// that wants a key.
func anthropicClient(t *testing.T, more ...option.RequestOption) (*Server, anthropic.Client) {
	t.Helper()
	s, url := start(t, Options{Key: "k"})
	return s, anthropic.NewClient(append([]option.RequestOption{
		option.WithBaseURL(url[:len(url)-len("/v1")]), option.WithAPIKey("k"), option.WithMaxRetries(0),
	}, more...)...)
}

func messageParams(text string) anthropic.MessageNewParams {
	return anthropic.MessageNewParams{
		Model: "claude", MaxTokens: 100,
		System:   []anthropic.TextBlockParam{{Text: "be brief"}},
		Messages: []anthropic.MessageParam{anthropic.NewUserMessage(anthropic.NewTextBlock(text))},
	}
}

func TestAnthropicSDKMessages(t *testing.T) {
	s, c := anthropicClient(t)
	m, err := c.Messages.New(patient(t), messageParams("hello big world"))
	if err != nil {
		t.Fatal(err)
	}
	if got := m.Content[0].AsText().Text; got != "You said: hello big world" || m.StopReason != anthropic.StopReasonEndTurn {
		t.Errorf("text = %q, stopped by %q", got, m.StopReason)
	}
	if m.Usage.InputTokens != 5 || m.Usage.OutputTokens != 5 || m.Model != "claude" {
		t.Errorf("usage = %s of %q, want 5 and 5 of claude", m.Usage.RawJSON(), m.Model)
	}
	if rec, _ := s.Books().Record(1); rec.KeyBy != "bearer" || rec.Model != "claude" {
		t.Errorf("record: key by %q, model %q", rec.KeyBy, rec.Model)
	}
	n, err := c.Messages.CountTokens(patient(t), anthropic.MessageCountTokensParams{
		Model: "claude", Messages: messageParams("hello big world").Messages,
	})
	if err != nil || n.InputTokens != 3 {
		t.Errorf("count = %v, %v, want 3", n, err)
	}
}

func TestAnthropicSDKStream(t *testing.T) {
	_, c := anthropicClient(t)
	stream := c.Messages.NewStreaming(patient(t), messageParams("hello big world"))
	var m anthropic.Message
	var kinds []string
	for stream.Next() {
		e := stream.Current()
		if err := m.Accumulate(e); err != nil {
			t.Errorf("an event does not fit: %v", err)
		}
		if len(kinds) == 0 || kinds[len(kinds)-1] != e.Type {
			kinds = append(kinds, e.Type)
		}
	}
	if err := stream.Err(); err != nil {
		t.Fatal(err)
	}
	want := []string{"message_start", "content_block_start", "content_block_delta", "content_block_stop", "message_delta", "message_stop"}
	if diff := cmp.Diff(kinds, want); diff != "" {
		t.Errorf("events (-got +want):\n%s", diff)
	}
	if got := m.Content[0].AsText().Text; got != "You said: hello big world" || m.Usage.OutputTokens != 5 || m.StopReason != "end_turn" {
		t.Errorf("text = %q of %d tokens, stopped by %q", got, m.Usage.OutputTokens, m.StopReason)
	}
}

func TestAnthropicSDKErrors(t *testing.T) {
	tests := []struct {
		name       string
		option     option.RequestOption
		wantStatus int
		wantType   anthropic.ErrorType
	}{
		{"a wrong key", option.WithAPIKey("wrong"), 401, anthropic.ErrorTypeAuthenticationError},
		{"no permission", option.WithHeader("X-Demo-Status", "403"), 403, anthropic.ErrorTypePermissionError},
		{"too many requests", option.WithHeader("X-Demo-Status", "429"), 429, anthropic.ErrorTypeRateLimitError},
		{"an overload", option.WithHeader("X-Demo-Status", "529"), 529, anthropic.ErrorTypeOverloadedError},
		{"an error in a stream", option.WithHeader("X-Demo-Error-Event", "2"), 200, anthropic.ErrorTypeAPIError},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, c := anthropicClient(t, tt.option)
			stream := c.Messages.NewStreaming(patient(t), messageParams("hello"))
			for stream.Next() {
				if kind := stream.Current().Type; kind == "content_block_delta" {
					t.Errorf("event %s, want no text", stream.Current().RawJSON())
				}
			}
			var e *anthropic.Error
			if !errors.As(stream.Err(), &e) {
				t.Fatalf("error = %v, want one of the API", stream.Err())
			}
			if e.StatusCode != tt.wantStatus || e.Type() != tt.wantType || e.RequestID != "req-demo-1" {
				t.Errorf("error = %d %q of %q, want %d %q", e.StatusCode, e.Type(), e.RequestID, tt.wantStatus, tt.wantType)
			}
		})
	}
}

func TestAnthropicSDKModels(t *testing.T) {
	_, c := anthropicClient(t)
	pager := c.Models.ListAutoPaging(patient(t), anthropic.ModelListParams{})
	var ids []string
	for pager.Next() {
		ids = append(ids, pager.Current().ID)
	}
	if diff := cmp.Diff(ids, strings.Fields(known)); diff != "" || pager.Err() != nil {
		t.Errorf("%v, models (-got +want):\n%s", pager.Err(), diff)
	}
	if m, err := c.Models.Get(patient(t), "gpt-4o", anthropic.ModelGetParams{}); err != nil || m.DisplayName != "gpt-4o" {
		t.Errorf("model = %v, %v", m, err)
	}
}
