package limit

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/holysheep/relay/plugins"
	"github.com/holysheep/relay/plugins/plugintest"
)

// TestABodyThatIsNotSeenToItsEnd names its model and max_tokens in what is seen:
// another max_tokens could follow.
func TestABodyThatIsNotSeenToItsEnd(t *testing.T) {
	tests := []struct {
		name, code string
		rule       Rule
	}{
		{"a limit of tokens", "ambiguous_body", Rule{Tokens: Tokens{Limit: 1_000_000}}},
		{"a limit of the answer", "ambiguous_body", Rule{OutputTokens: Tokens{Limit: 1_000_000}}},
		{"a budget", "ambiguous_body", Rule{Budget: Budget{USD: 1}}},
		{"a limit of the question", "", Rule{InputTokens: Tokens{Limit: 1_000_000}}},
		{"requests of a model", "", Rule{Models: []string{"eight"}, Requests: 1}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tt.rule.Per = perGlobal
			l := limits(t, priced(t), with("each", tt.rule))
			req := plugintest.Request(t, settled)
			body, whole := settled+strings.Repeat(" ", 1000), false
			req.Body, req.ContentLength = io.NopCloser(strings.NewReader(body)), int64(len(body))
			call := plugins.NewCall("id", func() plugins.Ask { return plugins.ReadAsk(req, []byte(settled[:39]), whole) })
			err := to(l.through(using("eight", http.StatusOK, reported(1, 1))), req.WithContext(plugins.WithCall(req.Context(), call)))
			if got := code(t, err); got != tt.code {
				t.Errorf("code = %q, want %q", got, tt.code)
			}
		})
	}
}
