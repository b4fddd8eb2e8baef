// Package chatform turns a whole chat completion of OpenAI's API from one of its
// forms into another: from the answer in one piece to the chunks of a stream and
// back. It is exact or refuses: what it does not know is [ErrInexact], never
// dropped.
//
// From one piece to a stream: of each choice a first chunk has the whole message
// as its delta, with an index for each tool call, and the log probabilities, and
// a second one the finish reason and whatever else the choice has. All other
// members of the answer are in every chunk. If the stream is to tell what was
// used, every chunk has usage null and a last one without choices has it. [DONE]
// ends the stream.
//
// From a stream to one piece: of each choice the deltas' texts are joined, tool
// calls by their index. Members outside of the choices have to be the same in
// all chunks that have them, except for created, of which the first counts, and
// obfuscation, which is padding. What was used comes from the chunk that tells
// it, or else from what the relay was told by the upstream.
//
// Numbers keep their digits and texts their characters. It checks no more of an
// answer than it needs to.
package chatform

import (
	"errors"
	"strconv"

	"github.com/holysheep/relay/internal/answer"
	"github.com/holysheep/relay/internal/canon"
)

// ErrInexact says that an answer has something that the other form cannot have,
// or of which it is not known how.
var ErrInexact = errors.New("the answer cannot be converted exactly")

// To returns the body of a chat completion in another form. used is what the
// upstream has told, where the body does not tell it. It returns [ErrInexact],
// also for a body that is no chat completion.
func To(body []byte, from, to answer.Form, used answer.Tokens) ([]byte, error) {
	switch {
	case from == to:
		return body, nil
	case !from.Streamed():
		return split(body, to == answer.Usage, used)
	case !to.Streamed():
		return join(body, used)
	case to == answer.Usage:
		return addUsage(body, used)
	}
	return dropUsage(body)
}

// usageOf returns what was used as a chat completion tells it.
func usageOf(used answer.Tokens) ([]byte, error) {
	if !used.Known || used.Estimated || used.Counted || used.Written > 0 { // OpenAI has no word for what was written
		return nil, ErrInexact
	}
	b := []byte(`{"prompt_tokens":`)
	b = strconv.AppendInt(b, used.Input, 10)
	b = append(b, `,"completion_tokens":`...)
	b = strconv.AppendInt(b, used.Output, 10)
	b = append(b, `,"total_tokens":`...)
	b = strconv.AppendInt(b, used.Input+used.Output, 10)
	if used.Cached > 0 {
		b = append(b, `,"prompt_tokens_details":{"cached_tokens":`...)
		b = append(strconv.AppendInt(b, used.Cached, 10), '}')
	}
	if used.Reasoning > 0 {
		b = append(b, `,"completion_tokens_details":{"reasoning_tokens":`...)
		b = append(strconv.AppendInt(b, used.Reasoning, 10), '}')
	}
	return append(b, '}'), nil
}

// A member is one of an object, as it is written.
type member struct {
	name  string
	value []byte
}

// maxMembers is how many members an object may have: many times what any has that
// is known, so that looking for one of them costs little.
const maxMembers = 100

// membersOf returns the members of an object. It returns [ErrInexact] for what is
// none, where one is there twice, and where there are too many.
func membersOf(object []byte) ([]member, error) {
	if len(object) == 0 || object[0] != '{' {
		return nil, ErrInexact
	}
	var list []member
	for name, value := range canon.Members(object) {
		if len(list) == maxMembers {
			return nil, ErrInexact
		}
		for _, m := range list {
			if m.name == string(name) {
				return nil, ErrInexact
			}
		}
		list = append(list, member{string(name), value})
	}
	return list, nil
}

// find returns the value of the member of that name, nil if there is none.
func find(list []member, name string) []byte {
	for _, m := range list {
		if m.name == name {
			return m.value
		}
	}
	return nil
}

// write writes a member and a comma.
func write(b []byte, name string, value []byte) []byte {
	b = strconv.AppendQuote(b, name)
	b = append(b, ':')
	b = append(b, value...)
	return append(b, ',')
}

// end puts what ends an object or a list in the place of the last comma.
func end(b []byte, with byte) []byte {
	if b[len(b)-1] == ',' {
		b = b[:len(b)-1]
	}
	return append(b, with)
}

// none reports whether a value is missing or null.
func none(value []byte) bool { return len(value) == 0 || string(value) == "null" }

// text reports whether a value is a string, and returns what stands between its
// quotation marks.
func text(value []byte) ([]byte, bool) {
	if len(value) < 2 || value[0] != '"' {
		return nil, false
	}
	return value[1 : len(value)-1], true
}
