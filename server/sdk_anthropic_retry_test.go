package server

import (
	"net/http"
	"testing"

	"github.com/anthropics/anthropic-sdk-go/v2"
	"github.com/anthropics/anthropic-sdk-go/v2/option"
	"github.com/google/go-cmp/cmp"
)

// The SDK retries by itself. That it does so just once shows that it waited for
// as long as it was told.
func TestAnthropicSDKWaitsAsTheLimitSays(t *testing.T) {
	tests := []struct{ name, forget, obeyed string }{
		{"in milliseconds", "", "Retry-After-Ms"},
		{"in seconds", "Retry-After-Ms", "Retry-After"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := newClaude(t, slowly+anthropicUpstream)
			s.sent.forget = tt.forget
			for range 2 {
				if _, err := s.Anthropic.Messages.New(t.Context(), toClaude("hello")); err != nil {
					t.Fatal(err)
				}
			}
			list := s.sent.all()
			if diff := cmp.Diff(statuses(list), []int{200, 429, 200}); diff != "" {
				t.Fatalf("attempts of the SDK (-got +want):\n%s", diff)
			}
			told, waited := announced(t, list[1], tt.obeyed), list[2].at.Sub(list[1].at)
			if waited < told || told <= 0 {
				t.Errorf("the SDK was told %s to wait and waited %s", told, waited)
			}
			if n := s.Demo.Books().Len(); n != 2 {
				t.Errorf("the upstream was asked %d times, want 2", n)
			}
		})
	}
}

func TestAnthropicSDKErrorOfALimit(t *testing.T) {
	s := newClaude(t, slowly+anthropicUpstream, option.WithMaxRetries(0))
	if _, err := s.Anthropic.Messages.New(t.Context(), toClaude("hello")); err != nil {
		t.Fatal(err)
	}
	_, err := s.Anthropic.Messages.New(t.Context(), toClaude("hello"))
	got := claudeError(t, err)
	if got.Message == "" {
		t.Error("no message")
	}
	got.Message = ""
	if diff := cmp.Diff(got, typed{429, string(anthropic.ErrorTypeRateLimitError), "rate_limit_exceeded", ""}); diff != "" {
		t.Errorf("error (-got +want):\n%s", diff)
	}
	if after := s.sent.all()[1].header.Get("Retry-After"); after == "" {
		t.Error("no Retry-After")
	}
}

// The upstream knows best: neither the relay nor the SDK asks again.
func TestAnthropicSDKDoesNotRetryWhatTheUpstreamForbids(t *testing.T) {
	s := newClaude(t, whole+anthropicUpstream)
	s.plan(http.Header{"X-Demo-Status": {"503"}, "X-Demo-Header": {"X-Should-Retry: false"}})
	_, err := s.Anthropic.Messages.New(t.Context(), toClaude("hello"))
	if got := claudeError(t, err); got.Status != 503 || got.Type != "api_error" {
		t.Errorf("error = %+v, want the upstream's 503", got)
	}
	if sent, asked := len(s.sent.all()), s.Demo.Books().Len(); sent != 1 || asked != 1 {
		t.Errorf("the SDK asked %d times and the relay %d times, want once each", sent, asked)
	}
}

func TestAnthropicSDKNeverNoticesAnOverloadThatPasses(t *testing.T) {
	s := newClaude(t, whole+anthropicUpstream, option.WithMaxRetries(0))
	s.plan(http.Header{"X-Demo-Fail": {"overload=1:529"}})
	if _, err := s.Anthropic.Messages.New(t.Context(), toClaude("hello")); err != nil {
		t.Fatal(err)
	}
	if n := s.Demo.Books().Len(); n != 2 {
		t.Errorf("the upstream was asked %d times, want 2", n)
	}
}
