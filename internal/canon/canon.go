// Package canon brings a JSON text into a canonical form, so that two texts
// that say the same have the same bytes, and any two others differ. The order
// of an object's members, white space between tokens, and the way in which a
// string is escaped do not matter. Everything else does: a number keeps its
// digits as they are written, so 1, 1.0 and 1e0 are three numbers, and no
// integer is too big.
//
// It does not decode values, nor does it write JSON: the canonical form is
// made to be hashed. A text that two readers may read differently, because an
// object names a member twice or because it is not UTF-8, has no canonical
// form, and neither has one that is as large and odd as only an attack is.
package canon

import (
	"errors"
	"io"
	"unicode/utf8"
)

// MaxDepth is how deep arrays and objects may be nested, as in encoding/json.
const MaxDepth = 10_000

// MaxMembers is how many members the objects of a text may have in all: a few
// times what the largest requests to a model have, so that what it takes to
// put them in order is bounded.
const MaxMembers = 1 << 15

// Why a text has no canonical form.
var (
	ErrSyntax    = errors.New("not a JSON text")
	ErrDuplicate = errors.New("an object names a member twice")
	ErrDepth     = errors.New("nested deeper than 10000")
	ErrMembers   = errors.New("more than 32768 members")
	ErrEncoding  = errors.New("not UTF-8")
)

// A Doc is a JSON text in canonical form.
//
// The form has, outside of strings, the bytes of JSON without white space, and
// a comma after every element and member. A string is a quotation mark, its
// content in UTF-8, and the byte 0xFE, which no UTF-8 holds. Half of a surrogate
// pair, which is no character, is a 0xFF and its two bytes. So no two values
// have the same form, and none is the beginning of another but for numbers,
// which can only stand alone or before a comma.
type Doc struct {
	out     []byte   // the form, except that members are in the text's order
	objects []object // the objects in out that may have to be reordered, by from
	sorted  []member // the members of objects, in canonical order
}

// An object is one whose members are not in canonical order, or that holds
// such an object.
type object struct {
	from, to  int // the members in out, without the braces
	low, high int // the members in sorted; equal if their order is canonical
	next      int // the first object that starts after this one's end
}

// A member is one member of an object: its name, its value and a comma.
type member struct {
	from, to int // the member in out
	name     int // where in out its name ends
	inner    int // the first object that starts in it, if one does
}

// Parse reads a JSON text: what [encoding/json.Valid] takes, less the texts that
// are not UTF-8, in which an object names a member twice, or that have more
// than [MaxMembers]. It returns [ErrEncoding], and [ErrSyntax], [ErrDepth],
// [ErrDuplicate] or [ErrMembers], whichever it meets first. Time is O(n) but for
// the members' order, and memory a few times that of text, whatever it is. It
// neither keeps nor changes text.
func Parse(text []byte) (*Doc, error) {
	if !utf8.Valid(text) {
		return nil, ErrEncoding
	}
	p := parser{text: text}
	p.doc.out = make([]byte, 0, len(text)+len(text)/8+16)
	if err := p.value(0); err != nil {
		return nil, err
	}
	p.space()
	if p.pos < len(text) {
		return nil, ErrSyntax
	}
	doc := p.doc // alone, or it would keep all that the parser needs
	return &doc, nil
}

// WriteTo writes the canonical form to w, which may be a hash.
func (d *Doc) WriteTo(w io.Writer) (int64, error) {
	c := counter{w: w}
	err := d.write(&c, member{to: len(d.out)})
	return c.n, err
}

// write writes the part m of out, the members of its objects in order.
func (d *Doc) write(w io.Writer, m member) error {
	from := m.from
	for i := m.inner; i < len(d.objects) && d.objects[i].from < m.to; {
		o := d.objects[i]
		if o.low == o.high {
			i++
			continue
		}
		if _, err := w.Write(d.out[from:o.from]); err != nil {
			return err
		}
		for _, inner := range d.sorted[o.low:o.high] {
			if err := d.write(w, inner); err != nil {
				return err
			}
		}
		from, i = o.to, o.next
	}
	_, err := w.Write(d.out[from:m.to])
	return err
}

// A counter counts what is written.
type counter struct {
	w io.Writer
	n int64
}

func (c *counter) Write(p []byte) (int, error) {
	n, err := c.w.Write(p)
	c.n += int64(n)
	return n, err
}
