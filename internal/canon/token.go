package canon

import (
	"encoding/binary"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

// What delimits a string in the form, and what its content marks. UTF-8 has
// none of these bytes.
const (
	endString   = 0xFE
	notText     = 0xFF
	rawByte     = 0x00 // after notText: one byte that is not UTF-8
	halfOfAPair = 0x01 // after notText: two bytes, a surrogate without its other half
)

// string reads a string that starts at pos.
func (p *parser) string() error {
	p.take()
	for {
		start := p.pos
		for p.pos < len(p.text) && literal(p.text[p.pos]) {
			p.pos++
		}
		p.copy(p.text[start:p.pos])
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

// copy writes a piece of a string that holds no escape.
func (p *parser) copy(piece []byte) {
	if p.valid {
		p.doc.out = append(p.doc.out, piece...)
		return
	}
	for len(piece) > 0 {
		r, n := utf8.DecodeRune(piece)
		if r == utf8.RuneError && n == 1 {
			p.doc.out = append(p.doc.out, notText, rawByte)
		}
		p.doc.out = append(p.doc.out, piece[:n]...)
		piece = piece[n:]
	}
}

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
	p.doc.out = append(p.doc.out, notText, halfOfAPair)
	p.doc.out = binary.BigEndian.AppendUint16(p.doc.out, uint16(unit))
	return true
}

// hex4 reads the four hexadecimal digits that text starts with.
func hex4(text []byte) (rune, bool) {
	if len(text) < 4 {
		return 0, false
	}
	// A base of 16 allows neither sign, underscore nor prefix here.
	n, err := strconv.ParseUint(string(text[:4]), 16, 16)
	return rune(n), err == nil
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
