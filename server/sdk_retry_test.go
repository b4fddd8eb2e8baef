package server

import (
	"context"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/openai/openai-go/v3/option"
)

// slowly lets the tester ask once in two seconds. Without a word from the
// relay the SDK would come back after half a second, and again after another.
const slowly = whole + `  limit: {rules: {slowly: {per: client, requests: 1, period: 2s}}}
`

func TestSDKErrorOfALimit(t *testing.T) {
	s := newSDK(t, slowly, option.WithMaxRetries(0))
	if _, err := s.Models.Get(t.Context(), "gpt-4.1"); err != nil {
		t.Fatal(err)
	}
	_, err := s.Models.Get(t.Context(), "gpt-4.1")
	got := typedError(t, err)
	if got.Message == "" {
		t.Error("no message")
	}
	got.Message = ""
	if diff := cmp.Diff(got, typed{429, "rate_limit_error", "rate_limit_exceeded", ""}); diff != "" {
		t.Errorf("error (-got +want):\n%s", diff)
	}
}

// The SDK retries by itself. That it does so just once shows that it waited for
// as long as it was told.
func TestSDKWaitsAsTheLimitSays(t *testing.T) {
	tests := []struct{ name, forget, obeyed string }{
		{"in milliseconds", "", "Retry-After-Ms"},
		{"in seconds", "Retry-After-Ms", "Retry-After"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := newSDK(t, slowly)
			s.sent.forget = tt.forget
			for range 2 {
				if _, err := s.Chat.Completions.New(t.Context(), question("hello")); err != nil {
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

func TestSDKComesBackWhenASlotIsFree(t *testing.T) {
	const one = whole + "  limit: {max_in_flight: 1, hint: 50ms}\n"
	s := newSDK(t, one, option.WithMaxRetries(100))
	held, leave := context.WithCancel(t.Context())
	defer leave()
	s.plan(http.Header{"X-Demo-Stall": {"events=2"}})
	stream := s.Chat.Completions.NewStreaming(held, question("hold on"))
	if !stream.Next() {
		t.Fatal(stream.Err())
	}
	defer func() { _ = stream.Close() }()
	s.plan(nil)
	_, err := s.Models.Get(t.Context(), "gpt-4.1", option.WithMaxRetries(0))
	if got := typedError(t, err); got.Status != 429 || got.Code != "concurrency_exceeded" {
		t.Errorf("error = %+v, want 429 concurrency_exceeded", got)
	}
	refused := sync.OnceFunc(leave)
	s.sent.answered = func(status int) {
		if status == http.StatusTooManyRequests {
			refused()
		}
	}
	if _, err := s.Models.Get(t.Context(), "gpt-4.1"); err != nil {
		t.Fatalf("after the slot was given back: %v", err)
	}
	if got := statuses(s.sent.all()); !slices.Equal(got[:3], []int{200, 429, 429}) || got[len(got)-1] != 200 {
		t.Errorf("attempts of the SDK = %d, want a refusal and then an answer", got)
	}
}

func TestSDKWaitsAsTheUpstreamSays(t *testing.T) {
	// Longer than the relay itself would wait: it is for the client.
	s := newSDK(t, whole+"  retry: {max_retry_after: 1s}\n")
	s.plan(http.Header{"X-Demo-Fail": {"busy=1:429"}, "X-Demo-Retry-After-Ms": {"1500"}})
	if _, err := s.Chat.Completions.New(t.Context(), question("hello")); err != nil {
		t.Fatal(err)
	}
	list := s.sent.all()
	if diff := cmp.Diff(statuses(list), []int{429, 200}); diff != "" {
		t.Fatalf("attempts of the SDK (-got +want):\n%s", diff)
	}
	if told, waited := announced(t, list[0], "Retry-After-Ms"), list[1].at.Sub(list[0].at); told != 1500*time.Millisecond || waited < told {
		t.Errorf("the SDK was told %s to wait and waited %s, want 1.5s", told, waited)
	}
	if n := s.Demo.Books().Len(); n != 2 {
		t.Errorf("the upstream was asked %d times, want 2", n)
	}
}

func statuses(list []exchanged) []int {
	var all []int
	for _, x := range list {
		all = append(all, x.status)
	}
	return all
}

// announced returns how long an answer asks to wait in the given header.
func announced(t *testing.T, x exchanged, header string) time.Duration {
	t.Helper()
	unit := map[string]time.Duration{"Retry-After": time.Second, "Retry-After-Ms": time.Millisecond}[header]
	n, err := strconv.Atoi(x.header.Get(header))
	if err != nil {
		t.Fatalf("%s: %v", header, err)
	}
	return time.Duration(n) * unit
}
