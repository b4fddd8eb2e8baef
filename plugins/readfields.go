package plugins

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// A name is one under which a field stands in a body.
type name struct {
	text  string
	field Field
}

// names is every name. MaxTokens has three: that of chat, that of chat with
// reasoning models, and that of responses. models is a list of models to fall
// back on, which some gateways take beside or in place of model.
//
// generationConfig is Gemini's object around maxOutputTokens; its API takes
// the second spelling too. stream_options is the object around include_usage.
func names() [9]name {
	return [9]name{
		{"model", FieldModel},
		{"stream", FieldStream},
		{"max_tokens", FieldMaxTokens},
		{"max_completion_tokens", FieldMaxTokens},
		{"max_output_tokens", FieldMaxTokens},
		{"models", FieldModel},
		{"generationConfig", FieldMaxTokens},
		{"generation_config", FieldMaxTokens},
		{"stream_options", fieldUsage},
	}
}

// findName returns the place in names of key, and whether key is the name or
// only looks so to a reader that folds case. The place is -1 if it is none.
func findName(key string) (place int, exact bool) {
	for i, n := range names() {
		if strings.EqualFold(key, n.text) {
			return i, key == n.text
		}
	}
	return -1, false
}

// An asker fills an Ask with the fields of a body, be it JSON or a form.
type asker struct {
	Ask
	seen [9]bool // by place in names
}

// first reports whether the field at place is there for the first time and
// under its exact name, so that its value counts. If not, it is in doubt.
func (a *asker) first(place int, exact bool) bool {
	n := names()[place]
	switch {
	case !exact:
		a.doubt(n.field, n.text+" is there in another spelling")
	case a.seen[place]:
		a.doubt(n.field, n.text+" is there twice")
	default:
		a.seen[place] = true
		return true
	}
	return false
}

// set gives the field at place its value.
func (a *asker) set(place int, value []byte) {
	n := names()[place]
	if n.text == "models" {
		a.doubt(n.field, "models names others that may answer")
		return
	}
	switch n.field {
	case FieldModel:
		a.Model = string(value)
		// NUL ends a text for some readers, and U+FFFD stands for bytes or
		// surrogates that were no character.
		if !utf8.Valid(value) || strings.ContainsAny(a.Model, "\x00\uFFFD") {
			a.doubt(n.field, "model is not plain text")
		}
	case FieldStream:
		a.Stream = string(value) == "true"
		if !a.Stream && string(value) != "false" {
			a.doubt(n.field, "stream is neither true nor false")
		}
	case FieldMaxTokens:
		most, err := strconv.ParseInt(string(value), 10, 64)
		if err != nil || !digit(value[0]) || value[0] == '0' && len(value) > 1 {
			a.doubt(n.field, n.text+" is not a whole number from 0")
			return
		}
		a.MaxTokens = max(a.MaxTokens, most)
	}
}
