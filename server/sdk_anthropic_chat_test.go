package server

import (
	"net/http"
	"sync/atomic"
	"testing"

	"github.com/anthropics/anthropic-sdk-go/v2"
	"github.com/anthropics/anthropic-sdk-go/v2/option"
)

func TestAnthropicSDKMessages(t *testing.T) {
	places := map[string][]option.RequestOption{
		"the key as the SDK sends it": nil,
		"the key in x-api-key":        {option.WithHeaderDel("Authorization"), option.WithHeader("X-Api-Key", clientKey)},
	}
	for name, place := range places {
		t.Run(name, func(t *testing.T) {
			s := newClaude(t, whole+anthropicUpstream)
			const text = "Grüße, 羊 \u2028 <&>"
			m, err := s.Anthropic.Messages.New(t.Context(), toClaude(text), place...)
			if err != nil {
				t.Fatal(err)
			}
			if got, want := textOf(*m), "You said: "+text; got != want || m.StopReason != anthropic.StopReasonEndTurn {
				t.Errorf("text = %q, stopped by %q, want %q", got, m.StopReason, want)
			}
			if m.Usage.InputTokens == 0 || m.Usage.OutputTokens == 0 || m.Model != "claude-sonnet-4-5" {
				t.Errorf("message = %s, want model and usage", m.RawJSON())
			}
			rec, _ := s.Demo.Books().Record(1)
			if rec.KeyBy != "x-api-key" || rec.Header.Get("Anthropic-Version") == "" || rec.RequestURI != "/v1/messages" {
				t.Errorf("the upstream got the key by %q, version %q, %s", rec.KeyBy, rec.Header.Get("Anthropic-Version"), rec.RequestURI)
			}
			s.unchanged(t)
		})
	}
}

func TestAnthropicSDKCountsTokens(t *testing.T) {
	s := newClaude(t, whole+anthropicUpstream)
	n, err := s.Anthropic.Messages.CountTokens(t.Context(), anthropic.MessageCountTokensParams{
		Model: "claude-sonnet-4-5", Messages: toClaude("three little words").Messages,
	})
	if err != nil || n.InputTokens != 3 {
		t.Errorf("count = %+v, %v, want 3", n, err)
	}
	s.unchanged(t)
}

func TestAnthropicSDKStream(t *testing.T) {
	shapes := map[string]http.Header{
		"plain":                   nil,
		"packets of three bytes":  {"X-Demo-Packets": {"bytes=3"}},
		"many events in a packet": {"X-Demo-Packets": {"events=4"}},
		"with CRLF and comments":  {"X-Demo-Newline": {"crlf"}, "X-Demo-Comment": {"still here"}, "X-Demo-Packets": {"bytes=7"}},
		"a late first token":      {"X-Demo-First-Token": {"20ms"}},
	}
	for name, shape := range shapes {
		t.Run(name, func(t *testing.T) {
			s := newClaude(t, whole+anthropicUpstream)
			s.plan(shape)
			m, err := s.streamed(t, "a story in a few words")
			if err != nil {
				t.Fatal(err)
			}
			if got, want := textOf(m), "You said: a story in a few words"; got != want || m.StopReason != "end_turn" {
				t.Errorf("text = %q, stopped by %q, want %q", got, m.StopReason, want)
			}
			if m.Usage.InputTokens != 6 || m.Usage.OutputTokens != 8 {
				t.Errorf("usage = %s, want 6 and 8", m.Usage.RawJSON())
			}
			s.unchanged(t)
		})
	}
}

// What comes before the first token means nothing to a client, so that an error
// there is one that the relay can still mend.
func TestAnthropicSDKIsSparedAnErrorBeforeTheFirstToken(t *testing.T) {
	faults := map[string]http.Header{
		"an error as the first event":          {"X-Demo-Error-Event": {"0"}, "X-Demo-Code": {"overloaded_error"}},
		"an error in place of the first token": {"X-Demo-Error-Event": {"3"}, "X-Demo-Code": {"overloaded_error"}},
		"a reset in the headers":               {"X-Demo-Reset": {"headers"}},
		"a stream that ends before it begins":  {"X-Demo-Empty": {"true"}},
	}
	for name, fault := range faults {
		t.Run(name, func(t *testing.T) {
			s := newClaude(t, whole+anthropicUpstream, option.WithMaxRetries(0))
			var asked atomic.Int64
			s.Demo.Script(func(*http.Request) http.Header {
				if asked.Add(1) == 1 {
					return fault
				}
				return nil
			})
			m, err := s.streamed(t, "hello")
			if got := textOf(m); got != "You said: hello" || err != nil {
				t.Errorf("text = %q, %v, want all of it", got, err)
			}
			if n := s.Demo.Books().Len(); n != 2 {
				t.Errorf("the upstream was asked %d times, want 2", n)
			}
		})
	}
}
