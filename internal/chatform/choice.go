package chatform

import (
	"bytes"
	"slices"
	"strconv"

	"github.com/holysheep/relay/internal/canon"
)

// A choice is one whose chunks come one after another.
type choice struct {
	index    int
	message  []*part // in the order in which they came
	calls    []*call
	function *call // a call of the old kind
	logprobs []*part
	probable bool     // logprobs were there, if null
	rest     []member // what came with the reason
	reason   []byte
}

// A part is a text or a list that comes in parts.
type part struct {
	name  string
	value []byte // without what begins and ends it
	null  bool   // there was nothing but null
}

// A call is one of a tool.
type call struct {
	index    int
	id, kind []byte
	of       string // function or custom
	parts    []*part
}

// add adds what one chunk has.
func (c *choice) add(all []member) error {
	reason := find(all, "finish_reason")
	for _, m := range all {
		var err error
		switch {
		case m.name == "index" || m.name == "finish_reason":
		case m.name == "delta":
			err = c.delta(m.value)
		case m.name == "logprobs":
			err = c.probabilities(m.value)
		case !none(reason) && plainName(m.name):
			c.rest = append(c.rest, m)
		case !none(m.value):
			err = ErrInexact
		}
		if err != nil {
			return err
		}
	}
	if none(reason) {
		return nil
	}
	if c.reason != nil {
		return ErrInexact
	}
	c.reason = reason
	return nil
}

// delta adds a delta.
func (c *choice) delta(data []byte) error {
	all, err := membersOf(data)
	if err != nil {
		return err
	}
	for _, m := range all {
		switch {
		case m.name == "role":
			err = once(&c.message, m)
		case joined(m.name):
			err = appendText(&c.message, m)
		case m.name == "tool_calls" && !none(m.value):
			err = c.toolCalls(m.value)
		case m.name == "function_call" && !none(m.value):
			if c.function == nil {
				c.function = &call{of: m.name}
				c.message = append(c.message, &part{name: m.name})
			}
			err = c.function.add(m.value)
		case none(m.value) || m.name == "annotations" && string(m.value) == "[]":
			err = once(&c.message, m)
		default:
			err = ErrInexact
		}
		if err != nil || !plainName(m.name) {
			return ErrInexact
		}
	}
	return nil
}

// of returns the part of that name, which it adds if there is none.
func of(list *[]*part, name string) *part {
	for _, p := range *list {
		if p.name == name {
			return p
		}
	}
	p := &part{name: name, null: true}
	*list = append(*list, p)
	return p
}

// once keeps a value that may come again, but no other.
func once(list *[]*part, m member) error {
	p := of(list, m.name)
	if p.value == nil || none(p.value) {
		p.value = m.value
		return nil
	}
	if bytes.Equal(p.value, m.value) || none(m.value) || string(m.value) == `""` {
		return nil
	}
	return ErrInexact
}

// appendText adds to a text.
func appendText(list *[]*part, m member) error {
	p := of(list, m.name)
	if none(m.value) {
		return nil
	}
	t, ok := text(m.value)
	if !ok {
		return ErrInexact
	}
	p.value, p.null = append(p.value, t...), false
	return nil
}

// toolCalls adds to calls of tools.
func (c *choice) toolCalls(data []byte) error {
	if data[0] != '[' {
		return ErrInexact
	}
	if find := slices.IndexFunc(c.message, func(p *part) bool { return p.name == "tool_calls" }); find < 0 {
		c.message = append(c.message, &part{name: "tool_calls"})
	}
	for one := range canon.Elements(data) {
		index, err := strconv.ParseUint(string(canon.Member(one, "index")), 10, 7)
		if err != nil {
			return ErrInexact
		}
		at := slices.IndexFunc(c.calls, func(c *call) bool { return c.index == int(index) })
		if at < 0 {
			at = len(c.calls)
			c.calls = append(c.calls, &call{index: int(index)})
		}
		if err := c.calls[at].merge(one); err != nil {
			return err
		}
	}
	return nil
}

// probabilities adds to the log probabilities.
func (c *choice) probabilities(data []byte) error {
	c.probable = true
	if none(data) {
		return nil
	}
	all, err := membersOf(data)
	if err != nil {
		return err
	}
	for _, m := range all {
		p := of(&c.logprobs, m.name)
		if none(m.value) {
			continue
		}
		if m.value[0] != '[' || !plainName(m.name) {
			return ErrInexact
		}
		if inner := bytes.TrimSpace(m.value[1 : len(m.value)-1]); len(inner) > 0 {
			if len(p.value) > 0 {
				p.value = append(p.value, ',')
			}
			p.value = append(p.value, inner...)
		}
		p.null = false
	}
	return nil
}
