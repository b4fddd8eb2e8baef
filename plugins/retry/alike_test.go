package retry

import (
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/holysheep/relay/plugins"
	"github.com/holysheep/relay/plugins/plugintest"
)

func TestASecondAttemptFallsBackOnNoModel(t *testing.T) {
	tests := []struct {
		name, model string // that the first attempt asks for
		want        string
	}{
		{"the client's model", "wanted", "off"},
		{"a model that it fell back on", "other", ""},
		{"no matter which", "", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				noted := &names{}
				up := upstream()
				for range hedgeKnown {
					up.Then(says(200))
				}
				up.Then(after(time.Second, nil, says(200))).Then(after(0, nil, says(200)))
				note := plugintest.RoundTripFunc(func(req *http.Request) (*http.Response, error) {
					plugins.AttemptOf(req.Context()).Begin("one", "", tt.model, 1)
					noted.note(req.Header.Get("X-Relay-Fallback"))
					return up.RoundTrip(req)
				})
				r := build(t, func(s *Settings) { s.Hedge.Endpoints = []string{embeddings} }, note)
				for range hedgeKnown + 1 {
					req := embed(t, `{"model":"wanted"}`)
					call := plugins.NewCall("id", func() plugins.Ask { return plugins.Ask{Model: "wanted", Whole: true} })
					res, err := r.RoundTrip(req.WithContext(plugins.WithCall(req.Context(), call)))
					if err != nil || status(res) != http.StatusOK {
						t.Fatalf("got %v, %v, want 200", res, err)
					}
					if got := req.Header.Get("X-Relay-Fallback"); got != "" {
						t.Errorf("the client's own request has become %q", got)
					}
				}
				refuses := noted.list()
				if len(refuses) != hedgeKnown+2 {
					t.Fatalf("asked %d times, want a hedge", len(refuses))
				}
				if first, second := refuses[hedgeKnown], refuses[hedgeKnown+1]; first != "" || second != tt.want {
					t.Errorf("X-Relay-Fallback is %q, then %q, want none, then %q", first, second, tt.want)
				}
			})
		})
	}
}
