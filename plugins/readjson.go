package plugins

import (
	"encoding/json"
	"strings"
	"unicode/utf8"
)

// readJSON reads the fields of a JSON object, which may have white space in
// front. One that goes on beyond what was seen is not well formed by itself.
func (a *asker) readJSON(body []byte) {
	s := scanner{data: body}
	ok := s.open('{')
	first := s.at
	if ok = ok && a.readMembers(&s) && s.end(); !ok && a.Whole {
		a.doubt(everyField, "it is not well-formed JSON")
	}
	if ok && !a.usage.there() {
		a.usage, a.usageAs = span{first, first}, usageMember
	}
}

// readMembers reads an object after its opening brace. It returns false if
// the object is not well formed.
func (a *asker) readMembers(s *scanner) bool {
	if s.close() {
		return true
	}
	for {
		key, ok := s.key()
		if !ok {
			return false
		}
		value, ok := s.value()
		if !ok {
			return false
		}
		if i, exact := findKey(key); i >= 0 && a.first(i, exact) {
			a.setJSON(i, value, s.at-len(value))
		}
		if !s.take(',') {
			return s.close()
		}
	}
}

// setJSON gives the field at place its value, as it stands in the body from at
// on. null is as good as absent.
func (a *asker) setJSON(place int, value []byte, at int) {
	null := string(value) == "null"
	switch n := names()[place]; {
	case n.field == fieldUsage:
		a.readOptions(value, at)
	case null:
	case n.text == "generationConfig" || n.text == "generation_config":
		a.readGeneration(value)
	case n.text != "model":
		a.set(place, value)
	case value[0] == '"':
		a.set(place, unquote(value))
		a.model = span{at, at + len(value)}
	default:
		a.doubt(FieldModel, "model is not a string")
	}
}

// findKey is findName for a key as it stands in the body.
func findKey(quoted []byte) (place int, exact bool) {
	key := quoted[1 : len(quoted)-1]
	if !ascii(key) {
		return findOddKey(quoted)
	}
	if len(key) > 32 { // none is so long; the conversion below would allocate
		return -1, false
	}
	return findName(string(key))
}

// findOddKey is findKey for a key that has to be decoded. Some readers end a
// text at NUL or drop what is no character, so both leave a key in doubt that
// is a name without them.
func findOddKey(quoted []byte) (place int, exact bool) {
	key, clean := oddKey(quoted)
	place, exact = findName(clean)
	return place, exact && clean == key
}

// oddKey returns a key decoded, and as those readers see it.
func oddKey(quoted []byte) (key, clean string) {
	key = string(unquote(quoted))
	clean, _, _ = strings.Cut(key, "\x00")
	return key, strings.ReplaceAll(clean, string(utf8.RuneError), "")
}

// ascii reports whether the inside of a JSON string says what it is.
func ascii(text []byte) bool {
	for _, c := range text {
		if c == '\\' || c >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// unquote returns the text of a well-formed JSON string. What is no character
// in it becomes U+FFFD.
func unquote(quoted []byte) []byte {
	if inner := quoted[1 : len(quoted)-1]; ascii(inner) {
		return inner
	}
	var text string
	_ = json.Unmarshal(quoted, &text)
	return []byte(text)
}
