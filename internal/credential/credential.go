// Package credential knows where a client's credential may stand in a request:
// one table, by which [Find] reads it and [Strip] removes it, so that no place
// can be read and then forgotten on the way to the upstream. It also makes
// keys and hashes them.
//
// It does not know whose key a credential is: plugins/auth does.
package credential

import (
	"errors"
	"net/http"
	"strings"
)

// ErrMissing is returned by [Find] if no place holds a credential.
var ErrMissing = errors.New("no credential")

// ErrConflict is returned by [Find] if two places hold different credentials.
// Which of them counts would be a guess, and one that another server on the
// way may make differently.
var ErrConflict = errors.New("different credentials")

// A place is where something of the client's may stand.
type place struct {
	name string

	// read returns the credential that stands in the places called name, have
	// if none does, and ErrConflict if it differs from have, which is what
	// earlier places held, "" for nothing. It is nil where no credential
	// stands, but something that is between client and relay all the same.
	read func(header http.Header, query, name, have string) (string, error)

	// strip removes what stands in the places called name. It changes header
	// and returns the query.
	strip func(header http.Header, query, name string) string
}

// places is the table, in the order in which Find looks. Names of headers are
// in their canonical form.
func places() [12]place {
	return [...]place{
		{"Authorization", readBearer, stripHeader},
		{"X-Api-Key", readHeader, stripHeader},                    // Anthropic's clients
		{"Api-Key", readHeader, stripHeader},                      // Azure's
		{"X-Goog-Api-Key", readHeader, stripHeader},               // Google's
		{"key", readParameter, stripParameter},                    // Google's, in the query
		{"openai-insecure-api-key.", readProtocol, stripProtocol}, // browsers', for realtime

		{"openai-organization.", nil, stripProtocol},
		{"openai-project.", nil, stripProtocol},
		{"Openai-Organization", nil, stripHeader},
		{"Openai-Project", nil, stripHeader},
		{"Cookie", nil, stripHeader},
		{"Proxy-Authorization", nil, stripHeader},
	}
}

// Find returns the client's credential from a request's header and raw query.
// It looks into Authorization (scheme Bearer, in any case), X-Api-Key, Api-Key,
// X-Goog-Api-Key, the query's parameter key and the WebSocket subprotocol
// openai-insecure-api-key.<credential>. The same credential in several places
// is one credential. It returns [ErrMissing] if there is none, and
// [ErrConflict] if two places differ.
func Find(header http.Header, rawQuery string) (key string, err error) {
	for _, p := range places() {
		if p.read == nil {
			continue
		}
		if key, err = p.read(header, rawQuery, p.name, key); err != nil {
			return "", err
		}
	}
	if key == "" {
		return "", ErrMissing
	}
	return key, nil
}

// Strip removes from header, and from the raw query that it returns, whatever
// [Find] looks at, whether or not it holds a credential, and what else is
// between the client and the relay alone: Cookie, Proxy-Authorization, and the
// OpenAI organisation and project, as headers and as subprotocols. Every other
// header, subprotocol and byte of the query stays as it is. header belongs to
// the outgoing request: Strip does not change the slices that it holds.
func Strip(header http.Header, rawQuery string) (query string) {
	for _, p := range places() {
		rawQuery = p.strip(header, rawQuery, p.name)
	}
	return rawQuery
}

// Hide returns text without the credentials that [Find] would find, for a log
// whose text may be made of anything. If one place holds two of them, which a
// text could hold one by one, nothing of it is shown.
func Hide(header http.Header, rawQuery, text string) string {
	for _, p := range places() {
		if p.read == nil {
			continue
		}
		key, err := p.read(header, rawQuery, p.name, "")
		if err != nil {
			return hidden
		}
		if key != "" {
			text = strings.ReplaceAll(text, key, hidden)
		}
	}
	return text
}

const hidden = "(hidden)"

// merge returns the one credential of have and key, either of which may be "".
func merge(have, key string) (string, error) {
	switch {
	case key == "" || key == have:
		return have, nil
	case have == "":
		return key, nil
	}
	return "", ErrConflict
}
