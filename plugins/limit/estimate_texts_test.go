package limit

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/holysheep/relay/plugins"
	"github.com/holysheep/relay/plugins/plugintest"
)

// aChat is how many tokens a chat of one message has beside its text: 3 and its
// role for the message, 3 for the answer to begin (OpenAI's cookbook, "How to
// count tokens with tiktoken").
const aChat = 7

// textTests are the texts in testdata with their tokens, counted by
// github.com/tiktoken-go/tokenizer v0.10.0: o200k_base is the vocabulary of
// GPT-4o and what came after it, cl100k_base that of GPT-4. The last are what
// the estimate of a chat is off by, in percent.
func textTests() []struct {
	name                    string
	o200k, cl100k           int
	offByO200k, offByCl100k int
} {
	return []struct {
		name                    string
		o200k, cl100k           int
		offByO200k, offByCl100k int
	}{
		{"English", 149, 149, 25, 25},
		{"German", 141, 178, 14, -9},
		{"Russian", 132, 244, 70, -6},
		{"Chinese", 178, 267, -7, -37},
		{"Japanese", 180, 245, -5, -30},
		{"Korean", 159, 257, 5, -34},
		{"code", 152, 152, -10, -10},
		{"numbers", 227, 226, -50, -50},
		{"short", 4, 4, 73, 73},
	}
}

// The README tells how wrong an estimate may be: it is held to that.
func TestHowWrongEstimatesAre(t *testing.T) {
	page, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range textTests() {
		text, err := os.ReadFile(filepath.Join("testdata", "texts", strings.ToLower(tt.name)+".txt"))
		if err != nil {
			t.Fatal(err)
		}
		var body bytes.Buffer
		enc := json.NewEncoder(&body)
		enc.SetEscapeHTML(false) // as clients in other languages write it
		_ = enc.Encode(map[string]any{"model": "gpt-4.1", "messages": []any{
			map[string]any{"role": "user", "content": strings.TrimSuffix(string(text), "\n")},
		}})
		req := plugintest.Request(t, strings.TrimSuffix(body.String(), "\n"))
		input, _ := estimateDefaults().of(req, plugins.CallOf(req.Context()))
		off := func(tokens int) int { return int(math.Round(100 * (float64(input)/float64(tokens+aChat) - 1))) }
		if new, old := off(tt.o200k), off(tt.cl100k); new != tt.offByO200k || old != tt.offByCl100k {
			t.Errorf("%s: %d tokens are %+d %% off the newer vocabulary and %+d %% off the older, want %+d and %+d",
				tt.name, input, new, old, tt.offByO200k, tt.offByCl100k)
		}
		row := fmt.Sprintf("| %s | %d | %d | %d | %+d %% | %+d %% |", tt.name, input, tt.o200k+aChat, tt.cl100k+aChat, tt.offByO200k, tt.offByCl100k)
		if !bytes.Contains(page, []byte(row)) {
			t.Errorf("README.md lacks %q", row)
		}
	}
}
