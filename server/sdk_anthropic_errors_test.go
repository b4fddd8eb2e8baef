package server

import (
	"net/http"
	"strings"
	"testing"

	"github.com/anthropics/anthropic-sdk-go/v2/option"
	"github.com/google/go-cmp/cmp"
)

func TestAnthropicSDKErrors(t *testing.T) {
	const restricted = `
chain: [auth, limit, cache, retry]
plugins:
  auth: {clients: {tester: {models: ["small-*"], keys: {one: {sha256: HASH}}}}}
`
	tests := []struct {
		name   string
		config string
		option option.RequestOption
		plan   http.Header
		text   string
		want   typed
	}{
		{
			name:   "a wrong key",
			option: option.WithAPIKey("sk-hs-wrong"),
			want:   typed{401, "authentication_error", "invalid_api_key", "the API key is not one of this relay's"},
		},
		{
			name:   "no key",
			option: option.WithHeaderDel("Authorization"),
			want:   typed{401, "authentication_error", "missing_api_key", `no API key: send it as "Authorization: Bearer <key>"`},
		},
		{
			name:   "a model that the key may not use",
			config: restricted + anthropicUpstream,
			want:   typed{403, "permission_error", "model_not_allowed", `the API key may not use the model "claude-sonnet-4-5"`},
		},
		{
			name:   "a model that no upstream serves",
			config: whole + "upstreams: {demo: {base_url: UPSTREAM, wires: [anthropic], models: [\"small-*\"]}}\n",
			want:   typed{404, "not_found_error", "model_not_found", "no upstream serves this model"},
		},
		{
			name:   "a body above max_body",
			config: whole + anthropicUpstream + "max_body: 4KiB\nmax_replay: 4KiB\n",
			text:   strings.Repeat("long ", 1000),
			want:   typed{413, "request_too_large", "request_too_large", "the request's body is larger than 4KiB, which is max_body here"},
		},
		{
			name: "a fault that the upstream tells",
			plan: http.Header{"X-Demo-Status": {"422"}, "X-Demo-Code": {"odd_error"}},
			want: typed{422, "odd_error", "", "demo: an error was asked for"},
		},
		{
			name: "an upstream that refuses the relay's key",
			plan: http.Header{"X-Demo-Status": {"401"}},
			want: typed{502, "api_error", "upstream_unauthorized", "the upstream refused the relay's own credentials"},
		},
		{
			name:   "an upstream that is not there",
			config: whole + "upstreams: {gone: {base_url: \"http://" + closedPort(t) + "/v1\", wires: [anthropic]}}\n",
			want:   typed{502, "api_error", "upstream_unreachable", "the upstream could not be reached"},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if tt.config == "" {
				tt.config = whole + anthropicUpstream
			}
			s := newClaude(t, tt.config, option.WithMaxRetries(0))
			s.plan(tt.plan)
			var options []option.RequestOption
			if tt.option != nil {
				options = append(options, tt.option)
			}
			_, err := s.Anthropic.Messages.New(t.Context(), toClaude("hello "+tt.text), options...)
			if diff := cmp.Diff(claudeError(t, err), tt.want); diff != "" {
				t.Errorf("error (-got +want):\n%s", diff)
			}
			m, err := s.streamed(t, "hello "+tt.text, options...)
			if diff := cmp.Diff(claudeError(t, err), tt.want); diff != "" || textOf(m) != "" {
				t.Errorf("text %q, error of a stream (-got +want):\n%s", textOf(m), diff)
			}
		})
	}
}

func TestAnthropicSDKErrorAmongTheEvents(t *testing.T) {
	tests := []struct {
		name     string
		plan     http.Header
		wantType string
		wantText string
	}{
		{"that the upstream sends", http.Header{"X-Demo-Error-Event": {"5"}, "X-Demo-Code": {"overloaded_error"}}, "overloaded_error", "You said:"},
		{"when the stream breaks off", http.Header{"X-Demo-Break": {"events=5"}}, "api_error", "You said:"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := newClaude(t, whole+anthropicUpstream, option.WithMaxRetries(0))
			s.plan(tt.plan)
			m, err := s.streamed(t, "a story in a few words")
			got := claudeError(t, err)
			if got.Status != http.StatusOK || got.Type != tt.wantType || textOf(m) != tt.wantText {
				t.Errorf("error = %+v after %q, want %q after %q", got, textOf(m), tt.wantType, tt.wantText)
			}
			if n := s.Demo.Books().Len(); n != 1 {
				t.Errorf("the upstream was asked %d times, want once", n)
			}
		})
	}
}

// Half an event is nothing that the SDK could read, whatever comes after it.
func TestAnthropicSDKSeesThatAStreamBreaksOffWithinAnEvent(t *testing.T) {
	s := newClaude(t, whole+anthropicUpstream, option.WithMaxRetries(0))
	s.plan(http.Header{"X-Demo-Break": {"bytes=700"}})
	m, err := s.streamed(t, "a story in a few words")
	if got := textOf(m); got != "You said:" || err == nil {
		t.Errorf("text = %q, %v, want the beginning and an error", got, err)
	}
	if n := s.Demo.Books().Len(); n != 1 {
		t.Errorf("the upstream was asked %d times, want once", n)
	}
}
