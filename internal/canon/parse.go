package canon

import (
	"bytes"
	"slices"
)

// A parser goes through a text once and writes the form as it goes.
type parser struct {
	text    []byte
	pos     int
	members int      // how many members have begun
	open    []member // the members of the objects that are open, outermost first
	doc     Doc
}

// value reads a value and the white space before it.
func (p *parser) value(depth int) error {
	p.space()
	if p.pos == len(p.text) {
		return ErrSyntax
	}
	switch c := p.text[p.pos]; c {
	case '{', '[':
		if depth == MaxDepth {
			return ErrDepth
		}
		p.take()
		if c == '{' {
			return p.object(depth + 1)
		}
		return p.array(depth + 1)
	case '"':
		return p.string()
	case 't':
		return p.word("true")
	case 'f':
		return p.word("false")
	case 'n':
		return p.word("null")
	default:
		return p.number()
	}
}

// array reads an array behind its bracket.
func (p *parser) array(depth int) error {
	for first := true; ; first = false {
		done, err := p.closes(']', first)
		if done || err != nil {
			return err
		}
		if err := p.value(depth); err != nil {
			return err
		}
		p.doc.out = append(p.doc.out, ',')
	}
}

// object reads an object behind its brace.
func (p *parser) object(depth int) error {
	low, index := len(p.open), len(p.doc.objects)
	p.doc.objects = append(p.doc.objects, object{from: len(p.doc.out)})
	for first := true; ; first = false {
		to := len(p.doc.out)
		done, err := p.closes('}', first)
		if err != nil {
			return err
		}
		if done {
			p.doc.objects[index].to = to
			return p.order(index, p.open[low:])
		}
		if err := p.member(depth); err != nil {
			return err
		}
	}
}

// member reads a name, a colon and a value.
func (p *parser) member(depth int) error {
	if p.members++; p.members > MaxMembers {
		return ErrMembers
	}
	m := member{from: len(p.doc.out), inner: len(p.doc.objects)}
	p.space()
	if p.peek() != '"' {
		return ErrSyntax
	}
	if err := p.string(); err != nil {
		return err
	}
	m.name = len(p.doc.out)
	p.space()
	if p.peek() != ':' {
		return ErrSyntax
	}
	p.pos++
	if err := p.value(depth); err != nil {
		return err
	}
	p.doc.out = append(p.doc.out, ',')
	m.to = len(p.doc.out)
	p.open = append(p.open, m)
	return nil
}

// order closes the object at index, which has these members, the last of open.
func (p *parser) order(index int, members []member) error {
	d := &p.doc
	byName := func(a, b member) int {
		return bytes.Compare(d.out[a.from:a.name], d.out[b.from:b.name])
	}
	inOrder := true
	for i := 1; i < len(members); i++ {
		inOrder = inOrder && byName(members[i-1], members[i]) < 0
	}
	if !inOrder {
		slices.SortFunc(members, byName)
		for i := 1; i < len(members); i++ {
			if byName(members[i-1], members[i]) == 0 {
				return ErrDuplicate
			}
		}
	}
	p.open = p.open[:len(p.open)-len(members)]
	if inOrder && index == len(d.objects)-1 {
		d.objects = d.objects[:index] // nothing in it needs to be reordered
		return nil
	}
	o := &d.objects[index]
	if o.low, o.next = len(d.sorted), len(d.objects); !inOrder {
		d.sorted = append(d.sorted, members...)
	}
	o.high = len(d.sorted)
	return nil
}

// closes reads what may follow an element: the bracket end, or else a comma
// unless this is the first.
func (p *parser) closes(end byte, first bool) (bool, error) {
	p.space()
	switch c := p.peek(); {
	case c == end:
		p.take()
		return true, nil
	case first:
		return false, nil
	case c == ',':
		p.pos++
		return false, nil
	default:
		return false, ErrSyntax
	}
}

// word reads one of the three words of JSON.
func (p *parser) word(word string) error {
	if len(p.text)-p.pos < len(word) || string(p.text[p.pos:p.pos+len(word)]) != word {
		return ErrSyntax
	}
	p.pos += len(word)
	p.doc.out = append(p.doc.out, word...)
	return nil
}

// take moves one byte from the text to the form.
func (p *parser) take() {
	p.doc.out = append(p.doc.out, p.text[p.pos])
	p.pos++
}

// peek returns the next byte, 0 at the end of the text.
func (p *parser) peek() byte {
	if p.pos == len(p.text) {
		return 0
	}
	return p.text[p.pos]
}

// space skips white space.
func (p *parser) space() {
	for p.pos < len(p.text) {
		switch p.text[p.pos] {
		case ' ', '\t', '\n', '\r':
			p.pos++
		default:
			return
		}
	}
}
