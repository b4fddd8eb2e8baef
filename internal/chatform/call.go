package chatform

import "bytes"

// merge adds what a delta has of a call.
func (c *call) merge(data []byte) error {
	all, err := membersOf(data)
	if err != nil {
		return err
	}
	for _, m := range all {
		switch m.name {
		case "index":
		case "id":
			err = same(&c.id, m.value)
		case "type":
			err = same(&c.kind, m.value)
		case "function", "custom":
			if c.of != "" && c.of != m.name {
				return ErrInexact
			}
			c.of = m.name
			err = c.add(m.value)
		default:
			if !none(m.value) {
				err = ErrInexact
			}
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// same keeps a text that may come again or be left out, but no other.
func same(to *[]byte, value []byte) error {
	if none(value) || string(value) == `""` {
		return nil
	}
	if _, ok := text(value); !ok || *to != nil && !bytes.Equal(*to, value) {
		return ErrInexact
	}
	*to = value
	return nil
}

// add adds to what is called.
func (c *call) add(data []byte) error {
	all, err := partsOf(c.of, data)
	if err != nil {
		return err
	}
	for _, m := range all {
		if m.name == "name" {
			err = once(&c.parts, m)
		} else {
			err = appendText(&c.parts, m)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// partsOf returns the members of a function or a custom tool that is called: its
// name, and the text that it is called with.
func partsOf(of string, data []byte) ([]member, error) {
	all, err := membersOf(data)
	if err != nil {
		return nil, err
	}
	input := "arguments"
	if of == "custom" {
		input = "input"
	}
	for _, m := range all {
		if m.name != "name" && m.name != input {
			return nil, ErrInexact
		}
		if _, ok := text(m.value); !ok && !none(m.value) {
			return nil, ErrInexact
		}
	}
	return all, nil
}
