// Package wire knows the APIs that are relayed: the table of their routes, in
// which forms they stream and report errors, and which of their events carry
// meaning. Each API is a wire; nothing is translated from one to another.
package wire

import (
	"slices"
	"strings"
)

// A Name is the name of a wire, as the configuration has it.
type Name string

// The wires.
const (
	OpenAI    Name = "openai"    // under /v1/, and whatever else stands there
	Anthropic Name = "anthropic" // /v1/messages and what is under it
	Gemini    Name = "gemini"    // under /v1beta/, and /v1/models/MODEL:VERB of its verbs
	Azure     Name = "azure"     // under /openai/, OpenAI's forms by deployment
)

// Names returns every wire.
func Names() []Name { return []Name{OpenAI, Anthropic, Gemini, Azure} }

// A Kind is what a route asks for, as far as answers of it are looked into.
type Kind uint8

// The kinds of routes.
const (
	Other       Kind = iota // passed on and not looked into
	Chat                    // chat/completions
	Completions             // completions
	Responses               // responses
	Embeddings              // embeddings
	Moderations             // moderations
	Rerank                  // rerank
	Messages                // Anthropic's messages
	CountTokens             // Anthropic's messages/count_tokens
	Generate                // Gemini's generateContent and streamGenerateContent
	Embed                   // Gemini's embedContent and batchEmbedContents
	Realtime                // a WebSocket
	Models                  // the list of models, and a model of it
)

// A Route is what a path says of a request.
type Route struct {
	Wire   Name
	Kind   Kind
	Prefix string // of the path: an upstream's base URL stands in its place
	Label  string // for metrics: one of a closed set
}

// Inspected reports whether answers of the route are looked into, so that the
// upstream is asked not to encode them.
func (r Route) Inspected() bool { return r.Kind != Other && r.Kind != Realtime && r.Kind != Models }

// Of returns the route of a path that is relayed, false for any other. The path
// is compared as it was sent, escapes included.
func Of(path string) (Route, bool) {
	switch {
	case strings.HasPrefix(path, "/v1/"):
		return ofV1(path), true
	case strings.HasPrefix(path, "/v1beta/"):
		return ofGemini(path, "/v1beta"), true
	case strings.HasPrefix(path, "/openai/"):
		return ofAzure(path), true
	}
	return Route{}, false
}

// ofV1 returns the route of a path under /v1/, where three wires meet.
func ofV1(path string) Route {
	rest := strings.TrimPrefix(path, "/v1/")
	switch {
	case rest == "messages" || strings.HasPrefix(rest, "messages/"):
		r := Route{Wire: Anthropic, Prefix: "/v1", Label: "/v1/messages"}
		switch rest {
		case "messages":
			r.Kind = Messages
		case "messages/count_tokens":
			r.Kind = CountTokens
		}
		return r
	case strings.HasPrefix(rest, "models/") && geminiVerb(verb(rest)):
		return ofGemini(path, "/v1")
	}
	return Route{Wire: OpenAI, Kind: openAIKind(rest), Prefix: "/v1", Label: label(path)}
}

// openAIKind returns the kind of a route by what follows OpenAI's version.
func openAIKind(rest string) Kind {
	switch rest {
	case "chat/completions":
		return Chat
	case "completions":
		return Completions
	case "responses":
		return Responses
	case "embeddings":
		return Embeddings
	case "moderations":
		return Moderations
	case "rerank":
		return Rerank
	case "realtime":
		return Realtime
	case "models":
		return Models
	}
	if strings.HasPrefix(rest, "models/") {
		return Models
	}
	return Other
}

// ofGemini returns the route of a path of Gemini's, which ends in models/MODEL:VERB
// where a model is asked.
func ofGemini(path, prefix string) Route {
	r := Route{Wire: Gemini, Prefix: prefix, Label: prefix + "/*"}
	switch verb(path) {
	case "generateContent", "streamGenerateContent":
		r.Kind, r.Label = Generate, prefix+"/models/:generateContent"
	case "embedContent", "batchEmbedContents":
		r.Kind, r.Label = Embed, prefix+"/models/:embedContent"
	case "countTokens":
		r.Label = prefix + "/models/:countTokens"
	}
	return r
}

// verb returns what follows the last colon of a path, "" without one.
func verb(path string) string {
	if i := strings.LastIndexByte(path, ':'); i > strings.LastIndexByte(path, '/') {
		return path[i+1:]
	}
	return ""
}

// geminiVerb reports whether Gemini's API asks a model by that verb. Under /v1/
// any other colon is a part of a model's name, as in those of OpenAI's
// fine-tuned models.
func geminiVerb(verb string) bool {
	switch verb {
	case "generateContent", "streamGenerateContent", "countTokens", "embedContent", "batchEmbedContents",
		"predict", "predictLongRunning":
		return true
	}
	return false
}

// ofAzure returns the route of a path of Azure's: /openai/deployments/NAME/… and
// /openai/v1/….
func ofAzure(path string) Route {
	r := Route{Wire: Azure, Prefix: "/openai", Label: "/openai/*"}
	rest := strings.TrimPrefix(path, "/openai/")
	if after, found := strings.CutPrefix(rest, "deployments/"); found {
		_, after, _ = strings.Cut(after, "/")
		r.Kind, r.Label = openAIKind(after), "/openai/deployments/*"
	} else if after, found := strings.CutPrefix(rest, "v1/"); found {
		r.Kind = openAIKind(after)
	}
	if r.Kind == Models {
		r.Kind = Other // in Azure's own form
	}
	return r
}

// labels are the endpoints of OpenAI's API, and of those that follow it, by
// their first words.
var labels = []string{ //nolint:gochecknoglobals // a table that nobody changes
	"/v1/audio/speech", "/v1/audio/transcriptions", "/v1/audio/translations",
	"/v1/batches", "/v1/chat/completions", "/v1/completions", "/v1/embeddings",
	"/v1/files", "/v1/fine_tuning", "/v1/images/edits", "/v1/images/generations",
	"/v1/images/variations", "/v1/models", "/v1/moderations",
	"/v1/realtime", "/v1/rerank", "/v1/responses", "/v1/uploads", "/v1/videos",
}

// label returns the label of a path under /v1/.
func label(path string) string {
	i, found := slices.BinarySearch(labels, path)
	if found {
		return path
	}
	// The label that is a prefix of the path, if any, sorts just before it.
	if i > 0 && strings.HasPrefix(path, labels[i-1]+"/") {
		return labels[i-1]
	}
	return "/v1/*"
}
