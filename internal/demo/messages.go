package demo

import "net/http"

// An anthropicMessage is what /v1/messages answers with, whole or as the
// beginning of a stream.
type anthropicMessage struct {
	ID           string         `json:"id"`
	Type         string         `json:"type"`
	Role         string         `json:"role"`
	Model        string         `json:"model"`
	Content      []textBlock    `json:"content"`
	StopReason   *string        `json:"stop_reason"`
	StopSequence *string        `json:"stop_sequence"` // always null
	Usage        anthropicUsage `json:"usage"`
}

type textBlock struct {
	Type string `json:"type"`
	Text string `json:"text"`
}

type anthropicUsage struct {
	InputTokens              int `json:"input_tokens"`
	CacheCreationInputTokens int `json:"cache_creation_input_tokens"`
	CacheReadInputTokens     int `json:"cache_read_input_tokens"`
	OutputTokens             int `json:"output_tokens"`
}

// messages answers POST /v1/messages.
func messages(x *exchange) answer {
	if refusal, bad := x.badMessages(); bad {
		return refusal
	}
	last, words := question(x.ask.Messages)
	words += count(texts(x.ask.System)...)
	r := newReply(last, 0, x.plan.tokens, x.ask.MaxTokens)
	m := anthropicMessage{
		ID: x.id("msg"), Type: "message", Role: "assistant", Model: x.ask.Model, Content: []textBlock{},
		Usage: anthropicUsage{InputTokens: words, OutputTokens: 1},
	}
	if x.ask.Stream {
		return messageStream(m, r)
	}
	m.Content = []textBlock{{Type: "text", Text: r.text()}}
	m.StopReason, m.Usage.OutputTokens = stopReason(r), len(r.tokens)
	return whole(http.StatusOK, m)
}

// countTokens answers POST /v1/messages/count_tokens.
func countTokens(x *exchange) answer {
	if refusal, bad := x.badMessages(); bad {
		return refusal
	}
	_, words := question(x.ask.Messages)
	return whole(http.StatusOK, struct {
		InputTokens int `json:"input_tokens"`
	}{words + count(texts(x.ask.System)...)})
}

// badMessages returns the refusal of a request without what it needs.
func (x *exchange) badMessages() (answer, bool) {
	switch {
	case x.ask.Model == "":
		return x.refuse(http.StatusBadRequest, "", "model: Field required"), true
	case len(x.ask.Messages) == 0:
		return x.refuse(http.StatusBadRequest, "", "messages: Field required"), true
	}
	return answer{}, false
}

func stopReason(r reply) *string {
	reason := "end_turn"
	if r.cut {
		reason = "max_tokens"
	}
	return &reason
}

// trouble is the body of an error in Anthropic's form, and the data of the
// event in which a stream fails.
type trouble struct {
	Type  string `json:"type"`
	Error struct {
		Type    string `json:"type"`
		Message string `json:"message"`
	} `json:"error"`
	RequestID string `json:"request_id,omitempty"`
}

// newTrouble returns an error; the kind "" is that of the status, as in the
// API's list of errors.
func newTrouble(status int, kind, message, id string) trouble {
	t := trouble{Type: "error", RequestID: id}
	t.Error.Type, t.Error.Message = kind, message
	if kind != "" {
		return t
	}
	t.Error.Type = map[int]string{
		http.StatusUnauthorized:          "authentication_error",
		http.StatusPaymentRequired:       "billing_error",
		http.StatusForbidden:             "permission_error",
		http.StatusNotFound:              "not_found_error",
		http.StatusRequestTimeout:        "timeout_error",
		http.StatusConflict:              "conflict_error",
		http.StatusRequestEntityTooLarge: "request_too_large",
		http.StatusTooManyRequests:       "rate_limit_error",
		http.StatusGatewayTimeout:        "timeout_error",
		statusOverloaded:                 "overloaded_error",
	}[status]
	switch {
	case t.Error.Type != "":
	case status >= http.StatusInternalServerError:
		t.Error.Type = "api_error"
	default:
		t.Error.Type = "invalid_request_error"
	}
	return t
}

// statusOverloaded is Anthropic's own.
const statusOverloaded = 529

// anthropicList is a list of models in Anthropic's form.
type anthropicList struct {
	Data    []anthropicModel `json:"data"`
	FirstID string           `json:"first_id"`
	HasMore bool             `json:"has_more"` // always false
	LastID  string           `json:"last_id"`
}

func newAnthropicList(ids []string) anthropicList {
	list := anthropicList{FirstID: ids[0], LastID: ids[len(ids)-1]}
	for _, id := range ids {
		list.Data = append(list.Data, newAnthropicModel(id))
	}
	return list
}

// anthropicModel is a model in Anthropic's form.
type anthropicModel struct {
	Type        string `json:"type"`
	ID          string `json:"id"`
	DisplayName string `json:"display_name"`
	CreatedAt   string `json:"created_at"`
}

func newAnthropicModel(id string) anthropicModel {
	return anthropicModel{Type: "model", ID: id, DisplayName: id, CreatedAt: "2023-11-14T22:13:20Z"}
}
