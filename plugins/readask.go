package plugins

import (
	"bytes"
	"net/http"
	"slices"
	"strings"
)

// ReadAsk tells what the request asks for. head is the beginning of its body,
// and whole tells whether it is all of it; of req only URL and header are
// read. Both may be a stranger's: ReadAsk takes time in proportion to head.
//
// JSON objects and multipart forms are read, whatever else is in the body is
// not and leaves the fields empty. Without a body the URL's query names the
// model, as it does for the Realtime API. A deployment in a path of Azure's is
// the model, whatever the body says.
//
// A field is in doubt when readers of the body are known to differ on it: when
// it is there twice or in another case (encoding/json takes Model for model),
// is of the wrong type, or lies where it cannot be seen: in an encoded body, or
// beyond head; the model also when the URL's path or a list of models, which
// some gateways fall back on, names another. A body that is not well formed leaves every field in doubt.
func ReadAsk(req *http.Request, head []byte, whole bool) Ask {
	var a asker
	a.Whole, a.peeked = whole, int64(len(head))
	body := bytes.TrimLeft(head, " \t\r\n")
	if whole && len(body) == 0 {
		a.readQuery(req.URL.RawQuery)
	} else {
		a.readBody(req.Header, head, body)
		a.compareQuery(req.URL.RawQuery)
	}
	a.comparePath(req)
	return a.Ask
}

// readBody reads a body that is not empty; trimmed is the body without white
// space at its beginning. It leaves the model no span if it is in doubt.
func (a *asker) readBody(h http.Header, head, trimmed []byte) {
	a.readMedia(h, head, trimmed)
	if a.why[0] != "" {
		a.model = span{}
	}
	if !a.Whole {
		a.doubt(everyField, tooLong)
	}
}

// readMedia reads a body by its type.
func (a *asker) readMedia(h http.Header, head, trimmed []byte) {
	kinds := h["Content-Type"]
	kind := strings.ToLower(strings.Join(kinds, ","))
	media, _, _ := strings.Cut(kind, ";")
	media = strings.TrimSpace(media)
	object := bytes.HasPrefix(trimmed, []byte("{"))
	switch {
	case Encoded(h):
		a.doubt(everyField, "it is encoded")
	case len(kinds) > 1:
		a.doubt(everyField, "it has more than one Content-Type")
	case media == "multipart/form-data":
		a.readForm(kinds[0], head)
	case object && !commonCharset(kind):
		a.doubt(everyField, "it is not in UTF-8")
	case object:
		a.readJSON(head)
	case media == "application/json" || media == "text/json" || strings.HasSuffix(media, "+json"):
		a.doubt(everyField, "it is not a JSON object")
	}
	if object && media == "application/x-www-form-urlencoded" {
		a.compareForm(string(head))
	}
}

// Encoded reports whether the body that h is the header of is compressed or
// otherwise encoded: a Content-Encoding names more than identity.
func Encoded(h http.Header) bool {
	for _, line := range h["Content-Encoding"] {
		for coding := range strings.SplitSeq(line, ",") {
			coding = strings.TrimSpace(coding)
			if coding != "" && !strings.EqualFold(coding, "identity") {
				return true
			}
		}
	}
	return false
}

// commonCharset reports whether a Content-Type, in lower case, names no
// character set, or one in which ASCII means what it does in UTF-8. UTF-7 is
// not one: some frameworks obey it, and in it "+AG0-odel" is "model".
func commonCharset(kind string) bool {
	_, after, found := strings.Cut(kind, "charset")
	if !found {
		return true
	}
	value, _, _ := strings.Cut(after, ";")
	value = strings.Trim(strings.TrimSpace(strings.TrimPrefix(value, "=")), `"`)
	return !strings.Contains(after, "charset") &&
		slices.Contains([]string{"utf-8", "utf8", "us-ascii", "iso-8859-1"}, value)
}
