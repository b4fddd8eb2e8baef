package plugins

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
)

// Prices are what models cost, by the name that clients use or a glob of it:
// see [MatchModel].
type Prices map[string]Price

// A Price is what a model costs: US dollars per million tokens, but for
// Request.
type Price struct {
	// Input is the price of the question's tokens, in US dollars per million.
	Input float64 `koanf:"input" json:"input" jsonschema:"minimum=0,maximum=1000000"`

	// Output is the price of the answer's tokens, in US dollars per million.
	Output float64 `koanf:"output" json:"output" jsonschema:"minimum=0,maximum=1000000"`

	// Cached is the price of the question's tokens that the upstream read from
	// its prompt cache, in US dollars per million. Unset it is that of input.
	Cached *float64 `koanf:"cached" json:"cached,omitempty" jsonschema:"minimum=0,maximum=1000000"`

	// Written is the price of the question's tokens that the upstream wrote to
	// its prompt cache, in US dollars per million. Unset it is that of input.
	Written *float64 `koanf:"written" json:"written,omitempty" jsonschema:"minimum=0,maximum=1000000"`

	// Request is what each request costs beside its tokens, in US dollars.
	Request float64 `koanf:"request" json:"request,omitempty" jsonschema:"minimum=0,maximum=1000000"`

	// Direct is what the same tokens cost whoever goes to the model's maker.
	// Unset nothing is saved: it is the price itself.
	Direct *DirectPrice `koanf:"direct" json:"direct,omitempty"`
}

// A DirectPrice is what the tokens of a model cost whoever goes to its maker.
// Cached and written tokens are the same part of it as they are of input at the
// upstream, and a request costs the same beside its tokens.
type DirectPrice struct {
	// Input is the price of the question's tokens, in US dollars per million.
	Input float64 `koanf:"input" json:"input" jsonschema:"minimum=0,maximum=1000000"`

	// Output is the price of the answer's tokens, in US dollars per million.
	Output float64 `koanf:"output" json:"output" jsonschema:"minimum=0,maximum=1000000"`
}

// maxPrice is the highest price that is believed, in US dollars: a thousand
// times that of the dearest model.
const maxPrice = 1_000_000

// DefaultPrices returns the prices of a configuration that says nothing of
// them: HolySheep's price list, with the makers' prices that it compares with.
// It has one number for input and output.
func DefaultPrices() Prices {
	price := func(here, direct float64) Price {
		return Price{Input: here, Output: here, Direct: &DirectPrice{Input: direct, Output: direct}}
	}
	return Prices{
		"gpt-4.1":           price(8, 60),
		"claude-sonnet-4.5": price(15, 90),
		"gemini-2.5-flash":  price(2.50, 15),
		"deepseek-v3.2":     price(0.42, 2.80),
	}
}

// Of returns the price of a model, false if it has none.
func (p Prices) Of(model string) (Price, bool) {
	price, found := p[p.Key(model)]
	return price, found
}

// Key returns under which key of p the price of a model stands: its name, else
// the longest glob that fits, of several as long the first in the alphabet; ""
// if there is none.
func (p Prices) Key(model string) string {
	if model == "" {
		return ""
	}
	if _, exact := p[model]; exact {
		return model
	}
	best := ""
	for glob := range p {
		longer := len(glob) > len(best) || len(glob) == len(best) && glob < best
		if longer && MatchModel(glob, model) {
			best = glob
		}
	}
	return best
}

// Validate reports every problem at once, each with its key from the root of
// the configuration first, such as "prices.gpt-4.1.input".
func (p Prices) Validate() error {
	var errs []error
	for _, model := range slices.Sorted(maps.Keys(p)) {
		if model == "" {
			errs = append(errs, errors.New("prices: holds an empty name: name a model, or a glob such as gpt-*"))
		}
		for _, problem := range p[model].problems() {
			errs = append(errs, fmt.Errorf("prices.%s.%w", model, problem))
		}
	}
	return errors.Join(errs...)
}

// problems returns all that is wrong with the price, each with its key first.
func (p Price) problems() []error {
	var errs []error
	check := func(key string, dollars float64) {
		switch {
		case math.IsNaN(dollars) || math.IsInf(dollars, 0):
			errs = append(errs, fmt.Errorf("%s: %v is no price", key, dollars))
		case dollars < 0:
			errs = append(errs, fmt.Errorf("%s: %v is negative", key, dollars))
		case dollars > maxPrice:
			errs = append(errs, fmt.Errorf("%s: %v is above %d dollars", key, dollars, maxPrice))
		}
	}
	check("input", p.Input)
	check("output", p.Output)
	if p.Cached != nil {
		check("cached", *p.Cached)
	}
	if p.Written != nil {
		check("written", *p.Written)
	}
	check("request", p.Request)
	if p.Direct != nil {
		check("direct.input", p.Direct.Input)
		check("direct.output", p.Direct.Output)
	}
	return errs
}
