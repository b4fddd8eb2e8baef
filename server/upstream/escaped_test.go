package upstream

import (
	"net/http"
	"testing"

	"github.com/holysheep/relay/internal/wire"
	"github.com/holysheep/relay/plugins"
	"github.com/holysheep/relay/plugins/plugintest"
)

// An upstream decodes the path, so an escape in it hides nothing: neither what
// an answer has used nor whose API is asked.
func TestEscapesInThePathHideNoUsage(t *testing.T) {
	decodes := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.URL.RawPath = ""
		still().ServeHTTP(w, r)
	})
	for _, path := range []string{"/v1/chat/c%6Fmpletions", "/v1/chat%2Fcompletions"} {
		x := newTrial(t, decodes, path, withThem, nil)
		res, err := x.do()
		if text, err := readAll(t, res, err); err != nil || text == "" {
			t.Fatalf("%s: %q, %v", path, text, err)
		}
		if u := x.attempt.Usage(); u.Source != plugins.UsageReported || u.Total() == 0 {
			t.Errorf("%s: usage %+v, want it as it was reported", path, u)
		}
	}
}

func TestEscapesInThePathHideNoWire(t *testing.T) {
	p := newPool(t, nil, map[string]Settings{
		"a": settings("http://a/v1", func(s *Settings) { s.Wires = []wire.Name{wire.Anthropic} }),
		"o": settings("http://o/v1", func(s *Settings) { s.Wires = []wire.Name{wire.OpenAI} }),
	})
	for path, want := range map[string]string{"/v1/m%65ssages": "a", "/v1/messages": "a", "/v1/m%65ssage": "o"} {
		for _, m := range p.members {
			m.client = says(http.StatusNoContent)
		}
		attempt, req := &plugins.Attempt{}, plugintest.Request(t, "{}")
		req.URL, _ = req.URL.Parse(path)
		res, err := p.RoundTrip(req.WithContext(plugins.WithAttempt(req.Context(), attempt)))
		if err != nil {
			t.Fatal(err)
		}
		if _ = res.Body.Close(); attempt.Upstream() != want {
			t.Errorf("%s: asked %q, want %q", path, attempt.Upstream(), want)
		}
	}
}
