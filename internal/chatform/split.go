package chatform

import (
	"strconv"

	"github.com/holysheep/relay/internal/canon"
)

// A splitter writes a stream.
type splitter struct {
	out   []byte
	head  []byte // of every chunk: its brace and the members that all have
	usage bool   // the stream tells what was used
}

// split makes a stream of an answer in one piece.
func split(body []byte, usage bool, used tokens) ([]byte, error) {
	all, err := membersOf(body)
	if err != nil {
		return nil, err
	}
	s := splitter{out: make([]byte, 0, 2*len(body)+512), head: []byte(`{"object":"chat.completion.chunk",`), usage: usage}
	for _, m := range all {
		switch m.name {
		case "object", "choices", "usage":
		default:
			if !plainName(m.name) {
				return nil, ErrInexact
			}
			s.head = write(s.head, m.name, m.value)
		}
	}
	choices := find(all, "choices")
	if string(find(all, "object")) != `"chat.completion"` || len(choices) == 0 || choices[0] != '[' {
		return nil, ErrInexact
	}
	for one := range canon.Elements(choices) {
		if err := s.choice(one); err != nil {
			return nil, err
		}
	}
	if usage {
		value := find(all, "usage")
		if none(value) {
			if value, err = usageOf(used); err != nil {
				return nil, err
			}
		}
		s.chunk(nil, value)
	}
	return append(s.out, "data: [DONE]\n\n"...), nil
}

// plainName reports whether a name needs no escapes.
func plainName(name string) bool { return strconv.Quote(name) == `"`+name+`"` }

// chunk writes a chunk with one choice, or none.
func (s *splitter) chunk(choice, usage []byte) {
	b := append(s.out, "data: "...)
	b = append(b, s.head...)
	b = write(b, "choices", append(append([]byte{'['}, choice...), ']'))
	if usage != nil {
		b = write(b, "usage", usage)
	} else if s.usage {
		b = write(b, "usage", []byte("null"))
	}
	s.out = append(end(b, '}'), "\n\n"...)
}

// choice writes the chunks of a choice.
func (s *splitter) choice(choice []byte) error {
	all, err := membersOf(choice)
	if err != nil {
		return err
	}
	index, reason := find(all, "index"), find(all, "finish_reason")
	delta, err := deltaOf(find(all, "message"))
	if _, bad := strconv.ParseUint(string(index), 10, 7); bad != nil || err != nil || none(reason) {
		return ErrInexact
	}
	first := write(write([]byte{'{'}, "index", index), "delta", delta)
	last := write(write([]byte{'{'}, "index", index), "delta", []byte("{}"))
	for _, m := range all {
		switch m.name {
		case "index", "message", "finish_reason":
		case "logprobs":
			first = write(first, m.name, m.value)
		default:
			if !plainName(m.name) {
				return ErrInexact
			}
			last = write(last, m.name, m.value)
		}
	}
	s.chunk(end(write(first, "finish_reason", []byte("null")), '}'), nil)
	s.chunk(end(write(last, "finish_reason", reason), '}'), nil)
	return nil
}

// deltaOf returns a whole message as a delta.
func deltaOf(message []byte) ([]byte, error) {
	all, err := membersOf(message)
	if err != nil {
		return nil, err
	}
	b := []byte{'{'}
	for _, m := range all {
		value := m.value
		switch {
		case none(value):
		case m.name == "tool_calls":
			value, err = indexed(value)
		case m.name == "function_call":
			_, err = membersOf(value)
		case m.name == "annotations" && string(value) == "[]":
		case joined(m.name) || m.name == "role":
			if _, ok := text(value); !ok {
				err = ErrInexact
			}
		default:
			err = ErrInexact
		}
		if err != nil || !plainName(m.name) {
			return nil, ErrInexact
		}
		b = write(b, m.name, value)
	}
	return end(b, '}'), nil
}

// joined reports whether a member of a message is a text that comes in parts.
func joined(name string) bool {
	switch name {
	case "content", "refusal", "reasoning_content", "reasoning":
		return true
	}
	return false
}

// indexed returns a list of tool calls with their indexes.
func indexed(calls []byte) ([]byte, error) {
	if calls[0] != '[' {
		return nil, ErrInexact
	}
	b, i := []byte{'['}, 0
	for one := range canon.Elements(calls) {
		all, err := membersOf(one)
		if err != nil {
			return nil, err
		}
		b = append(b, '{')
		b = write(b, "index", strconv.AppendInt(nil, int64(i), 10))
		for _, m := range all {
			switch m.name {
			case "id", "type":
				_, ok := text(m.value)
				if !ok {
					return nil, ErrInexact
				}
			case "function", "custom":
				if _, err := partsOf(m.name, m.value); err != nil {
					return nil, err
				}
			default:
				return nil, ErrInexact
			}
			b = write(b, m.name, m.value)
		}
		b = append(end(b, '}'), ',')
		i++
	}
	return end(b, ']'), nil
}
