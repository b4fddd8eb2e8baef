package wire

import "github.com/holysheep/relay/internal/canon"

// response returns the meaning of an event of OpenAI's responses.
func response(name string, data []byte) Meaning {
	if name == "" || name == "message" {
		name = typed(data)
	}
	switch name {
	case "response.created", "response.in_progress", "response.queued",
		"response.output_item.added", "response.content_part.added",
		"response.reasoning_summary_part.added", "ping", "keepalive":
		return Silent
	case "error", "response.failed":
		return Failure
	case "response.completed", "response.incomplete":
		return End
	case "":
		if failed(data) {
			return Failure
		}
	}
	return Content
}

// message returns the meaning of an event of Anthropic's messages.
func message(name string, data []byte) Meaning {
	if name == "" || name == "message" {
		name = typed(data)
	}
	switch name {
	case "message_start", "content_block_stop", "ping":
		return Silent
	case "content_block_start":
		return block(canon.Member(data, "content_block"))
	case "message_stop":
		return End
	case "error":
		return Failure
	case "":
		if failed(data) {
			return Failure
		}
	}
	return Content
}

// block returns the meaning of the beginning of a block: one of text or
// thinking begins empty, while that of a tool names it.
func block(data []byte) Meaning {
	text, meaning := false, Silent
	for name, value := range canon.Members(data) {
		switch string(name) {
		case "type":
			text = called(value, "text") || called(value, "thinking")
		case "text", "thinking":
			if !empty(value) {
				meaning = Content
			}
		}
	}
	if !text {
		return Content
	}
	return meaning
}

// typed returns the type that an event gives itself, "" if it does not. Some
// relays leave the event lines out.
func typed(data []byte) string {
	value := canon.Member(data, "type")
	if len(value) < 2 || value[0] != '"' {
		return ""
	}
	return string(value[1 : len(value)-1])
}
