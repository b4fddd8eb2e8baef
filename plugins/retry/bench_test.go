package retry

import (
	"net/http"
	"testing"

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
