package demo

import (
	"encoding/json"
	"net/http"
	"strings"
)

// A response is what /v1/responses answers with, whole or in events.
type response struct {
	ID                string         `json:"id"`
	Object            string         `json:"object"`
	CreatedAt         int64          `json:"created_at"`
	Status            string         `json:"status"`
	Error             *string        `json:"error"` // always null
	IncompleteDetails *reason        `json:"incomplete_details"`
	Instructions      *string        `json:"instructions"` // always null
	Metadata          struct{}       `json:"metadata"`
	Model             string         `json:"model"`
	Output            []outputItem   `json:"output"`
	ParallelToolCalls bool           `json:"parallel_tool_calls"`
	Temperature       float64        `json:"temperature"`
	ToolChoice        string         `json:"tool_choice"`
	Tools             []struct{}     `json:"tools"`
	TopP              float64        `json:"top_p"`
	Usage             *responseUsage `json:"usage"`
}

type reason struct {
	Reason string `json:"reason"`
}

type outputItem struct {
	ID      string       `json:"id"`
	Type    string       `json:"type"`
	Status  string       `json:"status"`
	Role    string       `json:"role"`
	Content []outputText `json:"content"`
}

type outputText struct {
	Type        string     `json:"type"`
	Text        string     `json:"text"`
	Annotations []struct{} `json:"annotations"`
	Logprobs    []struct{} `json:"logprobs"`
}

type responseUsage struct {
	InputTokens        int            `json:"input_tokens"`
	InputTokensDetails map[string]int `json:"input_tokens_details"`

	OutputTokens        int            `json:"output_tokens"`
	OutputTokensDetails map[string]int `json:"output_tokens_details"`

	TotalTokens int `json:"total_tokens"`
}

// respond answers POST /v1/responses.
func respond(x *exchange) answer {
	if x.ask.Model == "" {
		return missing("model")
	}
	last, words := inputQuestion(x.ask.Input)
	if words == 0 {
		return missing("input")
	}
	reply := newReply(last, 0, x.plan.tokens, x.ask.MaxOutputTokens)
	begun := x.newResponse()
	ended := begun
	ended.end(reply, words)
	item := newItem(x.id("msg"), "completed", newText(reply.text()))
	if reply.cut {
		item.Status = "incomplete"
	}
	ended.Output = []outputItem{item}
	if x.ask.Stream {
		return responseStream(begun, ended, reply)
	}
	return whole(http.StatusOK, ended)
}

// inputQuestion is question for what /v1/responses takes: a text or messages.
func inputQuestion(input json.RawMessage) (last string, words int) {
	var messages []message
	if json.Unmarshal(input, &messages) == nil {
		return question(messages)
	}
	t := texts(input)
	return strings.Join(t, " "), count(t...)
}

// newResponse returns a response that has just begun.
func (x *exchange) newResponse() response {
	return response{
		ID:                x.id("resp"),
		Object:            "response",
		CreatedAt:         x.now(),
		Status:            "in_progress",
		Model:             x.ask.Model,
		Output:            []outputItem{},
		ParallelToolCalls: true,
		Temperature:       1,
		ToolChoice:        "auto",
		Tools:             []struct{}{},
		TopP:              1,
	}
}

// end notes how the response ended and what it cost.
func (r *response) end(reply reply, words int) {
	r.Status = "completed"
	if reply.cut {
		r.Status, r.IncompleteDetails = "incomplete", &reason{"max_output_tokens"}
	}
	r.Usage = &responseUsage{
		InputTokens:         words,
		InputTokensDetails:  map[string]int{"cached_tokens": 0},
		OutputTokens:        len(reply.tokens),
		OutputTokensDetails: map[string]int{"reasoning_tokens": 0},
		TotalTokens:         words + len(reply.tokens),
	}
}

func newItem(id, status string, content ...outputText) outputItem {
	return outputItem{ID: id, Type: "message", Status: status, Role: "assistant", Content: append([]outputText{}, content...)}
}

func newText(text string) outputText {
	return outputText{Type: "output_text", Text: text, Annotations: []struct{}{}, Logprobs: []struct{}{}}
}
