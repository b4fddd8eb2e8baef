package tree

import (
	"reflect"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Parse returns what a file would hold for the leaf s where the environment
// holds text. What s cannot hold stays a text, for Check to refuse.
func (s *Shape) Parse(text string) any {
	k := s.Type.Kind()
	text = strings.TrimSpace(text)
	switch {
	case isText(s.Type):
	case k == reflect.Bool:
		if v, err := strconv.ParseBool(text); err == nil {
			return v
		}
	case k >= reflect.Int && k <= reflect.Int64:
		if v, err := strconv.ParseInt(text, 10, 64); err == nil {
			return v
		}
	case k >= reflect.Uint && k <= reflect.Uint64:
		if v, err := strconv.ParseUint(text, 10, 64); err == nil {
			return v
		}
	case k == reflect.Float32 || k == reflect.Float64:
		if v, err := strconv.ParseFloat(text, 64); err == nil {
			return v
		}
	case k == reflect.Interface:
		var v any
		if yaml.Unmarshal([]byte(text), &v) == nil {
			return v
		}
	}
	return text
}
