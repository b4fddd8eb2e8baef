package plugins

import (
	"errors"
	"maps"
	"net/http"
)

// An Error is an error and the answer that the client gets for it. Any other
// error reaches the client as 500 "server_error", without its text.
type Error struct {
	Status  int         // HTTP status, 4xx or 5xx
	Type    string      // for programs: the family, such as "rate_limit_error"
	Code    string      // for programs: the exact reason, such as "invalid_api_key"
	Message string      // for people: one sentence, without secrets
	Header  http.Header // more headers of the answer, such as Retry-After; may be nil
	Err     error       // the cause: logged, never sent; may be nil

	// Again says that another attempt may do better: such an error comes from a
	// single upstream. Whoever asks again takes any other as final.
	Again bool
}

// Error implements error. The text is for logs.
func (e *Error) Error() string {
	if e.Err == nil {
		return e.Code + ": " + e.Message
	}
	return e.Code + ": " + e.Message + ": " + e.Err.Error()
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// Is reports whether target is an [*Error] of the same status and code, so
// that a copy still equals the package variable that it came from.
func (e *Error) Is(target error) bool {
	t, ok := target.(*Error)
	return ok && t != nil && t.Code == e.Code && t.Status == e.Status
}

// Because returns a copy of e with err as its cause.
func (e *Error) Because(err error) *Error {
	c := e.clone()
	c.Err = err
	return c
}

// Saying returns a copy of e with another message for people.
func (e *Error) Saying(message string) *Error {
	c := e.clone()
	c.Message = message
	return c
}

// With returns a copy of e with more headers, in place of those of the same
// name.
func (e *Error) With(header http.Header) *Error {
	c := e.clone()
	if c.Header == nil {
		c.Header = make(http.Header, len(header))
	}
	maps.Copy(c.Header, header.Clone())
	return c
}

// clone returns a copy of e that shares no header with it.
func (e *Error) clone() *Error {
	c := *e
	c.Header = e.Header.Clone()
	return &c
}

// AsError returns the answer in err's tree, if there is one.
func AsError(err error) (*Error, bool) { return errors.AsType[*Error](err) }
