package plugins

import (
	"net/http"
)

// A Field is a set of fields of an [Ask].
type Field uint8

// The fields of an Ask.
const (
	FieldModel Field = 1 << iota
	FieldStream
	FieldMaxTokens
)

// An Ask is what a request asks for, as far as its body says: read once, by
// [ReadAsk], and shared by everybody who wants to know.
type Ask struct {
	Model     string // as the client wrote it; "" if it named none
	Stream    bool   // whether the answer shall come as a stream
	MaxTokens int64  // the most tokens the answer may have; 0 if not stated

	doubt Field  // fields that two readers of the body could read differently
	why   string // what is wrong with them, for people
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
	if a.doubt&fields == 0 {
		return nil
	}
	return ErrAmbiguousBody.Saying(ErrAmbiguousBody.Message + ": " + a.why)
}
