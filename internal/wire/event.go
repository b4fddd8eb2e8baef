package wire

import (
	"bytes"

	"github.com/holysheep/relay/internal/canon"
)

// A Meaning is what an event of a stream says.
type Meaning uint8

// The meanings of events.
const (
	Silent  Meaning = iota // nothing that a client could use: a role, a beginning, a ping
	Content                // something of the answer
	Failure                // an error in place of what was to come
	End                    // that the answer is whole
)

// Meaning returns what an event means. name is that of its event line, "" if it
// has none, and data is what its data lines hold. An event that is not known
// means Content, so that nobody holds back what a wire may have got since.
//
// A finish reason is Content, for it ends an answer that may have no text. Of
// the known APIs only Gemini's has no End.
func (r Route) Meaning(name string, data []byte) Meaning {
	data = bytes.TrimSpace(data)
	switch {
	case name == "error":
		return Failure
	case len(data) == 0 || name == "ping":
		return Silent
	case string(data) == "[DONE]":
		return End
	case data[0] != '{':
		return Content
	}
	switch r.Kind {
	case Chat, Completions:
		return chunk(data)
	case Responses:
		return response(name, data)
	case Messages:
		return message(name, data)
	case Generate:
		return generated(data)
	}
	if failed(data) {
		return Failure
	}
	return Content
}

// failed reports whether the event has an error for a member, as they have on
// every wire where they have no name for it.
func failed(data []byte) bool { return !empty(canon.Member(data, "error")) }

// empty reports whether a value says nothing. Upstreams differ in what they
// write in place of a text, a list or an object that is not there.
func empty(value []byte) bool {
	switch string(value) {
	case "", "null", `""`, "[]", "{}", "false":
		return true
	}
	return false
}

// called reports whether a JSON value is that string, written without escapes.
func called(value []byte, text string) bool {
	return len(value) == len(text)+2 && value[0] == '"' && string(value[1:len(value)-1]) == text
}

// chunk returns the meaning of a chunk of OpenAI's chat or completions.
func chunk(data []byte) Meaning {
	meaning, usage := Content, false
	choices := false
	for name, value := range canon.Members(data) {
		switch string(name) {
		case "error":
			if !empty(value) {
				return Failure
			}
		case "choices":
			choices = true
			if meaning = Silent; said(value, choice) {
				meaning = Content
			}
		case "usage":
			usage = !empty(value)
		case "type":
			usage = usage || called(value, "ping")
		}
	}
	if !choices && usage {
		return Silent
	}
	return meaning
}

// said reports whether one of the elements says something.
func said(list []byte, says func([]byte) bool) bool {
	for one := range canon.Elements(list) {
		if says(one) {
			return true
		}
	}
	return false
}

// choice reports whether a choice of a chunk says something.
func choice(data []byte) bool {
	for name, value := range canon.Members(data) {
		switch string(name) {
		case "delta", "message":
			if filled(value) {
				return true
			}
		case "text", "finish_reason":
			if !empty(value) {
				return true
			}
		}
	}
	return false
}

// filled reports whether an object has a member that says something: content,
// a refusal, a call of a tool, reasoning, audio or whatever comes next. A role
// does not.
func filled(object []byte) bool {
	for name, value := range canon.Members(object) {
		if string(name) != "role" && !empty(value) {
			return true
		}
	}
	return false
}

// generated returns the meaning of a chunk of Gemini's.
func generated(data []byte) Meaning {
	meaning, known := Silent, false
	for name, value := range canon.Members(data) {
		switch string(name) {
		case "error":
			if !empty(value) {
				return Failure
			}
		case "candidates":
			if known = true; said(value, candidate) {
				meaning = Content
			}
		case "promptFeedback":
			if known = true; !empty(canon.Member(value, "blockReason")) {
				meaning = Content
			}
		case "usageMetadata", "modelVersion", "responseId":
			known = true
		}
	}
	if !known {
		return Content
	}
	return meaning
}

// candidate reports whether a candidate of Gemini's says something.
func candidate(data []byte) bool {
	for name, value := range canon.Members(data) {
		switch string(name) {
		case "finishReason":
			if !empty(value) {
				return true
			}
		case "content":
			if said(canon.Member(value, "parts"), filled) {
				return true
			}
		}
	}
	return false
}
