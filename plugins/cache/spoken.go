package cache

import (
	"bytes"
	"encoding/json"
	"strings"

	"github.com/holysheep/relay/internal/canon"
	"github.com/holysheep/relay/internal/wire"
)

// maxSpoken is the longest message that is compared by what it means, in bytes:
// an embedding says little of a longer one.
const maxSpoken = 8 << 10

// spoken returns the last message of q, which has to be the user's and text
// alone, and the body without it. ok is false for any other question.
func spoken(q *question) (text string, rest []byte, ok bool) {
	if q.route.Kind != wire.Chat && q.route.Kind != wire.Messages {
		return "", nil, false
	}
	var last []byte
	for one := range canon.Elements(canon.Member(q.body, "messages")) {
		last = one
	}
	var content []byte
	for name, value := range canon.Members(last) {
		switch string(name) {
		case "role":
			ok = string(value) == `"user"`
		case "content":
			content = value
		}
	}
	if !ok || len(content) == 0 || len(content) > 2*maxSpoken {
		return "", nil, false
	}
	if text, ok = textOf(content); !ok || strings.TrimSpace(text) == "" || len(text) > maxSpoken {
		return "", nil, false
	}
	at := cap(q.body) - cap(content) // both end with the same array
	return text, bytes.Join([][]byte{q.body[:at], []byte("null"), q.body[at+len(content):]}, nil), true
}

// textOf returns a content that is text alone: a string, or parts that are
// nothing but text.
func textOf(content []byte) (text string, ok bool) {
	if content[0] == '"' {
		return text, json.Unmarshal(content, &text) == nil
	}
	if content[0] != '[' {
		return "", false
	}
	var parts []string
	for part := range canon.Elements(content) {
		kind, said := "", ""
		for name, value := range canon.Members(part) {
			switch string(name) {
			case "type":
				kind = string(value)
			case "text":
				if json.Unmarshal(value, &said) != nil {
					return "", false
				}
			default:
				return "", false
			}
		}
		if kind != `"text"` {
			return "", false
		}
		parts = append(parts, said)
	}
	return strings.Join(parts, "\n"), len(parts) > 0
}
