package retry

import (
	"net/http"
	"testing"
	"time"

	"github.com/holysheep/relay/plugins"
	"github.com/holysheep/relay/plugins/plugintest"
)

// BenchmarkFirstAnswer is the way of nearly every request: what retry costs
// when nothing has to be asked again.
func BenchmarkFirstAnswer(b *testing.B) {
	for _, headers := range []bool{false, true} {
		name := map[bool]string{false: "plain", true: "headers"}[headers]
		b.Run(name, func(b *testing.B) {
			req := plugintest.Request(b, "{}")
			plugins.CallOf(req.Context()).Trail.Note("a", 0)
			res := plugintest.Response(req, http.StatusOK, "{}")
			up := plugintest.RoundTripFunc(func(*http.Request) (*http.Response, error) { return res, nil })
			r := build(b, func(s *Settings) { s.Headers = headers }, up)
			b.ReportAllocs()
			for b.Loop() {
				if _, err := r.RoundTrip(req); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkHedged is the way of a request that might be asked twice at once,
// and is answered in time.
func BenchmarkHedged(b *testing.B) {
	req := embed(b, "{}")
	plugins.CallOf(req.Context()).Trail.Note("a", 0)
	up := plugintest.RoundTripFunc(func(*http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: http.StatusOK, Body: http.NoBody}, nil
	})
	r := hedging(b, func(s *Settings) { s.Hedge.Least = time.Hour }, up)
	b.ReportAllocs()
	for b.Loop() {
		res, err := r.RoundTrip(req)
		if err != nil {
			b.Fatal(err)
		}
		_ = res.Body.Close()
	}
}
