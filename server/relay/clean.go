package relay

import (
	"net/http"
	"strings"

	"github.com/holysheep/relay/plugins"
)

const eventStream = "text/event-stream"

// isKind reports whether the answer's body is of the given media type.
func isKind(res *http.Response, kind string) bool {
	have, _, _ := strings.Cut(res.Header.Get("Content-Type"), ";")
	return strings.EqualFold(strings.TrimSpace(have), kind)
}

// streams reports whether the answer is a stream, which may run for long once
// it has begun: events, or bytes whose number the upstream does not know. JSON
// of unknown length is still one answer.
func streams(res *http.Response) bool {
	return isKind(res, eventStream) || res.ContentLength < 0 && !isKind(res, "application/json")
}

// sendsEvents reports whether the answer is a stream of events that are not
// encoded, so that one of ours can stand behind them.
func sendsEvents(res *http.Response) bool {
	return res.StatusCode == http.StatusOK && isKind(res, eventStream) && !plugins.Encoded(res.Header)
}

// clean removes what belongs to the upstream's account or to the connection
// with the upstream, and would be wrong or a leak on the relay's own.
func clean(h http.Header) {
	for k := range h {
		if private(k) {
			delete(h, k)
		}
	}
}

// private reports whether a response header never reaches the client.
func private(key string) bool {
	switch key {
	case "Set-Cookie", "Set-Cookie2", "Authorization", "X-Api-Key", "Api-Key", "X-Goog-Api-Key",
		"Www-Authenticate", "Authentication-Info":
		return true // credentials and cookies are between relay and upstream
	case "Openai-Organization", "Openai-Project", "Anthropic-Organization-Id":
		return true // whose account the operator uses is not the client's business
	case "Alt-Svc", "Strict-Transport-Security", "Report-To", "Nel", "Clear-Site-Data":
		return true // they speak for the upstream's host: Alt-Svc would lead clients past the relay
	case "X-Request-Id":
		return true // the client's own takes its place
	}
	return strings.HasPrefix(key, "Access-Control-") // the upstream does not open the relay to browsers
}
