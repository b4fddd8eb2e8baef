package plugins

// maxDepth is how deep values may nest, as in encoding/json.
const maxDepth = 10_000

// A scanner finds where the values of a JSON text (RFC 8259) end, and whether
// they are well formed. It decodes nothing and allocates nothing. It is as
// strict as encoding/json.
type scanner struct {
	data  []byte
	at    int
	depth int
	// objects has a bit for each depth: whether it is an object's. A bit array
	// and a loop instead of recursion, so that 20 kB of brackets cost no
	// megabytes of stack.
	objects [maxDepth/64 + 1]uint64
}

// next skips white space and returns the byte after it, 0 at the end.
func (s *scanner) next() byte {
	for s.at < len(s.data) {
		switch c := s.data[s.at]; c {
		case ' ', '\t', '\r', '\n':
			s.at++
		default:
			return c
		}
	}
	return 0
}

// take takes c, if it is next.
func (s *scanner) take(c byte) bool {
	if s.next() != c {
		return false
	}
	s.at++
	return true
}

// end reports whether nothing but white space is left.
func (s *scanner) end() bool {
	s.next()
	return s.at == len(s.data)
}

// open takes an opening bracket, { or [.
func (s *scanner) open(bracket byte) bool {
	if !s.take(bracket) || s.depth == maxDepth {
		return false
	}
	s.depth++
	word, bit := s.depth/64, uint64(1)<<(s.depth%64)
	if s.objects[word] &^= bit; bracket == '{' {
		s.objects[word] |= bit
	}
	return true
}

// inObject reports whether the innermost open bracket is an object's.
func (s *scanner) inObject() bool { return s.objects[s.depth/64]&(1<<(s.depth%64)) != 0 }

// close takes the bracket that closes the innermost open one.
func (s *scanner) close() bool {
	bracket := byte(']')
	if s.inObject() {
		bracket = '}'
	}
	if !s.take(bracket) {
		return false
	}
	s.depth--
	return true
}

// key takes an object's key and the colon after it, and returns the key with
// its quotes.
func (s *scanner) key() (quoted []byte, ok bool) {
	if s.next() != '"' {
		return nil, false
	}
	start := s.at
	if !s.text() {
		return nil, false
	}
	quoted = s.data[start:s.at]
	return quoted, s.take(':')
}

// value takes a value and returns it as it stands.
func (s *scanner) value() (raw []byte, ok bool) {
	s.next()
	start, outer := s.at, s.depth
	for {
		opened, ok := s.enter()
		if !ok {
			return nil, false
		}
		if opened {
			continue
		}
		if !s.leave(outer) {
			return nil, false
		}
		if s.depth == outer {
			return s.data[start:s.at], true
		}
	}
}

// enter takes a value that holds no others, or the beginning of one that
// does, up to the first of these.
func (s *scanner) enter() (opened, ok bool) {
	switch c := s.next(); c {
	case '"':
		return false, s.text()
	case '{', '[':
		if !s.open(c) {
			return false, false
		}
		if s.close() {
			return false, true
		}
		return true, c == '[' || s.member()
	case 't':
		return false, s.literal("true")
	case 'f':
		return false, s.literal("false")
	case 'n':
		return false, s.literal("null")
	}
	return false, s.number()
}

// leave goes on after a value inside of others, down to the depth outer: it
// takes what closes, and what leads to the next value.
func (s *scanner) leave(outer int) bool {
	for s.depth > outer {
		if s.take(',') {
			return !s.inObject() || s.member()
		}
		if !s.close() {
			return false
		}
	}
	return true
}

// member takes a key that nobody asks for.
func (s *scanner) member() bool {
	_, ok := s.key()
	return ok
}
