package cache

import (
	"bytes"

	"github.com/holysheep/relay/internal/answer"
	"github.com/holysheep/relay/internal/canon"
	"github.com/holysheep/relay/internal/sse"
	"github.com/holysheep/relay/internal/wire"
)

// done is the data of the event that ends OpenAI's streams. Some gateways put
// one behind every stream.
const done = "[DONE]"

// A checker watches the events of a stream, and tells whether it is whole and
// good. What it does not know is neither: an answer that is not stored costs a
// call, a broken one that is stored breaks everybody who gets it.
type checker struct {
	route wire.Route
	known bool // the route's streams have an end that can be seen

	why   string // what is wrong with an event, "" if nothing is
	began bool   // something has come that a client can use
	ended bool   // the end was seen
	again bool   // and behind it done, on a wire that ends otherwise
	cut   bool   // the end came too early, or the source ended in an event
	open  bool   // an event that comes in pieces has not ended
	crlf  bool   // lines end in CR LF
	half  bool   // the CR of the last line end is there and its LF is not

	stopped bool    // Anthropic's reason to stop has come
	choices choices // of OpenAI's chat and completions
	long    outline // of the event that comes in pieces
}

// newChecker returns a checker of a stream of that form that answers on route.
func newChecker(route wire.Route, form answer.Form) *checker {
	c := &checker{route: route}
	switch route.Kind {
	case wire.Chat, wire.Completions, wire.Responses, wire.Messages:
		c.known = form.Streamed()
	}
	return c
}

// begun reports whether something has come that a client can use.
func (c *checker) begun() bool { return c.began }

// fault says why the stream must not be stored, as far as its events tell; ""
// if it is whole. That the source has ended by itself, and not in an error, is
// for the caller to know.
func (c *checker) fault() string {
	switch {
	case !c.known:
		return whyType
	case c.why != "":
		return c.why
	case !c.ended || c.cut || c.open || c.half:
		return whyIncomplete
	}
	return ""
}

// event takes the next event, of whatever shape.
func (c *checker) event(e sse.Event) {
	switch e.Shape {
	case sse.Tail:
		c.crlf, c.half = true, false
		return
	case sse.Rest:
		// A comment is none of the answer, wherever it ends.
		c.cut = c.cut || c.open || e.Raw[0] != ':'
		return
	case sse.Piece:
		c.open = true
		c.long.add(e.Data)
	case sse.Last:
		c.long.add(e.Data)
		c.open = false
		if c.long.over {
			c.bad()
		}
		c.take(e.Name, c.long.text)
		c.long.reset()
	case sse.Whole:
		c.take(e.Name, e.Data)
	}
	c.lineEnd(e.Raw)
}

// lineEnd notes how the last line of an event ends. The CR of a CR LF ends the
// line already, but a stream that ends there was cut.
func (c *checker) lineEnd(raw []byte) {
	c.half = false
	switch {
	case bytes.HasSuffix(raw, []byte("\r\n")):
		c.crlf = true
	case bytes.HasSuffix(raw, []byte("\r")):
		c.half = c.crlf || bytes.Contains(raw, []byte("\r\n"))
	}
}

// bad notes that an event tells of an error, or is nothing that is known.
func (c *checker) bad() { c.why = whyContent }

// take takes an event by its name and data.
func (c *checker) take(name string, data []byte) {
	data = bytes.TrimSpace(data)
	if len(data) == 0 && name != "error" {
		return // a comment, or nothing that a client is told of
	}
	last := string(data) == done
	if c.ended {
		if !last || c.again || c.route.Kind == wire.Chat || c.route.Kind == wire.Completions {
			c.bad()
		}
		c.again = true
		return
	}
	meaning := c.route.Meaning(name, data)
	c.began = c.began || meaning == wire.Content || meaning == wire.End
	switch {
	case meaning == wire.Failure:
		c.bad()
	case name == "ping":
	case last:
		c.end()
	case data[0] != '{' || data[len(data)-1] != '}':
		c.bad()
	default:
		c.object(name, data, meaning)
	}
}

// end takes done where nothing has ended the stream before.
func (c *checker) end() {
	c.ended = true
	// Gateways are known to end a stream with it that broke off (vLLM,
	// LiteLLM), without what ends the answer itself.
	c.cut = c.cut || !c.choices.finished()
}

// object takes an event whose data is an object.
func (c *checker) object(name string, data []byte, meaning wire.Meaning) {
	switch c.route.Kind {
	case wire.Chat, wire.Completions:
		if !c.choices.chunk(data) && meaning != wire.Silent || c.choices.bad {
			c.bad()
		}
		return
	}
	switch kind, known := kindOf(name, data); {
	case !known:
		c.bad()
	case c.route.Kind == wire.Responses && meaning == wire.End:
		c.ended = true
		if kind != "response.completed" || !completed(data) {
			c.bad()
		}
	case kind == "message_delta":
		c.stop(data)
	case meaning == wire.End:
		c.ended = true
		c.cut = c.cut || !c.stopped
	}
}

// stop takes Anthropic's message_delta, which has the reason to stop.
func (c *checker) stop(data []byte) {
	reason := canon.Member(canon.Member(data, "delta"), "stop_reason")
	switch {
	case off(reason) || string(reason) == `""`:
	case broken(reason):
		c.bad()
	default:
		c.stopped = true
	}
}
