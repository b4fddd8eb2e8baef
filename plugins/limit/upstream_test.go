package limit

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/holysheep/relay/plugins"
	"github.com/holysheep/relay/plugins/plugintest"
)

// TestTheUpstreamsLimitsStayWithTheRelay holds answers to losing what the
// upstream says of its own limits, and the metrics to having it.
func TestTheUpstreamsLimitsStayWithTheRelay(t *testing.T) {
	tests := []struct {
		name             string
		upstream         string
		header           http.Header
		requests, tokens float64
	}{
		{
			name:     "OpenAI's",
			upstream: "first",
			header: http.Header{
				"X-Ratelimit-Limit-Requests":     {"500"},
				"X-Ratelimit-Remaining-Requests": {"499"},
				"X-Ratelimit-Reset-Requests":     {"120ms"},
				"X-Ratelimit-Remaining-Tokens":   {"29900"},
			},
			requests: 499,
			tokens:   29900,
		},
		{
			name:     "Anthropic's",
			upstream: "first",
			header: http.Header{
				"Anthropic-Ratelimit-Requests-Remaining":      {"49"},
				"Anthropic-Ratelimit-Tokens-Remaining":        {"7000"},
				"Anthropic-Ratelimit-Output-Tokens-Remaining": {"1"},
			},
			requests: 49,
			tokens:   7000,
		},
		{
			name:     "what is no number",
			upstream: "first",
			header:   http.Header{"X-Ratelimit-Remaining-Requests": {"-1"}, "X-Ratelimit-Remaining-Tokens": {"many"}},
		},
		{
			name:   "no upstream was asked",
			header: http.Header{"X-Ratelimit-Remaining-Requests": {"5"}, "Ratelimit": {`"a";r=1`}, "X-RateLimit-Limit": {"7"}},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			env := plugintest.Env(t, nil)
			rt := build(t, env, nil).Fetch(plugintest.RoundTripFunc(func(req *http.Request) (*http.Response, error) {
				if tt.upstream != "" {
					plugins.CallOf(req.Context()).Trail.Note(tt.upstream, 0)
				}
				res := plugintest.Response(req, 200, "{}")
				res.Header = tt.header
				res.Header.Set("X-Other", "stays")
				return res, nil
			}))
			res, err := rt.RoundTrip(plugintest.Request(t, `{}`))
			if err != nil {
				t.Fatal(err)
			}
			_ = res.Body.Close()
			if len(res.Header) != 1 || res.Header.Get("X-Other") != "stays" {
				t.Errorf("header = %v, want X-Other alone", res.Header)
			}
			for kind, want := range map[string]float64{"requests": tt.requests, "tokens": tt.tokens} {
				labels := map[string]string{"upstream": "first", "kind": kind}
				if got := value(t, env, "relay_limit_upstream_remaining", labels); got != want {
					t.Errorf("%s left = %g, want %g", kind, got, want)
				}
			}
		})
	}
}

// FuzzUpstreamHeaders gives an answer two headers of the upstream's choice: no
// word of its limits is left, and nothing else is lost.
func FuzzUpstreamHeaders(f *testing.F) {
	f.Add("X-RateLimit-Remaining-Requests", "12", "Content-Type", "application/json")
	f.Add("ratelimit", `"default";r=50;t=30`, "RateLimit-Policy", `"default";q=100`)
	f.Add("anthropic-ratelimit-tokens-remaining", "99999999999999999999", "x-ratelimit", "-5")
	f.Fuzz(func(t *testing.T, key, value, other, text string) {
		h := http.Header{"X-Other": {"stays"}, key: {value}, other: {text}}
		want := slices.DeleteFunc([]string{"X-Other", key, other}, func(k string) bool {
			k = strings.ToLower(k)
			return strings.HasPrefix(k, "x-ratelimit-") || strings.HasPrefix(k, "anthropic-ratelimit-") ||
				k == "ratelimit" || strings.HasPrefix(k, "ratelimit-")
		})
		newMetrics(prometheus.NewRegistry()).upstream("first", h)
		for k := range h {
			if !slices.Contains(want, k) {
				t.Errorf("%q is left", k)
			}
		}
		for _, k := range want {
			if _, ok := h[k]; !ok {
				t.Errorf("%q is lost", k)
			}
		}
	})
}
