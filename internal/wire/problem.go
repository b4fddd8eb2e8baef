package wire

import (
	"encoding/json"
	"slices"
)

// A Problem is an error that a client is told of.
type Problem struct {
	Status  int    // the HTTP status that goes with it
	Type    string // its family, in OpenAI's words
	Code    string // its exact reason
	Message string // for people
}

// Body returns the problem as the JSON body of an answer in the wire's form. The
// code is in each of them: as code, in Gemini's, where that is a number, as
// reason.
func (r Route) Body(p Problem) []byte {
	switch r.Wire {
	case Anthropic:
		return marshal(anthropicError{Type: "error", Error: anthropicCause{p.anthropic(), p.Message, p.Code}})
	case Gemini:
		return marshal(geminiError{geminiCause{p.Status, p.Message, p.gemini(), p.Code}})
	}
	return marshal(openAIError{p.openAI()})
}

// Event returns the problem as an event of a stream in the wire's form. It ends
// the stream: neither does one of the answer follow, nor [DONE].
func (r Route) Event(p Problem) []byte {
	switch {
	case r.Wire == Anthropic:
		return event("error", r.Body(p))
	case r.Kind == Responses:
		// By the API's own form the code and the message are all. OpenAI's SDKs
		// return it as an error if it has a member of that name, and otherwise
		// as one more event (openai-go 3.96, packages/ssestream).
		return event("error", marshal(responsesError{Type: "error", Code: p.Code, Message: p.Message, Error: p.openAI()}))
	}
	return event("", r.Body(p))
}

// event returns an event of that name, "" for none.
func event(name string, data []byte) []byte {
	if name == "" {
		return slices.Concat([]byte("data: "), data, []byte("\n\n"))
	}
	return slices.Concat([]byte("event: "+name+"\ndata: "), data, []byte("\n\n"))
}

type openAIError struct {
	Error openAICause `json:"error"`
}

type openAICause struct {
	Message string  `json:"message"`
	Type    string  `json:"type"`
	Param   *string `json:"param"`
	Code    string  `json:"code"`
}

func (p Problem) openAI() openAICause {
	return openAICause{Message: p.Message, Type: p.Type, Code: p.Code}
}

type responsesError struct {
	Type     string      `json:"type"`
	Code     string      `json:"code"`
	Message  string      `json:"message"`
	Param    *string     `json:"param"`
	Sequence int         `json:"sequence_number"`
	Error    openAICause `json:"error"`
}

type anthropicError struct {
	Type  string         `json:"type"`
	Error anthropicCause `json:"error"`
}

type anthropicCause struct {
	Type    string `json:"type"`
	Message string `json:"message"`
	Code    string `json:"code"`
}

// anthropic returns the problem's type as Anthropic's API has it for the status.
func (p Problem) anthropic() string {
	switch p.Status {
	case 401:
		return "authentication_error"
	case 402:
		return "billing_error"
	case 403:
		return "permission_error"
	case 404:
		return "not_found_error"
	case 413:
		return "request_too_large"
	case 429:
		return "rate_limit_error"
	case 503, 529:
		return "overloaded_error"
	case 408, 504:
		return "timeout_error"
	}
	if p.Status >= 500 {
		return "api_error"
	}
	return "invalid_request_error"
}

type geminiError struct {
	Error geminiCause `json:"error"`
}

type geminiCause struct {
	Code    int    `json:"code"`
	Message string `json:"message"`
	Status  string `json:"status"`
	Reason  string `json:"reason"`
}

// gemini returns the problem's status as Google's APIs have it, by the mapping
// of google.rpc.Code.
func (p Problem) gemini() string {
	switch p.Status {
	case 401:
		return "UNAUTHENTICATED"
	case 403:
		return "PERMISSION_DENIED"
	case 404:
		return "NOT_FOUND"
	case 409:
		return "ABORTED"
	case 429:
		return "RESOURCE_EXHAUSTED"
	case 499:
		return "CANCELLED"
	case 501:
		return "UNIMPLEMENTED"
	case 502, 503:
		return "UNAVAILABLE"
	case 408, 504:
		return "DEADLINE_EXCEEDED"
	}
	if p.Status >= 500 {
		return "INTERNAL"
	}
	return "INVALID_ARGUMENT"
}

// marshal returns v, which is one of the types above, as JSON.
func marshal(v any) []byte {
	b, _ := json.Marshal(v) // strings and numbers always marshal
	return b
}
