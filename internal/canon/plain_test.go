package canon

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// plain is the slow and simple implementation that Parse is held against: it
// decodes the text to a tree by encoding/json, and writes the tree in order.
func plain(text []byte) (form string, tree any, err error) {
	if !json.Valid(text) || !utf8.Valid(text) {
		return "", nil, errors.New("not valid")
	}
	d := json.NewDecoder(strings.NewReader(string(text)))
	d.UseNumber()
	tree, err = decode(d)
	if err != nil {
		return "", nil, err
	}
	return write(tree), tree, nil
}

// exact reports whether encoding/json has kept every string of the form as it
// is: it puts U+FFFD in place of what is no character.
func exact(form string) bool { return !strings.ContainsRune(form, '\uFFFD') }

func decode(d *json.Decoder) (any, error) {
	token, err := d.Token()
	if err != nil {
		return nil, err
	}
	switch token {
	case json.Delim('['):
		list := []any{}
		for d.More() {
			v, err := decode(d)
			if err != nil {
				return nil, err
			}
			list = append(list, v)
		}
		_, err = d.Token()
		return list, err
	case json.Delim('{'):
		return decodeObject(d)
	default:
		return token, nil
	}
}

func decodeObject(d *json.Decoder) (any, error) {
	object := map[string]any{}
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return nil, err
		}
		if _, twice := object[name.(string)]; twice {
			return nil, errors.New("twice")
		}
		if object[name.(string)], err = decode(d); err != nil {
			return nil, err
		}
	}
	_, err := d.Token()
	return object, err
}

func write(tree any) string {
	switch v := tree.(type) {
	case []any:
		var b strings.Builder
		for _, e := range v {
			b.WriteString(write(e) + ";")
		}
		return "[" + b.String() + "]"
	case map[string]any:
		var b strings.Builder
		for _, name := range slices.Sorted(maps.Keys(v)) {
			b.WriteString(strconv.Quote(name) + ":" + write(v[name]) + ";")
		}
		return "{" + b.String() + "}"
	case string:
		return strconv.Quote(v)
	case json.Number:
		return v.String()
	case bool:
		return strconv.FormatBool(v)
	default:
		return "null"
	}
}

// respell writes the tree as another text of the same meaning.
func respell(tree any, r *rand.Rand) string {
	switch v := tree.(type) {
	case []any:
		parts := make([]string, 0, len(v))
		for _, e := range v {
			parts = append(parts, respell(e, r))
		}
		return blank(r) + "[" + strings.Join(parts, ",") + blank(r) + "]" + blank(r)
	case map[string]any:
		parts := make([]string, 0, len(v))
		for name, e := range v {
			parts = append(parts, blank(r)+quote(name, r)+blank(r)+":"+respell(e, r))
		}
		slices.Sort(parts) // the order of a map is not for a test to depend on
		r.Shuffle(len(parts), func(i, j int) { parts[i], parts[j] = parts[j], parts[i] })
		return blank(r) + "{" + strings.Join(parts, ",") + blank(r) + "}" + blank(r)
	case string:
		return blank(r) + quote(v, r) + blank(r)
	default:
		return blank(r) + write(v) + blank(r)
	}
}

func blank(r *rand.Rand) string { return []string{"", "", " ", "\n", "\t\r"}[r.IntN(5)] }

// quote writes text with some of its characters escaped.
func quote(text string, r *rand.Rand) string {
	var b strings.Builder
	for _, c := range text {
		if c < ' ' || c == '"' || c == '\\' || r.IntN(3) == 0 {
			escapeRune(&b, c)
			continue
		}
		b.WriteRune(c)
	}
	return `"` + b.String() + `"`
}

func escapeRune(b *strings.Builder, c rune) {
	if high, low := utf16.EncodeRune(c); high != '\uFFFD' {
		fmt.Fprintf(b, `\u%04x\u%04X`, high, low)
		return
	}
	fmt.Fprintf(b, `\u%04x`, c)
}
