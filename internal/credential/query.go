package credential

import (
	"iter"
	"net/http"
	"net/url"
	"strings"
)

func readParameter(_ http.Header, query, name, have string) (key string, err error) {
	key = have
	for _, piece := range pieces(query) {
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
	var left strings.Builder
	gap, begun := "", false
	for sep, piece := range pieces(query) {
		if gap != "&" { // which separates for every reader, and so must stay
			gap = sep
		}
		if isParameter(piece, name) {
			continue
		}
		if begun {
			left.WriteString(gap)
		}
		left.WriteString(piece)
		gap, begun = "", true
	}
	return left.String()
}

func hasParameter(query, name string) bool {
	for _, piece := range pieces(query) {
		if isParameter(piece, name) {
			return true
		}
	}
	return false
}

// pieces yields the pieces of a query, each with the separator in front of it,
// "" for the first. A semicolon separates too: for many servers it does, as
// HTML 4.01 recommended (appendix B.2.2), and one of them may be the upstream.
func pieces(query string) iter.Seq2[string, string] {
	return func(yield func(sep, piece string) bool) {
		sep := ""
		for {
			i := strings.IndexAny(query, "&;")
			if i < 0 {
				yield(sep, query)
				return
			}
			if !yield(sep, query[:i]) {
				return
			}
			sep, query = query[i:i+1], query[i+1:]
		}
	}
}

// isParameter reports whether piece, which stands between two separators, is
// the parameter called name, however its name is escaped.
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
