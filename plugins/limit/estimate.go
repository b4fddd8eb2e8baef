package limit

import (
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/holysheep/relay/internal/wire"
	"github.com/holysheep/relay/plugins"
)

// Estimate says how many tokens a request is taken for before its answer tells.
type Estimate struct {
	// BytesPerToken is how many bytes of a request's body are one token of its
	// input. More reserves less.
	BytesPerToken int64 `koanf:"bytes_per_token" jsonschema:"minimum=1,maximum=16"`

	// Output is how many tokens the answer to a request is taken for that does
	// not bound it, by max_tokens or what its API calls that.
	Output int64 `koanf:"output" jsonschema:"minimum=0,maximum=1000000"`

	// Media is how many tokens of input an image, a recording or another file
	// in the request is.
	Media int64 `koanf:"media" jsonschema:"minimum=0,maximum=1000000"`
}

// Limits of estimates.
const (
	maxBytesPerToken = 16
	maxEstimate      = 1_000_000

	// maxOutput is the most tokens of an answer that a request is taken to ask
	// for: more than any limit is worth, and little enough to be added up.
	maxOutput = 1_000_000_000_000
)

// estimateDefaults returns the estimates of a configuration that says nothing of
// them.
func estimateDefaults() Estimate { return Estimate{BytesPerToken: 4, Output: 1024, Media: 1000} }

// validate reports every problem at once, each with its key first.
func (e Estimate) validate() error {
	var errs []error
	for _, n := range []struct {
		key                string
		value, least, most int64
	}{
		{"bytes_per_token", e.BytesPerToken, 1, maxBytesPerToken},
		{"output", e.Output, 0, maxEstimate},
		{"media", e.Media, 0, maxEstimate},
	} {
		if n.value < n.least || n.value > n.most {
			errs = append(errs, fmt.Errorf("%s: %d is not from %d to %d", n.key, n.value, n.least, n.most))
		}
	}
	return errors.Join(errs...)
}

// of returns how many tokens of input and of output the request is taken for.
// Neither is negative, and the input is never more than the body has bytes.
//
// The input is the body, JSON around the text included, by [plugins.Measure];
// the output what the request bounds it by, or else Output. How many answers it
// asks for (n) is not looked at, nor what it refers to by a URL or an id, such as
// an image or the response before: settling makes up for that. What only stores
// files or lists models has no tokens.
//
// It is rough, -50 % to +75 % of the truth over the texts in testdata: English
// +25 %, code -10 %, Chinese -7 % in a newer vocabulary and -37 % in an older one,
// numbers -50 %. The README has the table.
func (e Estimate) of(req *http.Request, call *plugins.Call) (input, output int64) {
	route, _ := wire.OfURL(req.URL)
	switch route.Kind {
	case wire.Models, wire.Realtime:
		return 0, 0
	case wire.Other:
		if stores(req.URL.Path) {
			return 0, 0
		}
		output = max(call.Ask().MaxTokens, 0)
	case wire.Chat, wire.Completions, wire.Responses, wire.Messages, wire.Generate:
		if output = call.Ask().MaxTokens; output <= 0 {
			output = e.Output
		}
	}
	return call.Measure(req).Tokens(e.BytesPerToken, e.Media), min(output, maxOutput)
}

// stores reports whether a path that is not that of a model stores what models
// are to read later: files, and jobs over them.
func stores(path string) bool {
	for _, kept := range []string{"/files", "/uploads", "/batches", "/fine_tuning", "/vector_stores"} {
		if strings.Contains(path, kept) {
			return true
		}
	}
	return false
}
