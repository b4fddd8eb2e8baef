package limit

import (
	"maps"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/holysheep/relay/plugins"
	"github.com/holysheep/relay/plugins/plugintest"
)

// TestHeaders sends requests until one is refused or three have passed, and
// compares what the last one is told, by the call and by the refusal.
func TestHeaders(t *testing.T) {
	tests := []struct {
		name     string
		settings Settings
		held     int // requests in flight beforehand
		want     map[string]string
	}{
		{
			name:     "no limit, nothing to tell",
			settings: Settings{Headers: Headers{OpenAI: true, Plain: true}},
			want:     map[string]string{},
		},
		{
			name:     "the defaults",
			settings: Defaults(),
			want: map[string]string{
				openAILimit: "100", openAIRemaining: "99", openAIReset: "1.5s",
				plainLimit: "100", plainRemaining: "99", plainReset: "2",
			},
		},
		{
			name: "of what is in flight alone, that with the fewest slots left",
			settings: Settings{MaxInFlight: 9, Headers: Headers{OpenAI: true, Plain: true}, Rules: map[string]Rule{
				"each": {Per: perClient, InFlight: 8},
			}},
			held: 2,
			want: map[string]string{
				openAILimit: "8", openAIRemaining: "5", openAIReset: "1.5s",
				plainLimit: "8", plainRemaining: "5", plainReset: "2",
			},
		},
		{
			name:     "in flight alone is told by the headers that are switched on",
			settings: Settings{MaxInFlight: 9, Headers: Headers{OpenAI: true}},
			want:     map[string]string{openAILimit: "9", openAIRemaining: "8", openAIReset: "1.5s"},
		},
		{
			name:     "in flight refuses",
			settings: Settings{MaxInFlight: 2, Headers: Headers{OpenAI: true, Plain: true}},
			held:     2,
			want: map[string]string{
				openAILimit: "2", openAIRemaining: "0", openAIReset: "1.5s",
				plainLimit: "2", plainRemaining: "0", plainReset: "2",
				"Retry-After": "2", "Retry-After-Ms": "1500",
			},
		},
		{
			name: "the rate with the least left",
			settings: Settings{MaxInFlight: 9, Headers: Headers{OpenAI: true, Plain: true}, Rules: map[string]Rule{
				"all":  {Per: perGlobal, Requests: 600},
				"each": {Per: perClient, Requests: 7, Period: time.Minute},
			}},
			want: map[string]string{
				openAILimit: "7", openAIRemaining: "4", openAIReset: "25.715s",
				plainLimit: "7", plainRemaining: "4", plainReset: "26",
			},
		},
		{
			name: "a rate refuses",
			settings: Settings{MaxInFlight: 9, Headers: Headers{OpenAI: true, Plain: true}, Rules: map[string]Rule{
				"each": {Per: perClient, Requests: 60, Period: time.Hour, Burst: 2},
			}},
			want: map[string]string{
				openAILimit: "2", openAIRemaining: "0", openAIReset: "2m0s",
				plainLimit: "2", plainRemaining: "0", plainReset: "120",
				"Retry-After": "60", "Retry-After-Ms": "60000",
			},
		},
		{
			name: "in flight refuses where there is a rate",
			settings: Settings{MaxInFlight: 2, Headers: Headers{OpenAI: true, Plain: true}, Rules: map[string]Rule{
				"all": {Per: perGlobal, Requests: 600, Burst: 5},
			}},
			held: 2,
			want: map[string]string{
				openAILimit: "2", openAIRemaining: "0", openAIReset: "1.5s",
				plainLimit: "2", plainRemaining: "0", plainReset: "2",
				"Retry-After": "2", "Retry-After-Ms": "1500",
			},
		},
		{
			name: "both refuse, the rate for longer",
			settings: Settings{Headers: Headers{OpenAI: true, Plain: true}, Rules: map[string]Rule{
				"all":  {Per: perGlobal, Requests: 2, Period: time.Minute},
				"each": {Per: perClient, InFlight: 2},
			}},
			held: 2,
			want: map[string]string{
				openAILimit: "2", openAIRemaining: "0", openAIReset: "1m0s",
				plainLimit: "2", plainRemaining: "0", plainReset: "60",
				"Retry-After": "30", "Retry-After-Ms": "30000",
			},
		},
		{
			name: "OpenAI's alone",
			settings: Settings{Headers: Headers{OpenAI: true}, Rules: map[string]Rule{
				"all": {Per: perGlobal, Requests: 100, Period: time.Second},
			}},
			want: map[string]string{openAILimit: "100", openAIRemaining: "97", openAIReset: "30ms"},
		},
		{
			name: "the plain ones alone",
			settings: Settings{Headers: Headers{Plain: true}, Rules: map[string]Rule{
				"all": {Per: perGlobal, Requests: 100, Period: time.Second},
			}},
			want: map[string]string{plainLimit: "100", plainRemaining: "97", plainReset: "1"},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				link := build(t, plugintest.Env(t, nil), func(s *Settings) {
					s.MaxInFlight, s.Rules, s.Headers = tt.settings.MaxInFlight, tt.settings.Rules, tt.settings.Headers
					s.Hint = 1500 * time.Millisecond
				})
				rt := link.Fetch(plugintest.Answers(200))
				for range tt.held {
					open(t, rt, "ada")
				}
				if got := told(t, rt, 3-tt.held); !maps.Equal(got, tt.want) {
					t.Error(cmp.Diff(got, tt.want))
				}
			})
		})
	}
}

// told sends up to n requests, until one is refused, and returns every header
// of the last answer that the plugin has set.
func told(t *testing.T, rt http.RoundTripper, n int) map[string]string {
	t.Helper()
	var call *plugins.Call
	var err error
	for range n {
		if call, err = send(t, rt, "ada"); err != nil {
			break
		}
	}
	h := http.Header{}
	if e := refused(t, err); e != nil {
		maps.Copy(h, e.Header)
	}
	call.WriteHeaders(h)
	got := map[string]string{}
	for key := range h {
		got[key] = h.Get(key)
	}
	return got
}

// TestHeadersAreNotOnTheAnswer keeps them out of what a cache outside stores.
func TestHeadersAreNotOnTheAnswer(t *testing.T) {
	link := build(t, plugintest.Env(t, nil), with("all", Rule{Per: perGlobal, Requests: 100}))
	res, err := link.Fetch(plugintest.Answers(200)).RoundTrip(plugintest.Request(t, `{}`))
	if err != nil {
		t.Fatal(err)
	}
	for key := range res.Header {
		if tellsLimit(key) {
			t.Errorf("the answer has %s", key)
		}
	}
	_ = res.Body.Close()
}
