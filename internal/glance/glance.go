// Package glance finds a few members of a JSON text while it passes in pieces,
// whatever its size, and keeps nothing else of it.
//
// It does not check the text. Of one that is not JSON it finds some of what
// looks like members, or nothing.
package glance

import (
	"bytes"
	"encoding/json"
	"slices"
)

// Most is how long a value may be to be kept, in bytes. The values that are
// looked for are a name, or an object of some numbers.
const Most = 8 << 10

// A Scanner looks for members of the object that a text is, or of every object
// in the array that it is. Make one with [New]. It is not safe for concurrent
// use.
type Scanner struct {
	names  []string
	into   []string
	values [][]byte // raw, by name; the memory of those that are not there is kept
	there  []bool

	depth int // how many arrays and objects are open
	level int // the depth in which members count
	outer int // the level of the text's own members
	state state
	str   bool // in a string
	odd   bool // the latest piece ended in it, behind an odd number of backslashes

	key      []byte // of the member at hand, as it is written
	inKey    bool
	keyBound int
	at       int  // which of names it is, -1 for any other
	enters   bool // it is one of into
	keeps    bool // its value is being kept
}

// A state is what a Scanner expects in the depth in which members count.
type state uint8

const (
	before  state = iota // the text
	atKey                // a name
	atColon              // the colon behind it
	atValue              // a value
	inValue              // the end of a value
	beyond               // nothing more
)

// New returns a scanner for members of these names. They count in the object
// itself and in those of its members that into names, if they are objects.
func New(names []string, into ...string) *Scanner {
	s := &Scanner{names: names, into: into, values: make([][]byte, len(names)), there: make([]bool, len(names))}
	for _, all := range [...][]string{names, into} {
		for _, name := range all {
			s.keyBound = max(s.keyBound, 6*len(name)) // each byte as \u0000
		}
	}
	s.key = make([]byte, 0, s.keyBound+1)
	return s
}

// Reset has the scanner begin with another text.
func (s *Scanner) Reset() {
	clear(s.there)
	*s = Scanner{names: s.names, into: s.into, values: s.values, there: s.there, key: s.key, keyBound: s.keyBound}
}

// Value returns the value of the i-th of the names as the text has it, nil if it
// has not ended yet, is not there, or is longer than [Most]. Where there are
// several it is the last. It is good until more is scanned.
func (s *Scanner) Value(i int) []byte {
	if !s.there[i] {
		return nil
	}
	return s.values[i]
}

// Scan takes the next piece of the text.
func (s *Scanner) Scan(p []byte) {
	from := 0 // where in p the value that is kept goes on
	for i := 0; i < len(p) && s.state != beyond; {
		switch {
		case s.str:
			i = s.string(p, i)
			continue
		case s.depth > s.level && s.state != before:
			if i += plain(p[i:]); i < len(p) {
				s.inner(p[i])
			}
		case s.depth == s.level && s.state != before:
			if s.member(p[from:i], p[i]) {
				from = i
			}
		default:
			s.outside(p[i])
		}
		i++
	}
	if s.keeps && s.state != beyond {
		s.keep(p[from:])
	}
}

// inner takes a byte inside of a value.
func (s *Scanner) inner(c byte) {
	switch c {
	case '"':
		s.begin(false)
	case '{', '[':
		s.depth++
	case '}', ']':
		s.depth--
	}
}

// outside takes a byte outside of the objects whose members count.
func (s *Scanner) outside(c byte) {
	switch {
	case c == ' ' || c == '\t' || c == '\n' || c == '\r' || s.depth == 1 && c == ',':
	case c == '{':
		s.depth++
		s.level, s.outer, s.state = s.depth, s.depth, atKey
	case c == '[' && s.depth == 0:
		s.depth++
	default:
		s.state = beyond
	}
}

// member takes a byte among members. kept is what of the value at hand has
// passed in this piece. It reports whether a value that is kept begins.
func (s *Scanner) member(kept []byte, c byte) (begins bool) {
	switch c {
	case ' ', '\t', '\n', '\r':
		return false
	case ':':
		if s.state == atColon {
			s.state = atValue
		}
		return false
	case ',', '}', ']':
		s.endValue(kept)
		if s.state = atKey; c != ',' {
			s.endObject()
		}
		return false
	}
	begins = s.state == atValue && s.at >= 0
	if begins {
		s.keeps, s.there[s.at], s.values[s.at] = true, false, s.values[s.at][:0]
	}
	switch c {
	case '"':
		s.begin(s.state == atKey)
	case '{', '[':
		s.depth++
		if c == '{' && s.state == atValue && s.enters && s.level == s.outer {
			s.level, s.state = s.depth, atKey
			s.keeps = false
			return false
		}
	}
	if s.state == atValue {
		s.state = inValue
	}
	return begins
}

// endObject closes the object whose members count.
func (s *Scanner) endObject() {
	s.depth--
	switch {
	case s.level > s.outer:
		s.level, s.state, s.at = s.outer, inValue, -1
	case s.depth == 0:
		s.state = beyond
	default:
		s.state = before // the next element of an array
	}
}

// begin begins a string.
func (s *Scanner) begin(key bool) {
	s.str, s.odd, s.inKey = true, false, key
	if key {
		s.key = s.key[:0]
	}
}

// string takes what of a string is in p from i on, and returns where it ends.
func (s *Scanner) string(p []byte, i int) int {
	end, closed := s.quote(p, i)
	if s.inKey {
		s.key = append(s.key, p[i:min(end, i+cap(s.key)-len(s.key))]...)
	}
	if !closed {
		return end
	}
	if s.str = false; s.inKey {
		s.inKey, s.state = false, atColon
		s.at, s.enters = s.match()
	}
	return end + 1
}

// quote returns where the string that p is in from i on ends, and whether it
// does so in p.
func (s *Scanner) quote(p []byte, i int) (end int, closed bool) {
	for start := i; ; i = end + 1 {
		k := bytes.IndexByte(p[i:], '"')
		if end = i + k; k < 0 {
			end = len(p)
		}
		slashes := 0
		for slashes < end-start && p[end-1-slashes] == '\\' {
			slashes++
		}
		if slashes == end-start && s.odd {
			slashes++
		}
		switch odd := slashes%2 == 1; {
		case k < 0:
			s.odd = odd
			return end, false
		case !odd:
			return end, true
		}
	}
}

// match tells which of the names the key is, and whether it is one to go into.
func (s *Scanner) match() (at int, enters bool) {
	if len(s.key) > s.keyBound {
		return -1, false
	}
	if bytes.IndexByte(s.key, '\\') < 0 {
		is := func(name string) bool { return name == string(s.key) }
		return slices.IndexFunc(s.names, is), slices.ContainsFunc(s.into, is)
	}
	var name string
	if json.Unmarshal(slices.Concat([]byte(`"`), s.key, []byte(`"`)), &name) != nil {
		return -1, false
	}
	return slices.Index(s.names, name), slices.Contains(s.into, name)
}

// keep keeps a part of the value at hand, unless it becomes too long.
func (s *Scanner) keep(part []byte) {
	if len(s.values[s.at])+len(part) > Most {
		s.keeps, s.values[s.at] = false, s.values[s.at][:0]
		return
	}
	s.values[s.at] = append(s.values[s.at], part...)
}

// endValue ends the value at hand, of which part has come last.
func (s *Scanner) endValue(part []byte) {
	if !s.keeps {
		return
	}
	if s.keep(part); s.keeps {
		s.values[s.at] = bytes.TrimRight(s.values[s.at], " \t\r\n")
		s.keeps, s.there[s.at] = false, true
	}
}
