package cache

import (
	"encoding/json"
	"mime"
	"net/http"
	"slices"
	"strings"

	"github.com/holysheep/relay/internal/canon"
	"github.com/holysheep/relay/plugins"
)

// Why an answer is not stored.
const (
	whyError      = "error"      // there is none
	whyStatus     = "status"     // it is not a 200
	whyForbidden  = "forbidden"  // a header of it forbids to
	whyType       = "type"       // it does not have the form that was asked for, or it is encoded
	whyTooLong    = "too_long"   // it is longer than max_value
	whyNoRoom     = "no_room"    // the memory for recordings is full
	whyIncomplete = "incomplete" // it has not come whole
	whyContent    = "content"    // its body tells of an error, or is not the JSON that it says
	whyFallback   = "fallback"   // it is of another model than the one asked for
	whyPurged     = "purged"     // such answers were purged while it was on its way
)

// unfit says why an answer must be neither stored nor given to others, as far as
// its header tells.
func (f *flight) unfit(res *http.Response) string {
	said := f.q.directives(res.Header)
	switch {
	case res.StatusCode != http.StatusOK:
		return whyStatus
	case said.noStore || said.noCache || said.private || len(res.Header["Set-Cookie"]) > 0:
		return whyForbidden
	case said.lifetime() <= ageOf(res.Header):
		return whyForbidden
	case len(res.Trailer) > 0 || !f.rules.varies(res.Header["Vary"]):
		return whyForbidden
	case plugins.Encoded(res.Header) || !f.q.formed(res.Header):
		return whyType
	case res.ContentLength > int64(f.settings.MaxValue):
		return whyTooLong
	}
	return ""
}

// directives returns what an answer says of how it may be stored. Of a stream
// no-cache says nothing, nor does the age beside it: all APIs send it with every
// stream, so that no proxy holds its events back. What it says by no-store or
// private holds.
func (q *question) directives(h http.Header) directives {
	said := readDirectives(h)
	if q.form.Streamed() && said.noCache {
		said.noCache, said.maxAge, said.sharedMaxAge = false, anyAge, anyAge
	}
	return said
}

// formed reports whether an answer has the type of the form that was asked for.
// Where nothing is known of the answers of an endpoint it is any type but a
// stream's.
func (q *question) formed(h http.Header) bool {
	switch {
	case q.form.Streamed():
		return isStream(h)
	case q.route.Inspected():
		return isJSON(h)
	}
	return len(h["Content-Type"]) == 1 && !isStream(h)
}

// isStream reports whether the header has one Content-Type, which is that of
// server-sent events.
func isStream(h http.Header) bool {
	kinds := h["Content-Type"]
	if len(kinds) != 1 {
		return false
	}
	if kinds[0] == "text/event-stream" {
		return true
	}
	kind, _, err := mime.ParseMediaType(kinds[0])
	return err == nil && kind == "text/event-stream"
}

// fellBack reports whether another model answers than the one that was asked
// for: it is out for now, and would stay so for as long as the answer is stored.
func fellBack(call *plugins.Call) bool {
	a := call.Trail.Answer()
	if a == nil {
		return false
	}
	model := a.Model()
	return model != "" && model != call.Ask().Model
}

// varies reports whether the key holds every request header by which the
// answer says that it varies.
func (r *rules) varies(lines []string) bool {
	for _, line := range lines {
		for name := range strings.SplitSeq(line, ",") {
			name = http.CanonicalHeaderKey(strings.TrimSpace(name))
			if !slices.Contains(r.headers, name) && !slices.Contains(noVariants(), name) {
				return false
			}
		}
	}
	return true
}

// noVariants are headers by which answers often say that they vary, and do not
// vary here: the relay sends its own credential and no cookie, and answers
// questions of CORS itself; and no stored answer is encoded.
func noVariants() []string {
	return []string{
		"", "Accept-Encoding", "Authorization", "Cookie", "Origin",
		"Access-Control-Request-Headers", "Access-Control-Request-Method",
	}
}

// good reports whether body is JSON, which shows that it is whole, and tells of
// no error. Gateways are known to answer with status 200 and {"error": …}, or
// as vLLM does with {"object": "error", …}; a choice may have ended in an error,
// and a response may have failed, or be incomplete.
func good(body []byte) bool {
	if !json.Valid(body) {
		return false
	}
	for name, value := range canon.Members(body) {
		switch string(name) {
		case "error":
			if !off(value) {
				return false
			}
		case "object":
			if string(value) == `"error"` {
				return false
			}
		case "status":
			if s := string(value); s == `"failed"` || s == `"incomplete"` || s == `"cancelled"` {
				return false
			}
		case "choices":
			for one := range canon.Elements(value) {
				if broken(canon.Member(one, "finish_reason")) {
					return false
				}
			}
		case "stop_reason":
			if broken(value) {
				return false
			}
		}
	}
	return true
}
