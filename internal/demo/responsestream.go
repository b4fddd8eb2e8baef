package demo

// A typedEvent is an event of /v1/responses. Which fields it has depends on
// its type.
type typedEvent struct {
	Type           string      `json:"type"`
	SequenceNumber int         `json:"sequence_number"`
	Response       *response   `json:"response,omitempty"`
	ItemID         string      `json:"item_id,omitempty"`
	OutputIndex    *int        `json:"output_index,omitempty"`
	ContentIndex   *int        `json:"content_index,omitempty"`
	Item           *outputItem `json:"item,omitempty"`
	Part           *outputText `json:"part,omitempty"`
	Delta          *string     `json:"delta,omitempty"`
	Text           *string     `json:"text,omitempty"`
	Logprobs       *[]struct{} `json:"logprobs,omitempty"`
}

// errorEvent is the event in which a response stream fails.
type errorEvent struct {
	Type           string  `json:"type"`
	Code           *string `json:"code"`
	Message        string  `json:"message"`
	Param          *string `json:"param"`
	SequenceNumber int     `json:"sequence_number"`
}

// responseStream tells how begun became ended: the events of a text without
// tools, in the order of the API.
func responseStream(begun, ended response, reply reply) answer {
	var pieces [][]byte
	add := func(e typedEvent) {
		e.SequenceNumber = len(pieces)
		pieces = append(pieces, event(e.Type, marshal(e)))
	}
	zero, last := new(int), ended.Output[0]
	item, empty := newItem(last.ID, "in_progress"), newText("")
	none, text := []struct{}{}, reply.text()

	add(typedEvent{Type: "response.created", Response: &begun})
	add(typedEvent{Type: "response.in_progress", Response: &begun})
	add(typedEvent{Type: "response.output_item.added", OutputIndex: zero, Item: &item})

	part := typedEvent{ItemID: item.ID, OutputIndex: zero, ContentIndex: zero}
	part.Type, part.Part = "response.content_part.added", &empty
	add(part)
	part.Part, part.Logprobs = nil, &none
	silent := len(pieces)
	for _, token := range reply.tokens {
		part.Type, part.Delta = "response.output_text.delta", &token
		add(part)
	}
	part.Type, part.Delta, part.Text = "response.output_text.done", nil, &text
	add(part)
	part.Type, part.Text, part.Logprobs, part.Part = "response.content_part.done", nil, nil, &last.Content[0]
	add(part)

	add(typedEvent{Type: "response.output_item.done", OutputIndex: zero, Item: &last})
	add(typedEvent{Type: "response." + ended.Status, Response: &ended})
	a := events(pieces)
	a.silent, a.failure = silent, responseFailure
	return a
}

// responseFailure returns the event in which a response stream fails.
func responseFailure(n int, code string) []byte {
	e := errorEvent{Type: "error", Message: inStream, SequenceNumber: n}
	if code != "" {
		e.Code = &code
	}
	return event("error", marshal(e))
}
