package auth_test

import (
	"net/http/httptest"
	"testing"

	"github.com/labstack/echo/v4"

	"github.com/holysheep/relay/plugins"
)

// BenchmarkServe is what auth adds to a request that it lets pass: for any
// model, and for certain models.
func BenchmarkServe(b *testing.B) {
	for _, key := range []string{"new", "wide"} {
		b.Run(key, func(b *testing.B) {
			handler := link(b, env(b, clients())).Serve(func(echo.Context) error { return nil })
			req := httptest.NewRequest("POST", "/v1/chat/completions", nil)
			req.Header.Set("Authorization", "Bearer sk-hs-"+key)
			call := plugins.NewCall("", func() plugins.Ask { return plugins.Ask{Model: "gpt-4.1"} })
			req = req.WithContext(plugins.WithCall(req.Context(), call))
			c := echo.New().NewContext(req, httptest.NewRecorder())
			b.ReportAllocs()
			for b.Loop() {
				if err := handler(c); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
