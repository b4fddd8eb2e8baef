package credential

import (
	"net/http"
	"net/url"
	"strings"
)

func readParameter(_ http.Header, query, name, have string) (key string, err error) {
	key = have
	for piece := range strings.SplitSeq(query, "&") {
		if !isParameter(piece, name) {
			continue
		}
		_, value, _ := strings.Cut(piece, "=")
		if key, err = merge(key, unescape(value)); err != nil {
			return "", err
		}
	}
	return key, nil
}

// stripParameter works on the raw bytes, since parsing and encoding anew would
// change the order, the escapes and whatever Go cannot parse.
func stripParameter(_ http.Header, query, name string) string {
	if !hasParameter(query, name) {
		return query
	}
	var kept []string
	for piece := range strings.SplitSeq(query, "&") {
		if !isParameter(piece, name) {
			kept = append(kept, piece)
		}
	}
	return strings.Join(kept, "&")
}

func hasParameter(query, name string) bool {
	for piece := range strings.SplitSeq(query, "&") {
		if isParameter(piece, name) {
			return true
		}
	}
	return false
}

// isParameter reports whether piece, which stands between two "&", is the
// parameter called name, however its name is escaped.
func isParameter(piece, name string) bool {
	written, _, _ := strings.Cut(piece, "=")
	return unescape(written) == name
}

// unescape returns text as it is if its escapes cannot be read.
func unescape(text string) string {
	if plain, err := url.QueryUnescape(text); err == nil {
		return plain
	}
	return text
}
