// Package scrub takes out of errors what a stranger wrote, so that they can be
// logged: net/http repeats in its errors what it could not parse, which may be
// an answer or a key.
//
// It does not know keys: it keeps the words of the libraries alone.
package scrub

import (
	"errors"
	"net/textproto"
	"strings"
)

// Error returns err's text without what stands in it between quotation marks,
// and without malformed header lines, which stand in it bare.
func Error(err error) string {
	if err == nil {
		return ""
	}
	text := err.Error()
	if line := textproto.ProtocolError(""); errors.As(err, &line) {
		text = strings.Replace(text, string(line), "malformed header", 1)
	}
	return unquoted(text)
}

// unquoted leaves the quotation marks, and nothing between them. One that is
// not closed opens to the end.
func unquoted(text string) string {
	var b strings.Builder
	for {
		before, rest, found := strings.Cut(text, `"`)
		b.WriteString(before)
		if !found {
			return b.String()
		}
		b.WriteString(`"…"`)
		if text, found = closed(rest); !found {
			return b.String()
		}
	}
}

// closed returns what comes after the next quotation mark that is not escaped.
func closed(text string) (rest string, found bool) {
	for i := 0; i < len(text); i++ {
		switch text[i] {
		case '\\':
			i++
		case '"':
			return text[i+1:], true
		}
	}
	return "", false
}

// Wrap returns an error with err in its tree whose text is scrubbed, with
// prefix in front.
func Wrap(prefix string, err error) error { return &scrubbed{prefix: prefix, err: err} }

type scrubbed struct {
	prefix string
	err    error
}

func (s *scrubbed) Error() string { return s.prefix + Error(s.err) }

func (s *scrubbed) Unwrap() error { return s.err }
