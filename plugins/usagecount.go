package plugins

import (
	"strconv"

	"github.com/holysheep/relay/internal/canon"
)

// maxTokens is the largest number of tokens that is believed: a hundred times
// what the largest models can read.
const maxTokens = 1_000_000_000

// counts are the numbers that an answer has given, -1 for one that it has not.
// Later numbers stand in place of earlier ones: all known wires count up.
type counts struct {
	input, output, total       int64
	cached, written, reasoning int64
	read, created              int64 // from and to the cache, beside input in Anthropic's form
	tools, thoughts            int64 // beside input and output in Gemini's form
	anthropic                  bool  // input is one without the cached
	early                      bool  // output is that of a beginning
}

func noCounts() counts {
	return counts{-1, -1, -1, -1, -1, -1, -1, -1, -1, -1, false, false}
}

// add takes an object of usage, in whichever form, and reports whether it holds
// a number of tokens. early says that the answer has only begun.
func (c *counts) add(usage []byte, early bool) (found bool) {
	for name, value := range canon.Members(usage) {
		into := c.number(string(name))
		switch {
		case into != nil && c.set(into, value):
			found = true
			if c.early = early; string(name) == "input_tokens" {
				c.anthropic = true
			}
		case len(value) > 0 && value[0] == '{':
			c.details(string(name), value)
		}
	}
	return found
}

// number returns where the number of that name goes, nil if nowhere.
func (c *counts) number(name string) *int64 {
	switch name {
	case "prompt_tokens", "input_tokens", "promptTokenCount":
		return &c.input
	case "completion_tokens", "output_tokens", "candidatesTokenCount":
		return &c.output
	case "total_tokens", "totalTokenCount":
		return &c.total
	case "cache_read_input_tokens":
		return &c.read
	case "cache_creation_input_tokens":
		return &c.created
	case "prompt_cache_hit_tokens", "cachedContentTokenCount": // DeepSeek's and Gemini's
		return &c.cached
	case "toolUsePromptTokenCount":
		return &c.tools
	case "thoughtsTokenCount":
		return &c.thoughts
	}
	return nil
}

// details takes the parts of a number, in OpenAI's form.
func (c *counts) details(of string, object []byte) {
	switch of {
	case "prompt_tokens_details", "input_tokens_details", "completion_tokens_details", "output_tokens_details":
	default:
		return
	}
	for name, value := range canon.Members(object) {
		switch string(name) {
		case "cached_tokens":
			c.set(&c.cached, value)
		case "cache_write_tokens", "cache_creation_tokens":
			c.set(&c.written, value)
		case "reasoning_tokens":
			c.set(&c.reasoning, value)
		}
	}
}

// set sets a number, unless it is none that could be.
func (c *counts) set(into *int64, value []byte) bool {
	if len(value) > len("1000000000") {
		return false
	}
	n, err := strconv.ParseInt(string(value), 10, 64)
	if err != nil || n < 0 || n > maxTokens {
		return false
	}
	*into = n
	return true
}

// usage returns the counts in one form, and whether there is any. Input and
// Output are -1 where they are not known.
func (c *counts) usage() (u Usage, known bool) {
	u = Usage{
		Input: c.input, Output: c.output,
		Cached: max(c.cached, c.read, 0), Written: max(c.written, c.created, 0),
		Reasoning: max(c.reasoning, c.thoughts, 0),
	}
	if u.Input >= 0 {
		u.Input += max(c.tools, 0)
		if c.anthropic {
			u.Input += max(c.read, 0) + max(c.created, 0)
		}
	}
	if c.thoughts >= 0 {
		u.Output = max(u.Output, 0) + c.thoughts
	}
	switch {
	case c.total < 0:
	case u.Input < 0:
		u.Input = max(c.total-max(u.Output, 0), 0)
	case u.Output < 0:
		u.Output = max(c.total-u.Input, 0)
	}
	known = u.Input >= 0 || u.Output >= 0
	u.Cached = min(u.Cached, max(u.Input, 0))
	u.Written = min(u.Written, max(u.Input, 0)-u.Cached)
	u.Reasoning = min(u.Reasoning, max(u.Output, 0))
	return u, known
}
