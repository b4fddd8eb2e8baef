package demo

import "net/http"

// The events of a stream of Anthropic's, in their order.
type (
	messageStart struct {
		Type    string           `json:"type"`
		Message anthropicMessage `json:"message"`
	}
	blockStart struct {
		Type         string    `json:"type"`
		Index        int       `json:"index"`
		ContentBlock textBlock `json:"content_block"`
	}
	blockDelta struct {
		Type  string    `json:"type"`
		Index int       `json:"index"`
		Delta textBlock `json:"delta"`
	}
	blockStop struct {
		Type  string `json:"type"`
		Index int    `json:"index"`
	}
	messageDelta struct {
		Type  string         `json:"type"`
		Delta stopDelta      `json:"delta"`
		Usage anthropicUsage `json:"usage"`
	}
	stopDelta struct {
		StopReason   *string `json:"stop_reason"`
		StopSequence *string `json:"stop_sequence"` // always null
	}
	bareEvent struct {
		Type string `json:"type"`
	}
)

// messageStream tells how m, which has just begun, got the text of r.
func messageStream(m anthropicMessage, r reply) answer {
	pieces := make([][]byte, 0, len(r.tokens)+6)
	add := func(kind string, data any) { pieces = append(pieces, event(kind, marshal(data))) }
	add("message_start", messageStart{"message_start", m})
	add("content_block_start", blockStart{"content_block_start", 0, textBlock{"text", ""}})
	add("ping", bareEvent{"ping"})
	silent := len(pieces)
	for _, token := range r.tokens {
		add("content_block_delta", blockDelta{"content_block_delta", 0, textBlock{"text_delta", token}})
	}
	add("content_block_stop", blockStop{"content_block_stop", 0})
	used := m.Usage
	used.OutputTokens = len(r.tokens)
	add("message_delta", messageDelta{"message_delta", stopDelta{StopReason: stopReason(r)}, used})
	add("message_stop", bareEvent{"message_stop"})
	a := events(pieces)
	a.silent, a.failure = silent, messageFailure
	return a
}

// messageFailure returns the event in which a stream of Anthropic's fails.
func messageFailure(_ int, code string) []byte {
	return event("error", marshal(newTrouble(http.StatusInternalServerError, code, inStream, "")))
}
