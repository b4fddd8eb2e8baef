package plugins

import "strings"

// A usageForm is the form in which include_usage is put into a body.
type usageForm uint8

const (
	usageNowhere usageForm = iota
	usageMember            // stream_options as the first of several members
	usageObject            // the object in place of null
	usageFirst             // include_usage as the first of several members of it
	usageOnly              // include_usage as its only member
	usageTrue              // true in place of false or null
)

// text returns what is put into the body.
func (u usageForm) text() string {
	switch u {
	case usageMember:
		return `"stream_options":{"include_usage":true},`
	case usageObject:
		return `{"include_usage":true}`
	case usageFirst:
		return `"include_usage":true,`
	case usageOnly:
		return `"include_usage":true`
	case usageTrue:
		return `true`
	}
	return ""
}

// readOptions reads the value of stream_options, which begins at at in the
// body and is well formed.
func (a *asker) readOptions(value []byte, at int) {
	s := scanner{data: value}
	if string(value) == "null" {
		a.usage, a.usageAs = span{at, at + len(value)}, usageObject
		return
	}
	if !s.open('{') {
		a.doubt(fieldUsage, "stream_options is not an object")
		return
	}
	a.usage, a.usageAs = span{at + s.at, at + s.at}, usageOnly
	seen := false
	for more := !s.close(); more; more = s.take(',') {
		key, value, from := s.pair()
		if a.usageAs == usageOnly {
			a.usageAs = usageFirst
		}
		if !a.once(key, &seen, fieldUsage, "include_usage") {
			continue
		}
		a.usage, a.usageAs = span{at + from, at + from + len(value)}, usageTrue
		a.IncludeUsage = string(value) == "true"
		if value[0] != 't' && value[0] != 'f' && value[0] != 'n' {
			a.doubt(fieldUsage, "include_usage is neither true nor false")
		}
	}
}

// readGeneration reads Gemini's generationConfig, which is well formed.
func (a *asker) readGeneration(value []byte) {
	s := scanner{data: value}
	if !s.open('{') {
		a.doubt(FieldMaxTokens, "generationConfig is not an object")
		return
	}
	var seen [2]bool
	for more := !s.close(); more; more = s.take(',') {
		key, value, _ := s.pair()
		for i, name := range [...]string{"maxOutputTokens", "max_output_tokens"} {
			if a.once(key, &seen[i], FieldMaxTokens, name) && string(value) != "null" {
				place, _ := findName("max_output_tokens")
				a.set(place, value)
			}
		}
	}
}

// pair takes a member of a well-formed object, and returns where its value
// begins.
func (s *scanner) pair() (key, value []byte, from int) {
	key, _ = s.key()
	value, _ = s.value()
	return key, value, s.at - len(value)
}

// once reports whether a key of an object inside of the body is the name, as
// [asker.first] does: if it is not exactly so, or not for the first time, the
// field is in doubt.
func (a *asker) once(quoted []byte, seen *bool, field Field, name string) bool {
	key, clean := oddKey(quoted)
	switch {
	case !strings.EqualFold(clean, name):
		return false
	case key != name:
		a.doubt(field, name+" is there in another spelling")
		return false
	case *seen:
		a.doubt(field, name+" is there twice")
	}
	*seen = true
	return true
}
