package tree

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Bounds of a file, far beyond any that a person writes. They stop a file whose
// anchors multiply.
const (
	maxDepth  = 64
	maxValues = 100_000
)

// reader turns YAML into plain maps, lists and scalars. It works on nodes, not
// on values, since the decoder's own errors print the values.
type reader struct {
	problems *Problems
	lines    map[string]int // of keys
	values   int            // met so far
}

// Read returns what the YAML in text holds, nil if it holds nothing or cannot
// be read, and the line of each key by its path. The text stands at path.
// Problems of the whole are those of name.
func (p *Problems) Read(name, path string, text []byte) (v any, lines map[string]int) {
	r := &reader{problems: p, lines: map[string]int{}}
	return r.read(name, path, text), r.lines
}

func (r *reader) read(name, path string, text []byte) any {
	dec := yaml.NewDecoder(bytes.NewReader(text))
	var doc yaml.Node
	if err := decodeNode(dec, &doc); errors.Is(err, io.EOF) {
		return nil
	} else if err != nil {
		r.problems.Add(name, "%s", scrub(err.Error()))
		return nil
	}
	if err := decodeNode(dec, &yaml.Node{}); !errors.Is(err, io.EOF) {
		r.problems.Add(name, "holds more than one document")
		return nil
	}
	v, err := r.value(path, doc.Content[0], 0)
	if err != nil {
		r.problems.Add(name, "%v", err)
		return nil
	}
	return v
}

// decodeNode guards against a parser that panics: the text is a stranger's.
func decodeNode(dec *yaml.Decoder, n *yaml.Node) (err error) {
	defer func() {
		if recover() != nil {
			err = errors.New("not YAML")
		}
	}()
	return dec.Decode(n)
}

// scrub takes out of a message of the YAML parser the one thing that it quotes
// from the text: the name of an anchor that is not there.
func scrub(message string) string {
	message = regexp.MustCompile(`anchor '.*' `).ReplaceAllString(message, "anchor ")
	return strings.TrimPrefix(message, "yaml: ")
}

// value returns what n holds. An error is about the whole file.
func (r *reader) value(path string, n *yaml.Node, depth int) (any, error) {
	if r.values++; r.values > maxValues {
		return nil, fmt.Errorf("holds more than %d values", maxValues)
	}
	if depth > maxDepth {
		return nil, fmt.Errorf("line %d: nested deeper than %d", n.Line, maxDepth)
	}
	switch n.Kind {
	case yaml.AliasNode:
		return r.value(path, n.Alias, depth+1)
	case yaml.MappingNode:
		m := map[string]any{}
		return m, r.mapping(path, n, m, depth)
	case yaml.SequenceNode:
		list := make([]any, 0, len(n.Content))
		for i, item := range n.Content {
			v, err := r.value(path+"["+strconv.Itoa(i)+"]", item, depth+1)
			if err != nil {
				return nil, err
			}
			list = append(list, v)
		}
		return list, nil
	}
	return r.scalar(path, n), nil
}

// scalar keeps dates and the like as the text that they are written as.
func (r *reader) scalar(path string, n *yaml.Node) any {
	r.problems.Learn(path, n.Value)
	switch n.ShortTag() {
	case "!!bool", "!!int", "!!float", "!!null":
		if octal(n.Value) {
			r.problems.Add(path, "a number begins with 0: write it without, or in quotes if it is a text")
			return nil
		}
		var v any
		if n.Decode(&v) != nil {
			r.problems.Add(path, "the value is not what its tag %s says", n.ShortTag())
			return nil
		}
		return v
	}
	return n.Value
}

// octal reports whether a number is written as one of base 8 in YAML 1.1, and
// is read as such by some: 0100 is 64. In full, 0o100, it is no accident.
func octal(number string) bool {
	number = strings.TrimLeft(number, "+-")
	return len(number) > 1 && number[0] == '0' && (number[1] >= '0' && number[1] <= '9' || number[1] == '_')
}

// mapping reads the keys of n into m, merged ones (<<) first, since those that
// are written out win.
func (r *reader) mapping(path string, n *yaml.Node, m map[string]any, depth int) error {
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].ShortTag() == "!!merge" {
			if err := r.merge(path, n.Content[i+1], m, depth); err != nil {
				return err
			}
		}
	}
	first := map[string]int{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key := n.Content[i]
		if key.ShortTag() == "!!merge" {
			continue
		}
		if key.Kind != yaml.ScalarNode || !printable(key.Value) {
			return fmt.Errorf("line %d: a key is not a plain text", key.Line)
		}
		r.problems.Learn("", key.Value)
		at := Join(path, key.Value)
		if line, twice := first[key.Value]; twice {
			r.problems.Add(at, "stands twice, in line %d and in line %d", line, key.Line)
			continue
		}
		first[key.Value], r.lines[at] = key.Line, key.Line
		v, err := r.value(at, n.Content[i+1], depth+1)
		if err != nil {
			return err
		}
		m[key.Value] = v
	}
	return nil
}

// merge puts into m what item, the value of a merge key, has and m lacks.
func (r *reader) merge(path string, item *yaml.Node, m map[string]any, depth int) error {
	v, err := r.value(path, item, depth+1)
	if err != nil {
		return err
	}
	sources, isList := v.([]any)
	if !isList {
		sources = []any{v}
	}
	for _, s := range sources {
		source, ok := s.(map[string]any)
		if !ok {
			return fmt.Errorf("line %d: << merges something that is not a map", item.Line)
		}
		for key, v := range source {
			if _, there := m[key]; !there {
				m[key] = v
			}
		}
	}
	return nil
}

// printable reports whether key can be printed in a message as it is, and holds
// no byte that separates keys.
func printable(key string) bool {
	if key == "" || len(key) > 128 {
		return false
	}
	for _, c := range key {
		if !strconv.IsPrint(c) {
			return false
		}
	}
	return true
}
