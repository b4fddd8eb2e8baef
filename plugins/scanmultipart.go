package plugins

import (
	"bytes"
	"mime"
	"strings"
)

// wordChars are the characters of the names that clients write in headers.
const wordChars = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_"

// readForm reads the fields of a multipart form (RFC 7578) of the given
// Content-Type. It takes a form in the one shape that clients write, since on
// every other some reader disagrees: no preamble, lines that end in CRLF, a
// boundary that stands nowhere but between parts, and an end.
func (a *asker) readForm(contentType string, body []byte) {
	boundary, ok := formBoundary(contentType)
	if !ok {
		a.doubt(everyField, "its boundary is not plain")
		return
	}
	rest, ok := bytes.CutPrefix(body, []byte("--"+boundary))
	between := []byte("\r\n--" + boundary)
	for ok && !bytes.HasPrefix(rest, []byte("--")) {
		var part []byte
		if part, rest, ok = bytes.Cut(rest, between); ok {
			ok = a.readPart(part, between[2:], len(body)-len(rest)-len(between))
		} else if !a.Whole {
			return // the part goes on beyond what was seen
		}
	}
	if !ok || string(rest) != "--" && string(rest) != "--\r\n" {
		a.doubt(everyField, "it is not a well-formed form")
	}
}

// formBoundary returns the boundary that every reader takes from a
// Content-Type, without "--". It holds no quotes, blanks or backslashes.
func formBoundary(contentType string) (boundary string, ok bool) {
	_, params, err := mime.ParseMediaType(contentType)
	boundary = params["boundary"]
	if err != nil || boundary == "" || len(boundary) > 70 { // RFC 2046 §5.1.1
		return "", false
	}
	lower := strings.ToLower(contentType)
	ok = strings.Trim(boundary, wordChars+"'()+./:=?") == "" && strings.Count(lower, "boundary=") == 1
	return boundary, ok && commonCharset(lower)
}

// readPart reads what is between two boundaries: CRLF, header, an empty line,
// content, which ends at end in the body. It returns false if that is not well
// formed.
func (a *asker) readPart(part, boundary []byte, end int) bool {
	part, ok := bytes.CutPrefix(part, []byte("\r\n"))
	if !ok || bytes.Contains(part, boundary) {
		return false
	}
	header, content, ok := bytes.Cut(part, []byte("\r\n\r\n"))
	if !ok {
		return false
	}
	p, ok := parsePart(string(header))
	if !ok {
		return false
	}
	if i, exact := findName(p.name); i >= 0 && a.first(i, exact) {
		a.setForm(i, content, end)
		if p.odd || !ascii(content) {
			field := names()[i].field
			a.doubt(field, names()[i].text+" is not a plain field of the form")
		}
	}
	return true
}

// setForm gives the field at place its value, which ends at end in the body.
// Objects inside of a form are nobody's fields.
func (a *asker) setForm(place int, value []byte, end int) {
	switch n := names()[place]; {
	case n.field == fieldUsage, n.text == "generationConfig", n.text == "generation_config":
		return
	case n.text == "model":
		a.model, a.form = span{end - len(value), end}, true
	}
	a.set(place, value)
}

// A partHeader is what the header of one part of a form says.
type partHeader struct {
	name string
	odd  bool // whether some reader does not take it for a field of plain text
}

// parsePart reads the header of a part. It returns false where readers see
// different names.
func parsePart(header string) (p partHeader, ok bool) {
	for line := range strings.SplitSeq(header, "\r\n") {
		key, value, found := strings.Cut(line, ":")
		if !found || key == "" || strings.Trim(key, wordChars) != "" || strings.ContainsFunc(value, control) {
			return partHeader{}, false
		}
		value = strings.TrimSpace(value)
		switch strings.ToLower(key) {
		case "content-disposition":
			if ok {
				return partHeader{}, false
			}
			var file bool
			if p.name, file, ok = partName(value); !ok {
				return partHeader{}, false
			}
			p.odd = p.odd || file
		case "content-type":
			p.odd = p.odd || !commonCharset(strings.ToLower(value))
		case "content-transfer-encoding":
			p.odd = p.odd || !strings.EqualFold(value, "binary") && !strings.EqualFold(value, "8bit") && !strings.EqualFold(value, "7bit")
		}
	}
	return p, ok
}

// partName returns the name that every reader takes from a
// Content-Disposition, and whether it is that of a file.
func partName(disposition string) (text string, file, ok bool) {
	media, params, err := mime.ParseMediaType(disposition)
	if err != nil || media != "form-data" {
		return "", false, false
	}
	lower := strings.ToLower(disposition)
	// The name must be there once, also to a reader that looks for name=, and
	// as it is, without escapes.
	once := strings.Count(lower, "name=")-strings.Count(lower, "filename=") == 1
	text = params["name"]
	plain := strings.Contains(disposition, `name="`+text+`"`) || strings.Contains(disposition, "name="+text)
	_, file = params["filename"]
	return text, file, once && plain && !strings.ContainsAny(text, `"\`)
}

// control reports whether r is a control character; some readers end a line at
// a bare CR or LF.
func control(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f }
