package plugins

import "strings"

// text takes a string, the quote at its beginning included.
func (s *scanner) text() bool {
	for i := s.at + 1; i < len(s.data); i++ {
		switch c := s.data[i]; {
		case c == '"':
			s.at = i + 1
			return true
		case c == '\\':
			n := escape(s.data[i+1:])
			if n == 0 {
				return false
			}
			i += n
		case c < ' ':
			return false
		}
	}
	return false
}

// escape returns how many bytes after a backslash belong to it, 0 if it is not
// an escape of JSON.
func escape(after []byte) int {
	if len(after) == 0 {
		return 0
	}
	if after[0] != 'u' {
		if strings.IndexByte(`"\/bfnrt`, after[0]) < 0 {
			return 0
		}
		return 1
	}
	if len(after) < 5 {
		return 0
	}
	for _, c := range after[1:5] {
		if !digit(c) && (c|0x20 < 'a' || c|0x20 > 'f') {
			return 0
		}
	}
	return 5
}

// literal takes true, false or null.
func (s *scanner) literal(word string) bool {
	if len(s.data)-s.at < len(word) || string(s.data[s.at:s.at+len(word)]) != word {
		return false
	}
	s.at += len(word)
	return true
}

// number takes a number: -0.12e+3.
func (s *scanner) number() bool {
	s.skip('-', '-')
	if !s.skip('0', '0') && !s.digits() {
		return false
	}
	if s.skip('.', '.') && !s.digits() {
		return false
	}
	if s.skip('e', 'E') {
		s.skip('+', '-')
		return s.digits()
	}
	return true
}

// digits takes one digit or more.
func (s *scanner) digits() bool {
	start := s.at
	for s.at < len(s.data) && digit(s.data[s.at]) {
		s.at++
	}
	return s.at > start
}

// skip takes the next byte if it is a or b.
func (s *scanner) skip(a, b byte) bool {
	if s.at == len(s.data) || s.data[s.at] != a && s.data[s.at] != b {
		return false
	}
	s.at++
	return true
}

func digit(c byte) bool { return '0' <= c && c <= '9' }
