package cache

import (
	"bytes"
	"math/bits"
	"strconv"

	"github.com/holysheep/relay/internal/canon"
	"github.com/holysheep/relay/internal/sse"
	"github.com/holysheep/relay/internal/wire"
)

// A checker tells whether a stream is whole and good while it passes: whether it
// ends as its API ends a good one, with nothing behind, and tells of no error.
// That the connection ended well does not show it: gateways end broken streams
// like good ones, some with [DONE].
type checker struct {
	route wire.Route
	most  int // how long an event in pieces may be to be looked into

	content bool // some of the answer has come
	ended   bool // the last event has
	bad     bool // an error has, or something behind the end
	cut     bool // it has ended inside of an event

	closed    bool   // Anthropic: a stop_reason has come
	begun     uint64 // OpenAI: the choices that have begun, by index
	finished  uint64 // and those with a finish_reason
	piecemeal []byte // what has come of an event in pieces
	tooLong   bool   // it is longer than most
}

// newChecker returns a checker of a stream of the route. An event longer than
// most is not looked into, and makes the stream one of which nothing is known.
func newChecker(route wire.Route, most int) *checker { return &checker{route: route, most: most} }

// event looks at the next event, or a part of one.
func (c *checker) event(e sse.Event) {
	c.cut = false
	switch e.Shape {
	case sse.Piece:
		c.gather(e.Data)
		c.content, c.cut = true, true
		return
	case sse.Last:
		c.gather(e.Data)
		c.meaning(e.Name, c.piecemeal)
		c.piecemeal = nil
	case sse.Rest:
		c.cut = len(bytes.TrimSpace(e.Raw)) > 0
	case sse.Tail:
	default:
		c.meaning(e.Name, e.Data)
	}
	if n := len(e.Raw); n > 0 && e.Raw[n-1] == '\r' && bytes.IndexByte(e.Raw, '\n') >= 0 {
		c.cut = true // lines end in CR LF: the LF has to come
	}
}

// gather keeps a part of an event.
func (c *checker) gather(data []byte) {
	if c.tooLong = c.tooLong || len(c.piecemeal)+len(data) > c.most; c.tooLong {
		c.piecemeal = nil
		return
	}
	c.piecemeal = append(c.piecemeal, data...)
}

// meaning looks at the data of an event.
func (c *checker) meaning(name string, data []byte) {
	m := c.route.Meaning(name, data)
	switch {
	case m == wire.Failure:
		c.bad = true
	case c.ended:
		c.bad = c.bad || m != wire.Silent
	case m == wire.End:
		c.ended, c.content = true, true
		c.bad = c.bad || c.route.Kind == wire.Responses && !completed(name, data)
	case m == wire.Content:
		c.content = true
	}
	switch c.route.Kind {
	case wire.Chat, wire.Completions:
		for one := range canon.Elements(canon.Member(data, "choices")) {
			c.choice(one)
		}
	case wire.Messages:
		c.closed = c.closed || stops(name, data)
	}
}

// completed reports whether an event that ends OpenAI's responses says that the
// response is what it was to be: response.incomplete does not.
func completed(name string, data []byte) bool {
	return name == "response.completed" || name == "" && string(canon.Member(data, "type")) == `"response.completed"`
}

// stops reports whether an event of Anthropic's messages has the reason why the
// answer ends.
func stops(name string, data []byte) bool {
	if name != "message_delta" && string(canon.Member(data, "type")) != `"message_delta"` {
		return false
	}
	reason := canon.Member(canon.Member(data, "delta"), "stop_reason")
	return !off(reason) && string(reason) != `""`
}

// choice notes a part of one of OpenAI's choices.
func (c *checker) choice(data []byte) {
	index, reason := uint64(0), []byte(nil)
	for name, value := range canon.Members(data) {
		switch string(name) {
		case "index":
			n, err := strconv.ParseUint(string(value), 10, 8)
			if err != nil || n >= bits.UintSize {
				c.bad = true
			}
			index = n
		case "finish_reason":
			reason = value
		}
	}
	c.begun |= 1 << index
	switch {
	case string(reason) == `"error"`: // as OpenRouter has it
		c.bad = true
	case !off(reason) && string(reason) != `""`:
		c.finished |= 1 << index
	}
}

// fault says why the stream that has passed is not whole and good, "" if it is.
func (c *checker) fault() string {
	whole := c.ended && !c.cut
	switch c.route.Kind {
	case wire.Chat, wire.Completions:
		whole = whole && c.begun != 0 && c.begun == c.finished
	case wire.Messages:
		whole = whole && c.closed
	case wire.Responses:
	default:
		return whyType // of which nobody knows how it ends
	}
	switch {
	case c.bad:
		return whyContent
	case c.tooLong:
		return whyTooLong
	case !whole:
		return whyIncomplete
	}
	return ""
}
