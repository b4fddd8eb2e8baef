package chatform

import (
	"bytes"
	"io"
	"slices"
	"strconv"

	"github.com/holysheep/relay/internal/answer"
	"github.com/holysheep/relay/internal/canon"
	"github.com/holysheep/relay/internal/sse"
)

type tokens = answer.Tokens

// A joiner makes one piece of a stream.
type joiner struct {
	base    []member // outside of the choices
	choices []*choice
	usage   []byte
}

// join makes an answer in one piece of a stream.
func join(body []byte, used tokens) ([]byte, error) {
	j := &joiner{}
	if err := each(body, j.chunk); err != nil {
		return nil, err
	}
	if len(j.choices) == 0 {
		return nil, ErrInexact
	}
	if none(j.usage) {
		var err error
		if j.usage, err = usageOf(used); err != nil {
			return nil, err
		}
	}
	b := append(make([]byte, 0, len(body)), `{"object":"chat.completion",`...)
	for _, m := range j.base {
		b = write(b, m.name, m.value)
	}
	b = append(b, `"choices":[`...)
	slices.SortFunc(j.choices, func(a, b *choice) int { return a.index - b.index })
	for _, c := range j.choices {
		if c.reason == nil {
			return nil, ErrInexact
		}
		b = append(c.append(b), ',')
	}
	b = append(end(b, ']'), ',')
	return end(write(b, "usage", j.usage), '}'), nil
}

// each calls do with the data of each chunk of a stream.
func each(body []byte, do func(chunk []byte) error) error {
	r := sse.NewReader(bytes.NewReader(body))
	defer r.Release()
	var parts []byte
	for {
		e, err := r.Next()
		if err == io.EOF { //nolint:errorlint // as readers return it
			return nil
		}
		if err != nil {
			return err
		}
		data := bytes.TrimSpace(e.Data)
		switch e.Shape {
		case sse.Piece:
			parts = append(parts, e.Data...)
			continue
		case sse.Last:
			data = bytes.TrimSpace(append(parts, e.Data...))
			parts = nil
		}
		if len(data) == 0 || string(data) == "[DONE]" {
			continue
		}
		if err := do(data); err != nil {
			return err
		}
	}
}

// chunk adds a chunk.
func (j *joiner) chunk(data []byte) error {
	data = bytes.Clone(data)
	all, err := membersOf(data)
	if err != nil || string(find(all, "object")) != `"chat.completion.chunk"` {
		return ErrInexact
	}
	for _, m := range all {
		switch m.name {
		case "object", "obfuscation":
		case "choices":
			for one := range canon.Elements(m.value) {
				if err := j.choice(one); err != nil {
					return err
				}
			}
		case "usage":
			if !none(m.value) {
				j.usage = m.value
			}
		default:
			if err := j.keep(m); err != nil {
				return err
			}
		}
	}
	return nil
}

// keep notes a member that all chunks have alike.
func (j *joiner) keep(m member) error {
	if !plainName(m.name) {
		return ErrInexact
	}
	had := find(j.base, m.name)
	switch {
	case had == nil:
		j.base = append(j.base, m)
	case m.name == "created" || bytes.Equal(had, m.value):
	default:
		return ErrInexact
	}
	return nil
}

// choice adds what a chunk has of a choice.
func (j *joiner) choice(data []byte) error {
	all, err := membersOf(data)
	if err != nil {
		return err
	}
	index, err := strconv.ParseUint(string(find(all, "index")), 10, 7)
	if err != nil {
		return ErrInexact
	}
	at := slices.IndexFunc(j.choices, func(c *choice) bool { return c.index == int(index) })
	if at < 0 {
		at = len(j.choices)
		j.choices = append(j.choices, &choice{index: int(index)})
	}
	return j.choices[at].add(all)
}
