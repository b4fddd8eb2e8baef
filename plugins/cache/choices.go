package cache

import (
	"strconv"

	"github.com/holysheep/relay/internal/canon"
)

// maxChoices is how many choices a stream may have: OpenAI's API has at most
// 128, and servers of completions as many for each of several prompts.
const maxChoices = 1024

// choices are those of a stream of OpenAI's chat or completions, by index.
type choices struct {
	seen, ended [maxChoices / 64]uint64 // a bit for each: it has begun, it has a reason to end
	bad         bool                    // one tells of an error, or is nothing that is known
}

// finished reports whether there is a choice, and each has a reason to end.
func (c *choices) finished() bool { return c.seen != [maxChoices / 64]uint64{} && c.seen == c.ended }

// chunk takes a chunk, and reports whether it has choices.
func (c *choices) chunk(data []byte) (found bool) {
	for name, value := range canon.Members(data) {
		switch string(name) {
		case "choices":
			found = true
			for one := range canon.Elements(value) {
				c.choice(one)
			}
		case "object":
			// As vLLM tells of an error, with status 200.
			c.bad = c.bad || string(value) == `"error"`
		}
	}
	return found
}

// choice takes what a chunk has of a choice.
func (c *choices) choice(data []byte) {
	index, ended := 0, false
	for name, value := range canon.Members(data) {
		switch string(name) {
		case "index":
			n, err := strconv.Atoi(string(value))
			if index = n; err != nil {
				index = -1
			}
		case "finish_reason":
			ended = !off(value) && string(value) != `""`
			c.bad = c.bad || broken(value)
		case "error":
			c.bad = c.bad || !off(value)
		}
	}
	if index < 0 || index >= maxChoices {
		c.bad = true
		return
	}
	bit := uint64(1) << (index % 64)
	c.seen[index/64] |= bit
	if ended {
		c.ended[index/64] |= bit
	}
}

// broken reports whether an answer has ended for a reason that lies with its
// server, so that it is not what the model would have said: the reasons of
// OpenRouter (error), vLLM and SGLang (abort), DeepSeek
// (insufficient_system_resource) and Z.ai (network_error).
func broken(reason []byte) bool {
	switch string(reason) {
	case `"error"`, `"abort"`, `"aborted"`, `"cancelled"`, `"insufficient_system_resource"`, `"network_error"`:
		return true
	}
	return false
}

// kindOf returns what an event of a wire with typed events is, by its name or
// by the type that its data has: false if the two differ, for one client goes
// by this and another by that. Some relays leave the names out.
func kindOf(name string, data []byte) (kind string, known bool) {
	value := canon.Member(data, "type")
	if len(value) > 1 && value[0] == '"' {
		value = value[1 : len(value)-1]
	}
	if name == "" || name == "message" {
		return string(value), true
	}
	return name, len(value) == 0 || string(value) == name
}

// completed reports whether the response that the event has is what it says.
func completed(data []byte) bool {
	for name, value := range canon.Members(canon.Member(data, "response")) {
		switch string(name) {
		case "status":
			if string(value) != `"completed"` {
				return false
			}
		case "error":
			if !off(value) {
				return false
			}
		}
	}
	return true
}
