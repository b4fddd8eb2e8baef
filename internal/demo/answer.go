package demo

import (
	"encoding/json"
	"net/http"
)

// An answer is what an endpoint has to say, before the plan of the request
// shapes it.
type answer struct {
	status int
	header http.Header // never nil
	pieces [][]byte    // one for a body as a whole, one for each event of a stream
	stream bool        // the pieces are server-sent events
	silent int         // how many events stand before the first that a client could use

	// failure returns the event in which a stream fails as its event n; nil if
	// the answer is no stream.
	failure func(n int, code string) []byte
}

// problem is the body of an error in OpenAI's form.
type problem struct {
	Error struct {
		Message string  `json:"message"`
		Type    string  `json:"type"`
		Param   *string `json:"param"`
		Code    *string `json:"code"`
	} `json:"error"`
}

func newProblem(status int, code, message string) problem {
	var p problem
	p.Error.Message = message
	p.Error.Type = "invalid_request_error"
	switch {
	case status == http.StatusTooManyRequests:
		p.Error.Type = "requests"
	case status >= 500:
		p.Error.Type = "server_error"
	}
	if code != "" {
		p.Error.Code = &code
	}
	return p
}

// refuse returns an error in OpenAI's form. The code "" is null.
func refuse(status int, code, message string) answer {
	return whole(status, newProblem(status, code, message))
}

// missing returns the refusal of a request without a parameter that it needs.
func missing(param string) answer {
	p := newProblem(http.StatusBadRequest, "missing_required_parameter", "Missing required parameter: '"+param+"'.")
	p.Error.Param = &param
	return whole(http.StatusBadRequest, p)
}

// whole returns v as a JSON body.
func whole(status int, v any) answer {
	return body(status, "application/json", marshal(v))
}

// body returns a body in the given pieces, one after the other.
func body(status int, contentType string, pieces ...[]byte) answer {
	return answer{status: status, header: http.Header{"Content-Type": {contentType}}, pieces: pieces}
}

// events returns a stream.
func events(pieces [][]byte) answer {
	a := body(http.StatusOK, "text/event-stream; charset=utf-8", pieces...)
	a.header.Set("Cache-Control", "no-cache")
	a.stream, a.failure = true, chatFailure
	return a
}

// event returns one event of a stream. The name "" is none.
func event(name string, data []byte) []byte {
	b := make([]byte, 0, len("event: \ndata: \n\n")+len(name)+len(data))
	if name != "" {
		b = append(b, "event: "+name+"\n"...)
	}
	b = append(b, "data: "...)
	b = append(b, data...)
	return append(b, "\n\n"...)
}

// inStream is the message of an error that comes in a stream.
const inStream = "demo: an error in the stream was asked for"

// chatFailure returns the event in which a stream of completions fails.
func chatFailure(_ int, code string) []byte {
	return event("", marshal(newProblem(http.StatusInternalServerError, code, inStream)))
}

// marshal returns v, which is one of our own types, as JSON.
func marshal(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err) // a type of ours that is no JSON
	}
	return b
}
