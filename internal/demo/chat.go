package demo

import "net/http"

// chat answers POST /v1/chat/completions.
func chat(x *exchange) answer {
	switch {
	case x.ask.Model == "":
		return missing("model")
	case len(x.ask.Messages) == 0:
		return missing("messages")
	case x.ask.N < 0 || x.ask.N > 128:
		return badN()
	}
	last, words := question(x.ask.Messages)
	g := x.generate("chatcmpl", []string{last}, words)
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
	s.silent = 1 // the first reply's role
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

// complete answers POST /v1/completions.
func complete(x *exchange) answer {
	prompts := inputs(x.ask.Prompt)
	switch {
	case x.ask.Model == "":
		return missing("model")
	case len(prompts) == 0:
		return missing("prompt")
	case x.ask.N < 0 || x.ask.N > 128:
		return badN()
	}
	g := x.generate("cmpl", prompts, count(prompts...))
	if x.ask.Stream {
		return completionStream(x, g)
	}
	c := g.head
	c.Object, c.Usage = "text_completion", g.usage
	for i, r := range g.replies {
		text := r.text()
		c.Choices = append(c.Choices, choice{Index: i, Text: &text, FinishReason: finish(r)})
	}
	return whole(http.StatusOK, c)
}

func completionStream(x *exchange, g generation) answer {
	s := newStream(x, g, "text_completion")
	none := ""
	for i, r := range g.replies {
		for _, token := range r.tokens {
			s.add(choice{Index: i, Text: &token})
		}
		s.add(choice{Index: i, Text: &none, FinishReason: finish(r)})
	}
	return s.end(x, g)
}
