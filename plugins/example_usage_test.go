package plugins_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/holysheep/relay/plugins"
)

// Reading what an answer has used while it passes.
func ExampleUsageReader() {
	question := `{"model":"gpt-4.1","messages":[{"role":"user","content":"Hello"}]}`
	answer := `{"model":"gpt-4.1-2025-04-14","choices":[],"usage":{"prompt_tokens":8,"completion_tokens":2}}`
	req, _ := http.NewRequest(http.MethodPost, "/v1/chat/completions", strings.NewReader(question))
	res := &http.Response{Body: io.NopCloser(strings.NewReader(answer))}

	reader := plugins.NewUsageReader(req.URL, req.ContentLength)
	plugins.Watch(res, reader.JSON, func(whole bool) {
		u := reader.Usage(whole)
		fmt.Println(u.Model, u.Input, u.Output, u.Source)
	})
	_, _ = io.Copy(io.Discard, res.Body)
	// Output: gpt-4.1-2025-04-14 8 2 reported
}
