package cache

import (
	"bytes"
	"encoding/json"
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
	whyType       = "type"       // it is not JSON, or it is encoded
	whyTooLong    = "too_long"   // it is longer than max_value
	whyIncomplete = "incomplete" // it was not read whole
	whyContent    = "content"    // its body tells of an error, or is not the JSON that it says
	whyFallback   = "fallback"   // it is of another model than the one asked for
)

// record stores the answer to q when the client has read it whole.
func (t *transport) record(call *plugins.Call, q question, res *http.Response) {
	why := t.rules.refuse(res)
	if why == "" && fellBack(call) {
		why = whyFallback
	}
	if why == "" && res.ContentLength > int64(t.maxValue) {
		why = whyTooLong
	}
	if why != "" {
		t.metrics.refuse(why)
		return
	}
	a := newAnswer(res.Header, t.now().Add(-ageOf(res.Header)))
	r := &recording{transport: t, key: q.place.Key, res: res, answer: a}
	plugins.Watch(res, r.see, r.end)
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

// refuse says why an answer must not be stored, as far as its header tells.
func (r *rules) refuse(res *http.Response) string {
	said := readDirectives(res.Header)
	switch {
	case res.StatusCode != http.StatusOK:
		return whyStatus
	case said.noStore || said.noCache || said.private || len(res.Header["Set-Cookie"]) > 0:
		return whyForbidden
	case said.lifetime() <= ageOf(res.Header):
		return whyForbidden
	case len(res.Trailer) > 0 || !r.varies(res.Header["Vary"]):
		return whyForbidden
	case !isJSON(res.Header) || plugins.Encoded(res.Header):
		return whyType
	}
	return ""
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

// A recording is an answer on its way to the client.
type recording struct {
	*transport
	key     key
	res     *http.Response
	answer  *keptAnswer
	body    []byte
	tooLong bool
}

// see gets the next piece of the body.
func (r *recording) see(piece []byte) {
	if r.tooLong {
		return
	}
	if len(r.body)+len(piece) > r.maxValue {
		r.tooLong, r.body = true, nil
		return
	}
	if r.body == nil {
		r.body = slices.Grow(r.body, int(max(0, r.res.ContentLength)))
	}
	r.body = append(r.body, piece...)
}

// end hears that the body will not go on.
func (r *recording) end(whole bool) {
	if why := r.fault(whole); why != "" {
		r.metrics.refuse(why)
		return
	}
	if r.res.ContentLength < 0 {
		r.body = bytes.Clone(r.body) // it grew by guessing
	}
	r.answer.body = r.body
	r.store.put(r.key, r.answer)
	r.metrics.stored.Inc()
}

// fault says why the answer is not stored.
func (r *recording) fault(whole bool) string {
	switch n := r.res.ContentLength; {
	case r.tooLong:
		return whyTooLong
	case !whole || n >= 0 && n != int64(len(r.body)):
		return whyIncomplete
	case len(r.res.Trailer) > 0:
		return whyForbidden
	case !good(r.body):
		return whyContent
	}
	return ""
}

// good reports whether body is JSON, which shows that it is whole, and tells of
// no error. Gateways are known to answer with status 200 and {"error": …}, or
// as vLLM does with {"object": "error", …}.
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
		}
	}
	return true
}
