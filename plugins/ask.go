package plugins

import (
	"math/bits"
	"net/http"
)

// A Field is a set of fields of an [Ask].
type Field uint8

// The fields of an Ask.
const (
	FieldModel Field = 1 << iota
	FieldStream
	FieldMaxTokens

	// fieldUsage is stream_options. Nobody decides by it: a doubt about it
	// keeps [Ask.Rewrite] from touching it.
	fieldUsage
)

// everyField is all of them.
const everyField = FieldModel | FieldStream | FieldMaxTokens | fieldUsage

// An Ask is what a request asks for, as far as its body says: read once, by
// [ReadAsk], and shared by everybody who wants to know.
//
// A field that is in doubt holds what was read of it first, or nothing. That
// is good enough to tell, not to decide.
type Ask struct {
	Model     string // as the client wrote it; "" if it named none, or none that can be seen
	Stream    bool   // whether the answer shall come as a stream
	MaxTokens int64  // the most tokens the answer may have; 0 if not stated
	Whole     bool   // whether the body was seen to its end

	// IncludeUsage tells whether a stream shall end with its usage, as
	// stream_options.include_usage has it.
	IncludeUsage bool

	peeked int64 // how many bytes of the body were seen

	// why says for people, for each field that two readers of the body could
	// read differently, what is wrong with it.
	why [4]string

	// Where Rewrite finds in the body what it changes.
	model    span      // the model's value; no span if none is there that all readers see
	form     bool      // the model is a field of a form, not a JSON string
	resource bool      // the model is written as a resource of Gemini's: models/MODEL
	usage    span      // what takes the place of include_usage; may be empty
	usageAs  usageForm // in which form it does
}

// A span is a range of bytes of a body. One that ends at 0 is none: there is
// nothing to change at the beginning of a body.
type span struct{ from, to int }

// there reports whether the span is one.
func (s span) there() bool { return s.to > 0 }

// tooLong is why a body is in doubt of which only the beginning was seen. It is
// the last doubt to come: a field that has no other was read well as far as the
// body goes.
const tooLong = "it is longer than max_replay"

// ModelDoubt returns nil if the model that was read can be taken at its word:
// it is in no doubt, or only since the end of a long body is unseen.
func (a Ask) ModelDoubt() error {
	if a.why[0] == tooLong && a.Model != "" {
		return nil
	}
	return a.Doubt(FieldModel)
}

// ErrAmbiguousBody refuses a body whose inspected fields two readers could
// read differently, where something depends on such a field.
var ErrAmbiguousBody = &Error{
	Status:  http.StatusBadRequest,
	Type:    "invalid_request_error",
	Code:    "ambiguous_body",
	Message: "the request's body cannot be read with certainty",
}

// Doubt returns nil if each of fields was read in the one way in which any
// reader would read it, and otherwise [ErrAmbiguousBody] with the reason.
// Whoever decides by a field asks this first; whoever does not, lets the body
// pass as it is.
func (a Ask) Doubt(fields Field) error {
	for i, why := range a.why {
		if fields&(1<<i) != 0 && why != "" {
			return ErrAmbiguousBody.Saying(ErrAmbiguousBody.Message + ": " + why)
		}
	}
	return nil
}

// doubt puts fields in doubt. The first reason stays.
func (a *Ask) doubt(fields Field, why string) {
	for rest := fields; rest != 0; rest &= rest - 1 {
		if i := bits.TrailingZeros8(uint8(rest)); a.why[i] == "" {
			a.why[i] = why
		}
	}
}
