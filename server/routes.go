package server

import (
	"encoding/hex"
	"net/http"
	"strings"

	"github.com/holysheep/relay/plugins"
)

// ErrPath refuses a path with what some upstream could take for a dot segment:
// it would resolve it to something outside the API, with the relay's own key.
var ErrPath = &plugins.Error{
	Status: http.StatusBadRequest, Type: "invalid_request_error", Code: "invalid_path",
	Message: "the path holds a dot segment",
}

// decodings is how often a path is decoded beyond what it should be: twice, for
// an upstream that is a proxy before a server, both of which decode once more.
const decodings = 2

// checkPath returns [ErrPath] if the decoded path holds a dot segment, or does
// when it is decoded again.
func checkPath(path string) error {
	for range decodings {
		if dotted(path) {
			return ErrPath
		}
		again := decode(path)
		if again == path {
			return nil
		}
		path = again
	}
	if dotted(path) {
		return ErrPath
	}
	return nil
}

// dotted reports whether the path holds a dot segment. A backslash divides
// segments for some servers, and a segment may have parameters behind a
// semicolon, which Tomcat and its like cut off before they resolve it.
func dotted(path string) bool {
	for segment := range strings.FieldsFuncSeq(path, func(r rune) bool { return r == '/' || r == '\\' }) {
		segment, _, _ = strings.Cut(segment, ";")
		if segment == "." || segment == ".." {
			return true
		}
	}
	return false
}

// decode decodes the escapes of a path and, unlike [net/url.PathUnescape],
// leaves what is none as it is: another bad escape must not hide a good one.
func decode(path string) string {
	if !strings.Contains(path, "%") {
		return path
	}
	plain := make([]byte, 0, len(path))
	for i := 0; i < len(path); i++ {
		if path[i] == '%' && i+2 < len(path) {
			if b, err := hex.DecodeString(path[i+1 : i+3]); err == nil {
				plain = append(plain, b[0])
				i += 2
				continue
			}
		}
		plain = append(plain, path[i])
	}
	return string(plain)
}

// own returns the label route of a path that is not relayed.
func own(path string) string {
	if path == "/health" || path == "/ready" {
		return path
	}
	return "other"
}

// method returns the label of a method.
func method(m string) string {
	switch m {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch,
		http.MethodDelete, http.MethodOptions:
		return m
	}
	return "OTHER"
}
