package server

import (
	"errors"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"

	"github.com/holysheep/relay/plugins"
)

// typed is what a program learns from an error of the SDK.
type typed struct {
	Status              int
	Type, Code, Message string
}

// typedError returns err as the SDK types it.
func typedError(t *testing.T, err error) typed {
	t.Helper()
	var e *openai.Error
	if !errors.As(err, &e) {
		t.Fatalf("error %v is no *openai.Error", err)
	}
	return typed{e.StatusCode, e.Type, e.Code, e.Message}
}

func TestSDKErrors(t *testing.T) {
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
			want:   typed{401, "invalid_request_error", "invalid_api_key", "the API key is not one of this relay's"},
		},
		{
			name:   "no key",
			option: option.WithHeaderDel("Authorization"),
			want:   typed{401, "invalid_request_error", "missing_api_key", `no API key: send it as "Authorization: Bearer <key>"`},
		},
		{
			name:   "a model that the key may not use",
			config: restricted,
			want:   typed{403, "invalid_request_error", "model_not_allowed", `the API key may not use the model "gpt-4.1"`},
		},
		{
			name:   "a model that no upstream serves",
			config: whole + "upstreams: {demo: {base_url: UPSTREAM, models: [\"small-*\"]}}\n",
			want:   typed{404, "invalid_request_error", "model_not_found", "no upstream serves this model"},
		},
		{
			name:   "a body above max_body",
			config: whole + "max_body: 4KiB\nmax_replay: 4KiB\n",
			text:   strings.Repeat("long ", 1000),
			want:   typed{413, "invalid_request_error", "request_too_large", "the request's body is larger than 4KiB, which is max_body here"},
		},
		{
			name: "a fault that the upstream tells",
			plan: http.Header{"X-Demo-Status": {"422"}, "X-Demo-Code": {"odd"}},
			want: typed{422, "invalid_request_error", "odd", "demo: an error was asked for"},
		},
		{
			name: "an upstream that refuses the relay's key",
			plan: http.Header{"X-Demo-Status": {"401"}},
			want: typed{502, "upstream_error", "upstream_unauthorized", "the upstream refused the relay's own credentials"},
		},
		{
			name:   "an upstream that is not there",
			config: whole + "upstreams: {gone: {base_url: \"http://" + closedPort(t) + "/v1\"}}\n",
			want:   typed{502, "upstream_error", "upstream_unreachable", "the upstream could not be reached"},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if tt.config == "" {
				tt.config = whole
			}
			s := newSDK(t, tt.config, option.WithMaxRetries(0))
			s.plan(tt.plan)
			var options []option.RequestOption
			if tt.option != nil {
				options = append(options, tt.option)
			}
			_, err := s.Chat.Completions.New(t.Context(), question("hello "+tt.text), options...)
			if diff := cmp.Diff(typedError(t, err), tt.want); diff != "" {
				t.Errorf("error (-got +want):\n%s", diff)
			}
			stream := s.Chat.Completions.NewStreaming(t.Context(), question("hello "+tt.text), options...)
			for stream.Next() {
				t.Errorf("event %s, want none", stream.Current().RawJSON())
			}
			if diff := cmp.Diff(typedError(t, stream.Err()), tt.want); diff != "" {
				t.Errorf("error of a stream (-got +want):\n%s", diff)
			}
		})
	}
}

func TestSDKErrorOutsideOfTheAPI(t *testing.T) {
	s := newSDK(t, whole)
	_, err := s.Models.Get(t.Context(), "gpt-4.1", option.WithBaseURL(s.URL+"/v2"))
	want := typed{404, "invalid_request_error", "unknown_url", ErrUnknownURL.Message}
	if diff := cmp.Diff(typedError(t, err), want); diff != "" {
		t.Errorf("error (-got +want):\n%s", diff)
	}
	_, err = s.Files.Get(t.Context(), "nobody")
	want = typed{404, "invalid_request_error", "unknown_url", "Invalid URL (GET /v1/files/nobody)"}
	if diff := cmp.Diff(typedError(t, err), want); diff != "" {
		t.Errorf("error of the upstream (-got +want):\n%s", diff)
	}
	if n := s.Demo.Books().Len(); n != 1 {
		t.Errorf("the upstream was asked %d times, want once", n)
	}
}

func TestSDKErrorOfALargeUpload(t *testing.T) {
	s := newSDK(t, whole+"max_body: 1MiB\n", option.WithMaxRetries(0))
	_, err := s.Audio.Transcriptions.New(t.Context(), openai.AudioTranscriptionNewParams{
		File: strings.NewReader(strings.Repeat("x", int(plugins.MiB))), Model: "whisper-1",
	})
	if got := typedError(t, err); got.Status != 413 || got.Code != "request_too_large" {
		t.Errorf("error = %+v, want 413 request_too_large", got)
	}
	if n := s.Demo.Books().Len(); n != 0 {
		t.Errorf("the upstream was asked %d times, want never", n)
	}
}

// closedPort returns an address of this machine where nobody listens.
func closedPort(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	return l.Addr().String()
}
