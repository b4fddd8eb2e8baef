package canon

import (
	"encoding/binary"
	"unicode/utf16"
	"unicode/utf8"
)

// What stands in the form's strings besides characters. UTF-8 has neither byte.
const (
	endString   = 0xFE
	halfOfAPair = 0xFF // two bytes follow, a surrogate without its other half
)

// string reads a string that starts at pos.
func (p *parser) string() error {
	p.take()
	for {
		start := p.pos
		for p.pos < len(p.text) && literal(p.text[p.pos]) {
			p.pos++
		}
		p.doc.out = append(p.doc.out, p.text[start:p.pos]...)
		switch p.peek() {
		case '"':
			p.pos++
			p.doc.out = append(p.doc.out, endString)
			return nil
		case '\\':
			if !p.escape() {
				return ErrSyntax
			}
		default: // the text's end, or a control character
			return ErrSyntax
		}
	}
}

// literal reports whether c stands for itself in a string.
func literal(c byte) bool { return c != '"' && c != '\\' && c >= ' ' }

// escape reads an escape that starts at pos, and reports whether it is one.
func (p *parser) escape() bool {
	p.pos++
	c := p.peek()
	if c == 'u' {
		return p.unicode()
	}
	switch c {
	case '"', '\\', '/':
	case 'b':
		c = '\b'
	case 'f':
		c = '\f'
	case 'n':
		c = '\n'
	case 'r':
		c = '\r'
	case 't':
		c = '\t'
	default:
		return false
	}
	p.pos++
	p.doc.out = append(p.doc.out, c)
	return true
}

// unicode reads an escape by number whose u is at pos, and its other half if
// it is half of a pair.
func (p *parser) unicode() bool {
	unit, ok := hex4(p.text[p.pos+1:])
	if !ok {
		return false
	}
	p.pos += 5
	if !utf16.IsSurrogate(unit) {
		p.doc.out = utf8.AppendRune(p.doc.out, unit)
		return true
	}
	if rest := p.text[p.pos:]; len(rest) > 2 && rest[0] == '\\' && rest[1] == 'u' {
		other, _ := hex4(rest[2:])
		if r := utf16.DecodeRune(unit, other); r != utf8.RuneError {
			p.pos += 6
			p.doc.out = utf8.AppendRune(p.doc.out, r)
			return true
		}
	}
	p.doc.out = append(p.doc.out, halfOfAPair)
	p.doc.out = binary.BigEndian.AppendUint16(p.doc.out, uint16(unit))
	return true
}

// hex4 reads the four hexadecimal digits that text starts with.
func hex4(text []byte) (rune, bool) {
	if len(text) < 4 {
		return 0, false
	}
	var n rune
	for _, c := range text[:4] {
		switch {
		case c >= '0' && c <= '9':
			c -= '0'
		case c|0x20 >= 'a' && c|0x20 <= 'f':
			c = c | 0x20 - 'a' + 10
		default:
			return 0, false
		}
		n = n<<4 | rune(c)
	}
	return n, true
}

// number reads a number, and keeps it as it is written.
func (p *parser) number() error {
	start := p.pos
	if p.peek() == '-' {
		p.pos++
	}
	if p.peek() == '0' {
		p.pos++
	} else if !p.digits() {
		return ErrSyntax
	}
	if p.peek() == '.' {
		p.pos++
		if !p.digits() {
			return ErrSyntax
		}
	}
	if c := p.peek(); c == 'e' || c == 'E' {
		p.pos++
		if c := p.peek(); c == '+' || c == '-' {
			p.pos++
		}
		if !p.digits() {
			return ErrSyntax
		}
	}
	p.doc.out = append(p.doc.out, p.text[start:p.pos]...)
	return nil
}

// digits skips digits, and reports whether there was one.
func (p *parser) digits() bool {
	start := p.pos
	for c := p.peek(); c >= '0' && c <= '9'; c = p.peek() {
		p.pos++
	}
	return p.pos > start
}
