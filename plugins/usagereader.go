package plugins

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/url"

	"github.com/holysheep/relay/internal/canon"
	"github.com/holysheep/relay/internal/glance"
	"github.com/holysheep/relay/internal/wire"
)

const (
	// bytesPerToken is how long a token is where nobody says: about 4 characters
	// of English by OpenAI's rule of thumb (help.openai.com, "What are tokens
	// and how to count them").
	bytesPerToken = 4

	// mediaTokens is what an image or another file is where nobody says: about an
	// image of 1024 by 1024 pixels, which is 765 tokens to GPT-4o and some 1400 to
	// Claude, by their makers' rules.
	mediaTokens = 1000

	// modelEvents is in how many events of a stream its model is looked for. All
	// known wires name it in the first that has JSON.
	modelEvents = 8

	// modelBytes bounds the name of a model that is kept.
	modelBytes = 256
)

// The members of answers that tell what it has used, by their place in names.
const (
	memberUsage = iota
	memberMetadata
	memberModel
	memberVersion
	memberInput // of CountTokens alone
)

// memberNames are their names.
var memberNames = []string{ //nolint:gochecknoglobals // a table that nobody changes
	memberUsage: "usage", memberMetadata: "usageMetadata", memberModel: "model", memberVersion: "modelVersion",
	memberInput: "input_tokens",
}

// A UsageReader reads what an answer has used while it passes. It knows the
// answers of OpenAI's chat, completions, responses and embeddings, of
// Anthropic's messages and of Gemini, unary and streamed, and of servers that
// follow them. It keeps some hundred bytes, however long the answer is.
//
// The pool of upstreams reads every answer so: a plugin finds what it has used
// in [Attempt.Usage] and [Call.Usage]. One of its own needs who answers himself.
type UsageReader struct {
	route wire.Route
	asked int64         // bytes of the question
	ask   *Call         // measures the question; nil if its bytes are all that is known
	req   *http.Request // the question, where there is ask

	text  *glance.Scanner // a JSON text, or an event in parts; nil until there is one
	size  int64           // bytes of the answer, where it is no stream
	count counts
	model string

	events  int   // seen so far
	content int64 // how many of them had content
	ended   bool  // one said that the answer is whole, or what it has used in the end
	failed  bool  // one was an error
}

// NewUsageReader returns a reader for the answer to a request to that URL, as
// the client sent it, with a body of so many bytes, below 0 if unknown.
func NewUsageReader(at *url.URL, question int64) *UsageReader {
	u := &UsageReader{asked: max(question, 0), count: noCounts()}
	u.route, _ = wire.OfURL(at)
	return u
}

// Measure has the question estimated by what call, which is that of req, measures
// of its body, in place of its length: where an answer does not say what it has
// used, an image of a megabyte is not a quarter of a million tokens.
func (u *UsageReader) Measure(call *Call, req *http.Request) { u.ask, u.req = call, req }

// input returns how many tokens the question is taken for.
func (u *UsageReader) input() int64 {
	if u.ask == nil {
		return tokens(u.asked)
	}
	return u.ask.Measure(u.req).Tokens(bytesPerToken, mediaTokens)
}

// JSON takes the next piece of an answer that is a JSON text.
func (u *UsageReader) JSON(piece []byte) {
	u.size += int64(len(piece))
	u.glance().Scan(piece)
}

// Opaque takes the next piece of an answer that cannot be read.
func (u *UsageReader) Opaque(piece []byte) { u.size += int64(len(piece)) }

// Event takes an event of a stream, by the name in its event line and what its
// data lines hold, and reports whether it has content, something that a client
// could use.
func (u *UsageReader) Event(name string, data []byte) (content bool) {
	meaning := u.route.Meaning(name, data)
	u.note(meaning)
	if u.events++; u.model == "" && u.events <= modelEvents || mentionsUsage(data) {
		u.ended = u.read(data) || u.ended
	}
	return meaning == wire.Content
}

// EventPart takes a part of an event that is too long to be held, which counts
// as content. last says that none of it follows.
func (u *UsageReader) EventPart(data []byte, last bool) {
	g := u.glance()
	if g.Scan(data); !last {
		return
	}
	u.note(wire.Content)
	u.ended = u.glanced() || u.ended // only the last event of an answer is that long and has its usage
	g.Reset()
}

// Usage returns what the answer has used. whole says whether it was read to its
// end. It may be asked at any time.
func (u *UsageReader) Usage(whole bool) Usage {
	if u.text != nil && u.events == 0 && u.content == 0 {
		u.glanced()
	}
	use, known := u.count.usage()
	use.Model, use.Counted = u.model, u.route.Kind == wire.CountTokens
	if u.failed && u.content == 0 && !known {
		return Usage{Model: u.model} // an error uses nothing
	}
	if u.silent() {
		use.Output = max(use.Output, 0)
	}
	whole = whole && !u.failed || u.ended
	switch {
	case whole && use.Input >= 0 && use.Output >= 0 && !u.count.early:
		use.Source = UsageReported
		return use
	case whole:
		use.Source = UsageEstimated
	default:
		use.Source = UsagePartial
	}
	if use.Input < 0 {
		use.Input = u.input()
	}
	switch {
	case u.silent():
	case use.Output < 0:
		use.Output = u.content + tokens(u.size)
	default:
		use.Output = max(use.Output, u.content)
	}
	return use
}

// note takes what an event means.
func (u *UsageReader) note(meaning wire.Meaning) {
	switch meaning {
	case wire.Content:
		u.content++
	case wire.End:
		u.ended = true
	case wire.Failure:
		u.failed = true
	}
}

// silent reports whether answers of the route are no text: a vector, a number.
func (u *UsageReader) silent() bool {
	switch u.route.Kind {
	case wire.Embeddings, wire.Embed, wire.Moderations, wire.Rerank, wire.CountTokens:
		return true
	}
	return false
}

// read reads an event, and reports whether it says what was used in the end.
func (u *UsageReader) read(data []byte) bool {
	found, last := false, true
	for name, value := range canon.Members(data) {
		switch string(name) {
		case "usage", "usageMetadata":
			found = u.count.add(value, false) || found
		case "model", "modelVersion":
			u.name(value)
		case "choices", "candidates":
			last = ends(value)
		case "response":
			if u.route.Kind == wire.Responses {
				found = u.readInner(value, false) || found
			}
		case "message":
			if u.route.Kind == wire.Messages {
				u.readInner(value, true)
			}
		}
	}
	return found && last
}

// readInner reads the response or the message that an event holds. early says
// that it has only begun.
func (u *UsageReader) readInner(data []byte, early bool) (found bool) {
	for name, value := range canon.Members(data) {
		switch string(name) {
		case "usage":
			found = u.count.add(value, early) || found
		case "model":
			u.name(value)
		}
	}
	return found
}

// glance returns what scans JSON texts that are not held.
func (u *UsageReader) glance() *glance.Scanner {
	if u.text != nil {
		return u.text
	}
	names := memberNames[:memberInput]
	var into []string
	switch u.route.Kind {
	case wire.CountTokens:
		names = memberNames
	case wire.Responses:
		into = []string{"response"}
	case wire.Messages:
		into = []string{"message"}
	}
	u.text = glance.New(names, into...)
	return u.text
}

// glanced takes what glance has found, and reports whether it says what was used.
func (u *UsageReader) glanced() (found bool) {
	for i, take := range []func([]byte) bool{
		memberUsage: u.final, memberMetadata: u.final, memberModel: u.name, memberVersion: u.name,
	} {
		if value := u.text.Value(i); value != nil {
			found = take(value) || found
		}
	}
	if u.route.Kind == wire.CountTokens {
		u.count.set(&u.count.input, u.text.Value(memberInput))
	}
	return found
}

func (u *UsageReader) final(value []byte) bool { return u.count.add(value, false) }

// name takes the name of the model. It reports false: it is no usage.
func (u *UsageReader) name(value []byte) bool {
	var name string
	if u.model == "" && len(value) <= modelBytes && json.Unmarshal(value, &name) == nil {
		u.model = name
	}
	return false
}

// mentionsUsage reports whether data may say what was used. A usage of null, as
// OpenAI's chunks have it until the last, does not.
func mentionsUsage(data []byte) bool {
	for {
		_, after, found := bytes.Cut(data, []byte(`"usage`))
		if !found {
			return false
		}
		if !bytes.HasPrefix(after, []byte(`":null`)) {
			return true
		}
		data = after
	}
}

// ends reports whether the choices or candidates of an event with usage tell
// that an answer ends: OpenAI's last chunk has none. Before that, servers such as
// vLLM tell what was used so far.
func ends(choices []byte) bool {
	return string(choices) == "[]" || bytes.Contains(choices, []byte(`"finishReason"`)) ||
		bytes.Contains(choices, []byte(`"finish_reason":"`)) || bytes.Contains(choices, []byte(`"finish_reason": "`))
}

// tokens returns about how many tokens so many bytes are.
func tokens(bytes int64) int64 { return (bytes + bytesPerToken - 1) / bytesPerToken }
