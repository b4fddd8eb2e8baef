package cache

import (
	"bytes"

	"github.com/holysheep/relay/internal/answer"
	"github.com/holysheep/relay/internal/canon"
	"github.com/holysheep/relay/internal/wire"
	"github.com/holysheep/relay/plugins"
)

// formOf finds in which form q asks for its answer, and whether it is the same
// question in another one. It returns false if what the body says of that is
// neither true nor false.
func (q *question) formOf(ask plugins.Ask) bool {
	options, times := []byte(nil), 0
	for name, value := range canon.Members(q.body) {
		switch string(name) {
		case "stream":
			if s := string(value); s != "true" && !off(value) {
				return false
			}
		case "stream_options":
			options = value
			times++
		}
	}
	if times > 1 { // leaving one of them out would hide the other
		return false
	}
	switch {
	case ask.Stream && q.route.Kind == wire.Chat && ask.IncludeUsage:
		q.form = answer.Usage
	case ask.Stream:
		q.form = answer.Stream
	}
	q.chat = q.convert && q.route.Kind == wire.Chat && onlyUsage(options)
	return true
}

// onlyUsage reports whether stream_options say nothing but whether a stream ends
// with its usage.
func onlyUsage(options []byte) bool {
	if off(options) {
		return string(options) != "false"
	}
	if options[0] != '{' {
		return false
	}
	for name, value := range canon.Members(options) {
		if string(name) != "include_usage" || string(value) != "true" && !off(value) {
			return false
		}
	}
	return true
}

// unformed returns the body without what says in which form the answer is to
// come. It is body itself where that says nothing.
func (q *question) unformed(body []byte) []byte {
	body = without(body, "stream")
	if q.chat {
		body = without(body, "stream_options")
	}
	return body
}

// without returns the object that text is without its member of that name, or
// text itself if it has none.
func without(text []byte, member string) []byte {
	for name, value := range canon.Members(text) {
		if string(name) != member {
			continue
		}
		from, to := canon.Cut(text, member, string(value))
		if from == to {
			return text
		}
		return bytes.Join([][]byte{text[:from], text[to:]}, nil)
	}
	return text
}
