// Package canon brings a JSON text into a canonical form, so that two texts
// that say the same have the same bytes, and any two others differ. The order
// of an object's members, white space between tokens, and the way in which a
// string is escaped do not matter. Everything else does: a number keeps its
// digits as they are written, so 1, 1.0 and 1e0 are three numbers, and no
// integer is too big.
//
// It does not decode values, nor does it write JSON: the canonical form is
// made to be hashed. A text that two readers may read differently, because an
// object names a member twice, has no canonical form.
package canon

import (
	"errors"
	"io"
)

// MaxDepth is how deep arrays and objects may be nested, as in encoding/json.
const MaxDepth = 10_000

// Why a text has no canonical form.
var (
	ErrSyntax    = errors.New("not a JSON text")
	ErrDuplicate = errors.New("an object names a member twice")
	ErrDepth     = errors.New("nested deeper than 10000")
)

// A Doc is a JSON text that has a canonical form. It keeps the text that it
// was parsed from.
//
// The form has, outside of strings, the bytes of JSON without white space, and
// a comma after every element and member. A string is a quotation mark, its
// content in UTF-8, and the byte 0xFE, which no UTF-8 holds. What in a string
// is no character stands behind a 0xFF: a byte that is not UTF-8 as 0xFF 0x00
// and the byte, half of a surrogate pair as 0xFF 0x01 and its two bytes. So no
// two values have the same form, and none is the beginning of another but for
// numbers, which can only stand alone or before a comma.
type Doc struct {
	out     []byte   // the form, except that members are in the text's order
	objects []object // the objects in out that may have to be reordered, by from
	sorted  []member // the members of objects, in canonical order
	fields  []field  // the members of the outermost object, in the text's order
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

// A field is one member of the outermost object.
type field struct {
	from, to int    // the name in out, without its delimiters
	value    []byte // the value as the text has it
}

// Parse reads a JSON text: what [encoding/json.Valid] takes, less the texts in
// which an object names a member twice. It returns [ErrSyntax], [ErrDepth] or
// [ErrDuplicate], whichever it meets first. Time is O(n log n) and memory O(n),
// whatever the text; it keeps and does not change text.
func Parse(text []byte) (*Doc, error) {
	p := newParser(text)
	if err := p.value(0); err != nil {
		return nil, err
	}
	p.space()
	if p.pos < len(text) {
		return nil, ErrSyntax
	}
	return &p.doc, nil
}

// WriteTo writes the canonical form to w, which may be a hash.
func (d *Doc) WriteTo(w io.Writer) (int64, error) {
	c := counter{w: w}
	err := d.write(&c, member{to: len(d.out)})
	return c.n, err
}

// Field returns the value of the outermost object's member of that name, as
// the text has it and without white space around it. It returns false if the
// text is no object or has no such member. The name is compared by value,
// upper and lower case being different.
func (d *Doc) Field(name string) ([]byte, bool) {
	for _, f := range d.fields {
		if string(d.out[f.from:f.to]) == name {
			return f.value, true
		}
	}
	return nil, false
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
