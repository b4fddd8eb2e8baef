package demo

import (
	"encoding/json"
	"net/http"
)

type completion struct {
	ID      string          `json:"id"`
	Object  string          `json:"object"`
	Created int64           `json:"created"`
	Model   string          `json:"model"`
	Choices []choice        `json:"choices"`
	Usage   json.RawMessage `json:"usage,omitempty"`
}

type choice struct {
	Index        int      `json:"index"`
	Message      *chatter `json:"message,omitempty"`
	Delta        *chatter `json:"delta,omitempty"`
	Text         *string  `json:"text,omitempty"`
	Logprobs     *string  `json:"logprobs"` // always null
	FinishReason *string  `json:"finish_reason"`
}

type chatter struct {
	Role    string  `json:"role,omitempty"`
	Content *string `json:"content,omitempty"`
	Refusal *string `json:"refusal,omitempty"`
}

type usage struct {
	PromptTokens     int `json:"prompt_tokens"`
	CompletionTokens int `json:"completion_tokens"`
	TotalTokens      int `json:"total_tokens"`
}

// A generation is the replies to a request, and what they cost.
type generation struct {
	head    completion // without choices and usage
	replies []reply
	usage   json.RawMessage
}

// generate makes the replies to questions of so many words in all.
func (x *exchange) generate(kind string, questions []string, words int) generation {
	most := x.ask.MaxTokens
	if x.ask.MaxCompletionTokens > 0 {
		most = x.ask.MaxCompletionTokens
	}
	g := generation{head: completion{ID: x.id(kind), Created: x.now(), Model: x.ask.Model}}
	u := usage{PromptTokens: words}
	for _, q := range questions {
		for i := range max(1, x.ask.N) {
			r := newReply(q, i, x.plan.tokens, most)
			g.replies = append(g.replies, r)
			u.CompletionTokens += len(r.tokens)
		}
	}
	u.TotalTokens = u.PromptTokens + u.CompletionTokens
	g.usage = marshal(u)
	return g
}

// badN returns the refusal of an n that is out of range.
func badN() answer { return refuse(http.StatusBadRequest, "", "'n' is not from 1 to 128.") }

// finish returns why a reply ends.
func finish(r reply) *string {
	reason := "stop"
	if r.cut {
		reason = "length"
	}
	return &reason
}

// A stream is the events of a completion.
type stream struct {
	head   completion // of each event
	events [][]byte
	silent int // of the events, how many open the stream and say nothing
}

// newStream begins a stream. If usage is asked for, it is null in every event
// but the last.
func newStream(x *exchange, g generation, object string) *stream {
	s := &stream{head: g.head}
	s.head.Object = object
	if x.ask.StreamOptions.IncludeUsage {
		s.head.Usage = json.RawMessage("null")
	}
	return s
}

func (s *stream) add(c choice) {
	chunk := s.head
	chunk.Choices = []choice{c}
	s.events = append(s.events, event("", marshal(chunk)))
}

func (s *stream) end(x *exchange, g generation) answer {
	if x.ask.StreamOptions.IncludeUsage {
		last := s.head
		last.Choices, last.Usage = []choice{}, g.usage
		s.events = append(s.events, event("", marshal(last)))
	}
	a := events(append(s.events, event("", []byte("[DONE]"))))
	a.silent = s.silent
	return a
}
