package chatform

import (
	"slices"
	"strconv"
)

// append writes a choice in one piece.
func (c *choice) append(b []byte) []byte {
	b = append(b, '{')
	b = write(b, "index", strconv.AppendInt(nil, int64(c.index), 10))
	b = append(b, `"message":{`...)
	if !slices.ContainsFunc(c.message, func(p *part) bool { return p.name == "content" }) {
		c.message = append(c.message, &part{name: "content", null: true})
	}
	for _, p := range c.message {
		switch {
		case p.name == "tool_calls":
			b = write(b, p.name, c.appendCalls(nil))
		case p.name == "function_call":
			b = write(b, p.name, c.function.appendParts(nil))
		case joined(p.name):
			b = write(b, p.name, p.text())
		default:
			b = write(b, p.name, p.value)
		}
	}
	b = append(end(b, '}'), ',')
	if c.probable {
		b = write(b, "logprobs", c.appendProbabilities(nil))
	}
	for _, m := range c.rest {
		b = write(b, m.name, m.value)
	}
	return end(write(b, "finish_reason", c.reason), '}')
}

// text returns a part that is a text.
func (p *part) text() []byte {
	if p.null {
		return []byte("null")
	}
	return append(append([]byte{'"'}, p.value...), '"')
}

func (c *choice) appendProbabilities(b []byte) []byte {
	if len(c.logprobs) == 0 {
		return append(b, "null"...)
	}
	b = append(b, '{')
	for _, p := range c.logprobs {
		if p.null {
			b = write(b, p.name, []byte("null"))
			continue
		}
		b = write(b, p.name, append(append([]byte{'['}, p.value...), ']'))
	}
	return end(b, '}')
}

func (c *choice) appendCalls(b []byte) []byte {
	slices.SortFunc(c.calls, func(a, b *call) int { return a.index - b.index })
	b = append(b, '[')
	for _, one := range c.calls {
		b = append(b, '{')
		if one.id != nil {
			b = write(b, "id", one.id)
		}
		if one.kind != nil {
			b = write(b, "type", one.kind)
		}
		if one.of != "" {
			b = write(b, one.of, one.appendParts(nil))
		}
		b = append(end(b, '}'), ',')
	}
	return end(b, ']')
}

// appendParts writes what is called.
func (c *call) appendParts(b []byte) []byte {
	b = append(b, '{')
	for _, p := range c.parts {
		if p.name == "name" {
			b = write(b, p.name, p.value)
		} else {
			b = write(b, p.name, p.text())
		}
	}
	return end(b, '}')
}
