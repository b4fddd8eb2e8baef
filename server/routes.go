package server

import (
	"encoding/hex"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/holysheep/relay/plugins"
)

// ErrPath refuses a path with what some upstream could take for a dot segment:
// it would resolve it to something outside the API, with the relay's own key.
var ErrPath = &plugins.Error{
	Status: http.StatusBadRequest, Type: "invalid_request_error", Code: "invalid_path",
	Message: "the path holds a dot segment",
}

// prefix is what is relayed; all else is the server's own or 404.
const prefix = "/v1/"

// relayed reports whether a request is for the upstreams. The path has to say
// so as it was sent: the pool puts the upstream's prefix in the place of these
// bytes, and with others in it, such as /%761/, the rest would lose its escapes.
func relayed(u *url.URL) bool { return strings.HasPrefix(u.EscapedPath(), prefix) }

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

// routes are the values of the label route: the endpoints of the known APIs by
// their first words. Any other is "/v1/*", or "other" outside of /v1.
var routes = []string{ //nolint:gochecknoglobals // a table that nobody changes
	"/v1/audio/speech", "/v1/audio/transcriptions", "/v1/audio/translations",
	"/v1/batches", "/v1/chat/completions", "/v1/completions", "/v1/embeddings",
	"/v1/files", "/v1/fine_tuning", "/v1/images/edits", "/v1/images/generations",
	"/v1/images/variations", "/v1/messages", "/v1/models", "/v1/moderations",
	"/v1/realtime", "/v1/rerank", "/v1/responses", "/v1/uploads", "/v1/videos",
}

// route returns the label of a path.
func route(path string) string {
	i, found := slices.BinarySearch(routes, path)
	if found {
		return path
	}
	// The route that is a prefix of the path, if any, sorts just before it.
	if i > 0 && strings.HasPrefix(path, routes[i-1]+"/") {
		return routes[i-1]
	}
	switch {
	case path == "/health" || path == "/ready":
		return path
	case strings.HasPrefix(path, prefix):
		return "/v1/*"
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
