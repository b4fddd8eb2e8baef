package canon

import (
	"bytes"
	"iter"
)

// Members returns the members of the object that text is, in its order: the
// name by value, which is good until the next, and the value as text has it,
// without white space around it.
//
// It looks into no value, so that it costs a small part of [Parse]. It is no
// check: of a text that is not JSON it returns some of what looks like members,
// of one that is no object nothing.
func Members(text []byte) iter.Seq2[[]byte, []byte] {
	return func(yield func(name, value []byte) bool) {
		p := parser{text: text}
		for more := p.skips('{'); more; more = p.skips(',') {
			name, ok := p.name()
			if !ok || !p.skips(':') || !yield(name, p.skip()) {
				return
			}
		}
	}
}

// Cut returns where in the object that text is the first member of that name
// and value stands, together with the comma that has to go with it: text[:from]
// and text[to:] are the object without it. It returns 0, 0 if there is none.
// The value is compared as it is written.
func Cut(text []byte, name, value string) (from, to int) {
	p := parser{text: text}
	for more := p.skips('{'); more; more = p.skips(',') {
		before := p.pos - 1 // the brace or the comma
		p.space()
		start := p.pos
		n, ok := p.name()
		if !ok || !p.skips(':') {
			return 0, 0
		}
		v := p.skip()
		if string(n) != name || string(v) != value {
			continue
		}
		end := len(trimRight(text[:p.pos]))
		switch {
		case text[before] == ',':
			return before, end
		case p.skips(','):
			return start, p.pos
		}
		return start, end
	}
	return 0, 0
}

// Elements returns the elements of the array that text is, as [Members] does
// with the values of an object.
func Elements(text []byte) iter.Seq[[]byte] {
	return func(yield func(value []byte) bool) {
		p := parser{text: text}
		for more := p.skips('['); more; more = p.skips(',') {
			value := p.skip()
			if len(value) == 0 || !yield(value) { // there is none in [], nor before a wrong comma
				return
			}
		}
	}
}

// name reads the name of a member and the white space before it. It is a part
// of text unless it is written with escapes.
func (p *parser) name() (name []byte, ok bool) {
	if p.space(); p.peek() != '"' {
		return nil, false
	}
	end := p.pos + 1
	for end < len(p.text) && literal(p.text[end]) {
		end++
	}
	if end < len(p.text) && p.text[end] == '"' {
		name = p.text[p.pos+1 : end]
		p.pos = end + 1
		return name, true
	}
	p.doc.out = p.doc.out[:0]
	if p.string() != nil {
		return nil, false
	}
	return p.doc.out[1 : len(p.doc.out)-1], true
}

// skips skips white space and then c, and reports whether it was there.
func (p *parser) skips(c byte) bool {
	p.space()
	if p.peek() != c || p.pos == len(p.text) {
		return false
	}
	p.pos++
	return true
}

// skip skips a value, and returns it.
func (p *parser) skip() []byte {
	p.space()
	start, depth := p.pos, 0
	for ; p.pos < len(p.text); p.pos++ {
		c := p.text[p.pos]
		if depth == 0 && (c == ',' || c == ']' || c == '}') {
			break
		}
		switch c {
		case '{', '[':
			depth++
		case '}', ']':
			depth--
		case '"':
			p.toQuote()
		}
	}
	p.pos = min(p.pos, len(p.text))
	return trimRight(p.text[start:p.pos])
}

// trimRight returns text without the white space at its end, of which there is
// seldom any.
func trimRight(text []byte) []byte {
	if len(text) == 0 || text[len(text)-1] > ' ' {
		return text
	}
	return bytes.TrimRight(text, " \t\r\n")
}

// toQuote goes from a string's first quotation mark to its last one, or to the
// text's end.
func (p *parser) toQuote() {
	for {
		p.pos++
		i := bytes.IndexByte(p.text[p.pos:], '"')
		if i < 0 {
			p.pos = len(p.text)
			return
		}
		p.pos += i
		escapes := 0 // the string's first quotation mark stands before them
		for p.text[p.pos-1-escapes] == '\\' {
			escapes++
		}
		if escapes%2 == 0 {
			return
		}
	}
}

// Member returns the value of the first member of that name of the object that
// text is, nil if there is none.
func Member(text []byte, name string) []byte {
	for n, value := range Members(text) {
		if string(n) == name {
			return value
		}
	}
	return nil
}
