package tree

import (
	"encoding"
	"fmt"
	"math"
	"reflect"
	"strconv"
	"strings"
	"time"
)

// misfit says why v is not a value of the leaf s, or returns "". It tells kinds
// where it can, not values, since a secret may stand in the wrong place.
func (s *Shape) misfit(v any) string {
	_, isString := v.(string)
	_, isBool := v.(bool)
	switch k := s.Type.Kind(); {
	case k == reflect.Interface:
	case s.Type == reflect.TypeFor[time.Duration]():
		return durationMisfit(v)
	case isText(s.Type):
		return textMisfit(s.Type, v)
	case k == reflect.String && !isString:
		return kindOf(v) + " stands where a text is expected" + quoteHint(v)
	case k == reflect.Bool && !isBool:
		return kindOf(v) + " stands where true or false is expected"
	case k >= reflect.Int && k <= reflect.Float64:
		return numberMisfit(s.Type, v)
	case k != reflect.String && k != reflect.Bool:
		return "cannot be set: its type is " + s.Type.String()
	}
	return ""
}

// durationMisfit asks for a unit. 0 needs none.
func durationMisfit(v any) string {
	text, ok := v.(string)
	if !ok && !isNumber(v) {
		return kindOf(v) + " stands where a duration such as 30s is expected"
	}
	if !ok {
		text = fmt.Sprint(v)
	}
	if d, err := time.ParseDuration(text); err == nil { // a number can only be 0
		if d == 0 && strings.ContainsAny(text, "123456789") {
			return Brief(text) + " is below a nanosecond, and would count as 0"
		}
		return ""
	}
	if _, err := strconv.ParseFloat(text, 64); err == nil {
		return Brief(text) + " has no unit, such as 30s"
	}
	if hours := inHours(text); hours != "" {
		return Brief(text) + " is not a duration: write hours, " + hours
	}
	return Brief(text) + " is not a duration such as 300ms, 30s or 5m"
}

// inHours returns whole days, such as 30d, or weeks as a duration, "" for
// anything else: Go knows no unit above the hour, since days differ in length.
func inHours(text string) string {
	if text == "" {
		return ""
	}
	last := len(text) - 1
	hours := map[byte]uint64{'d': 24, 'w': 7 * 24}[text[last]]
	n, err := strconv.ParseUint(text[:last], 10, 16) // 65535 weeks are more than anything lasts
	if hours == 0 || err != nil {
		return ""
	}
	return strconv.FormatUint(n*hours, 10) + "h"
}

// textMisfit lets the type t itself read v. A number is no text, but 0 is the
// zero of every unit.
func textMisfit(t reflect.Type, v any) string {
	text, ok := v.(string)
	if !ok && !isNumber(v) {
		return kindOf(v) + " stands where a text is expected"
	}
	if !ok {
		text = fmt.Sprint(v)
		if text == "0" && t.Kind() >= reflect.Int && t.Kind() <= reflect.Float64 {
			return ""
		}
	}
	err := reflect.New(t).Interface().(encoding.TextUnmarshaler).UnmarshalText([]byte(text))
	switch {
	case err != nil && t == reflect.TypeFor[time.Time](): // whose error tells how Go reads one
		return Brief(text) + " is not a moment such as 2027-01-01T00:00:00Z"
	case err != nil:
		message := strings.ReplaceAll(err.Error(), strconv.Quote(text), Brief(text))
		return strings.ReplaceAll(message, "\n", " ")
	case !ok:
		return "a number stands where a text is expected" + quoteHint(v)
	}
	return ""
}

func numberMisfit(t reflect.Type, v any) string {
	whole := t.Kind() < reflect.Float32
	n := reflect.ValueOf(v)
	switch {
	case !isNumber(v) && whole:
		return kindOf(v) + " stands where a whole number is expected"
	case !isNumber(v):
		return kindOf(v) + " stands where a number is expected"
	case whole && n.CanFloat():
		return "a fraction stands where a whole number is expected"
	case whole && !holds(t, n):
		return "the number is out of range"
	}
	return ""
}

// holds reports whether the whole number n is a value of type t.
func holds(t reflect.Type, n reflect.Value) bool {
	target := reflect.New(t).Elem()
	switch {
	case n.CanUint() && target.CanUint():
		return !target.OverflowUint(n.Uint())
	case n.CanUint():
		return n.Uint() <= math.MaxInt64 && !target.OverflowInt(int64(n.Uint()))
	case target.CanUint():
		return n.Int() >= 0 && !target.OverflowUint(uint64(n.Int()))
	}
	return !target.OverflowInt(n.Int())
}

func isNumber(v any) bool {
	n := reflect.ValueOf(v)
	return n.IsValid() && (n.CanInt() || n.CanUint() || n.CanFloat())
}

// quoteHint says how to make a text of a scalar.
func quoteHint(v any) string {
	switch v.(type) {
	case map[string]any, []any:
		return ""
	}
	return ": put it in quotes"
}

// kindOf says what v is, in words.
func kindOf(v any) string {
	switch v.(type) {
	case map[string]any:
		return "a map"
	case []any:
		return "a list"
	case string:
		return "a text"
	case bool:
		return "true or false"
	}
	return "a number"
}
