package plugins

// Prices are what models cost, by the name that clients use or a glob of it.
type Prices map[string]Price

// A Price is what the tokens of a model cost, in US dollars per million.
type Price struct {
	// Input is the price of the question's tokens.
	Input float64 `koanf:"input" jsonschema:"minimum=0"`

	// Output is the price of the answer's tokens.
	Output float64 `koanf:"output" jsonschema:"minimum=0"`
}
