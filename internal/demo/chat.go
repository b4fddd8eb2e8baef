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

// A generation is the replies to one question, and what they cost.
type generation struct {
	head    completion // without choices and usage
	replies []reply
	usage   json.RawMessage
}

// chat answers POST /v1/chat/completions.
func chat(x *exchange) answer {
	switch {
	case x.ask.Model == "":
		return missing("model")
	case len(x.ask.Messages) == 0:
		return missing("messages")
	case x.ask.N < 0 || x.ask.N > 128:
		return refuse(http.StatusBadRequest, "", "'n' is not from 1 to 128.")
	}
	last, words := question(x.ask.Messages)
	g := x.generate("chatcmpl", last, words)
	if x.ask.Stream {
		return chatStream(x, g)
	}
	c := g.head
	c.Object, c.Usage = "chat.completion", g.usage
	for i, r := range g.replies {
		text := r.text()
		c.Choices = append(c.Choices, choice{
			Index:        i,
			Message:      &chatter{Role: "assistant", Content: &text},
			FinishReason: finish(r),
		})
	}
	return whole(http.StatusOK, c)
}

func chatStream(x *exchange, g generation) answer {
	s := newStream(x, g, "chat.completion.chunk")
	none := ""
	for i, r := range g.replies {
		s.add(choice{Index: i, Delta: &chatter{Role: "assistant", Content: &none}})
		for _, token := range r.tokens {
			s.add(choice{Index: i, Delta: &chatter{Content: &token}})
		}
		s.add(choice{Index: i, Delta: &chatter{}, FinishReason: finish(r)})
	}
	return s.end(x, g)
}

// generate makes the replies to a question of so many words.
func (x *exchange) generate(kind, question string, words int) generation {
	most := x.ask.MaxTokens
	if x.ask.MaxCompletionTokens > 0 {
		most = x.ask.MaxCompletionTokens
	}
	g := generation{head: completion{ID: x.id(kind), Created: x.now(), Model: x.ask.Model}}
	u := usage{PromptTokens: words}
	for i := range max(1, x.ask.N) {
		r := newReply(question, i, x.plan.tokens, most)
		g.replies = append(g.replies, r)
		u.CompletionTokens += len(r.tokens)
	}
	u.TotalTokens = u.PromptTokens + u.CompletionTokens
	g.usage = marshal(u)
	return g
}

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
	return events(append(s.events, event("", []byte("[DONE]"))))
}
