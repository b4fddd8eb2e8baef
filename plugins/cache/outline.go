package cache

import "github.com/holysheep/relay/internal/sse"

const (
	// outlineDepth is how deep an outline looks: the members of an event, of its
	// list of choices, of a choice, and of its delta.
	outlineDepth = 4

	// outlineString is how much an outline keeps of a string, in bytes: no name
	// and no word that is looked for is as long.
	outlineString = 64
)

// An outline is a JSON text less the long strings in it and what is deep
// inside, so that an event can be looked into that is too long to be held: a
// picture, or a response that repeats the whole answer. It has the members of
// the text, and is empty where the text is.
type outline struct {
	text []byte
	over bool // it is longer than an event that is held

	depth   int
	inside  bool // of a string
	escaped bool // a backslash came last
	digits  int  // how many of an escape by number are to come
	length  int  // of the string so far
}

// reset begins another text.
func (o *outline) reset() { *o = outline{text: o.text[:0]} }

// add goes on with the text.
func (o *outline) add(data []byte) {
	for _, c := range data {
		switch {
		case o.inside:
			o.string(c)
		case c == '"':
			o.put(c)
			o.inside, o.length = true, 0
		case c == '{' || c == '[':
			o.put(c)
			o.depth++
		case c == '}' || c == ']':
			o.depth--
			o.put(c)
		case c > ' ':
			o.put(c)
		}
	}
}

// string takes a byte of a string behind its first quotation mark. The string
// is not cut within an escape.
func (o *outline) string(c byte) {
	o.length++
	switch {
	case o.escaped:
		o.escaped = false
		if c == 'u' {
			o.digits = 4
		}
	case o.digits > 0:
		o.digits--
	case c == '"':
		o.inside = false
		o.put(c)
		return
	case c == '\\':
		o.escaped = true
		if o.length > outlineString-len(`\u0000`) {
			o.length += outlineString
		}
	}
	if o.length <= outlineString {
		o.put(c)
	}
}

// put adds a byte. What is too deep is one digit, whatever it is.
func (o *outline) put(c byte) {
	n := len(o.text)
	switch {
	case o.depth <= outlineDepth:
	case n > 0 && (o.text[n-1] == '{' || o.text[n-1] == '['):
		c = '0'
	default:
		return
	}
	if n >= sse.Bound {
		o.over = true
		return
	}
	o.text = append(o.text, c)
}
