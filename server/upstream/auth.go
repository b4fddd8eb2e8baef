package upstream

import (
	"net/http"
	"net/url"

	"github.com/holysheep/relay/internal/wire"
)

// The places of a key.
const (
	authBearer = "bearer"
	authQuery  = "query"
	authNone   = "none"

	authAnthropic = "x-api-key"
	authAzure     = "api-key"
	authGemini    = "x-goog-api-key"
)

// styles returns every place of a key.
func styles() []string {
	return []string{authBearer, authAnthropic, authAzure, authGemini, authQuery, authNone}
}

// style returns where the key stands in a request of the wire.
func (s Settings) style(w wire.Name) string {
	if s.Auth != "" || len(s.Wires) == 0 {
		return s.Auth
	}
	switch w {
	case wire.Anthropic:
		return authAnthropic
	case wire.Azure:
		return authAzure
	case wire.Gemini:
		return authGemini
	}
	return authBearer
}

// authorize puts the key where the style has it, in the header or the query.
// Every other byte of the query stays as it is.
func authorize(style string, secret string, h http.Header, u *url.URL) {
	switch style {
	case authAnthropic, authAzure, authGemini:
		h.Set(style, secret)
	case authQuery:
		if u.RawQuery != "" {
			u.RawQuery += "&"
		}
		u.RawQuery += "key=" + url.QueryEscape(secret)
	default:
		h.Set("Authorization", "Bearer "+secret)
	}
}
