package demo

import "net/http"

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
