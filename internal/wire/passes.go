package wire

import (
	"strconv"
	"strings"

	"github.com/holysheep/relay/internal/canon"
)

// Passes reports whether an event that means Failure tells of something that
// passes, so that the same request may be answered elsewhere or later: too many
// requests, an overload, a fault of the server. It returns the HTTP status that
// the error would have had. An error that does not say what it is counts as a
// fault of the server: nothing was answered, so another attempt costs little.
func (r Route) Passes(_ string, data []byte) (status int, passes bool) {
	var code, kind, state string
	for name, value := range canon.Members(fault(data)) {
		switch string(name) {
		case "code":
			code = word(value)
		case "type":
			kind = word(value)
		case "status":
			state = word(value)
		}
	}
	for _, number := range []string{code, state} {
		if n, err := strconv.Atoi(number); err == nil && n >= 400 && n <= 599 {
			return n, n == 408 || n == 409 || n == 429 || n >= 500
		}
	}
	for _, text := range []string{code, state, kind} {
		if status, passes, known := judge(text); known {
			if status == 503 && r.Wire == Anthropic {
				status = 529 // which is what its overloaded_error comes with
			}
			return status, passes
		}
	}
	return 500, true
}

// fault returns the object that tells of an event's error: the member error, of
// the event or of the response in it, or the event itself.
func fault(data []byte) []byte {
	if value := canon.Member(data, "error"); !empty(value) {
		return value
	}
	if value := canon.Member(canon.Member(data, "response"), "error"); !empty(value) {
		return value
	}
	return data
}

// word returns a string or number in lower case and without what stands between
// its words: rate_limit_error, RateLimitError and "rate limit error" are one.
func word(value []byte) string {
	return strings.Map(func(c rune) rune {
		switch {
		case c >= 'A' && c <= 'Z':
			return c - 'A' + 'a'
		case c >= 'a' && c <= 'z', c >= '0' && c <= '9':
			return c
		}
		return -1
	}, string(value))
}

// A verdict is what a part of a word says of an error.
type verdict struct {
	part   string
	status int
	passes bool
}

// verdicts are tried in this order: what is said of the request or its key is
// more exact than what is said of a limit, and that than what is said of the
// server. The words are those of OpenAI's, Anthropic's and Google's errors
// (google.rpc.Code), and of servers that follow them.
var verdicts = []verdict{ //nolint:gochecknoglobals // a table that nobody changes
	{"contextlength", 400, false},
	{"policy", 400, false},
	{"contentfilter", 400, false},
	{"apikey", 401, false},
	{"authentication", 401, false},
	{"unauthenticated", 401, false},
	{"unauthorized", 401, false},
	{"billing", 402, false},
	{"permission", 403, false},
	{"forbidden", 403, false},
	{"notfound", 404, false},
	{"toolarge", 413, false},
	{"quota", 429, true},
	{"ratelimit", 429, true},
	{"toomany", 429, true},
	{"resourceexhausted", 429, true},
	{"invalid", 400, false},
	{"badrequest", 400, false},
	{"unsupported", 400, false},
	{"failedprecondition", 400, false},
	{"outofrange", 400, false},
	{"unprocessable", 422, false},
	{"overload", 503, true},
	{"unavailable", 503, true},
	{"timeout", 504, true},
	{"timedout", 504, true},
	{"deadlineexceeded", 504, true},
	{"badgateway", 502, true},
	{"conflict", 409, true},
	{"aborted", 409, true},
	{"servererror", 500, true},
	{"internal", 500, true},
	{"apierror", 500, true},
}

// judge returns what a word says, and whether it is known.
func judge(word string) (status int, passes, known bool) {
	for _, v := range verdicts {
		if strings.Contains(word, v.part) {
			return v.status, v.passes, true
		}
	}
	return 0, false, false
}
