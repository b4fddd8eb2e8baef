package demo

import (
	"encoding/json"
	"strconv"
	"strings"
	"unicode"
)

// echoed is how many bytes of a question its answer repeats.
const echoed = 1024

// An ask holds every field of a JSON request, of whichever endpoint, that the
// demo understands.
type ask struct {
	Model         string          `json:"model"`
	Stream        bool            `json:"stream"`
	StreamOptions streamOptions   `json:"stream_options"`
	Messages      []message       `json:"messages"`
	System        json.RawMessage `json:"system"`
	Prompt        json.RawMessage `json:"prompt"`
	Input         json.RawMessage `json:"input"`
	N             int             `json:"n"`

	MaxTokens           int `json:"max_tokens"`
	MaxCompletionTokens int `json:"max_completion_tokens"`
	MaxOutputTokens     int `json:"max_output_tokens"`

	EncodingFormat string          `json:"encoding_format"`
	Dimensions     int             `json:"dimensions"`
	ResponseFormat json.RawMessage `json:"response_format"` // a string or an object
}

type streamOptions struct {
	IncludeUsage bool `json:"include_usage"`
}

type message struct {
	Role    string          `json:"role"`
	Content json.RawMessage `json:"content"`
}

// A reply is generated text, as tokens that joined are the text.
type reply struct {
	tokens []string
	cut    bool // by a limit of tokens
}

func (r reply) text() string { return strings.Join(r.tokens, "") }

// newReply answers a question: "You said: " and how it begins. want is the
// exact number of tokens, 0 for as many as there are; most is the limit, 0 for
// none. Number n of several replies says so.
func newReply(question string, n, want, most int) reply {
	opening := "You said:"
	if n > 0 {
		opening = "You said (" + strconv.Itoa(n+1) + "):"
	}
	question = strings.ToValidUTF8(question[:min(len(question), echoed)], "")
	tokens := split(strings.TrimSpace(opening + " " + question))
	for want > len(tokens) {
		tokens = append(tokens, " word"+strconv.Itoa(len(tokens)+1))
	}
	if want > 0 {
		tokens = tokens[:want]
	}
	if most > 0 && len(tokens) > most {
		return reply{tokens[:most], true}
	}
	return reply{tokens, false}
}

// split cuts text into tokens. A token is a word with the white space before
// it, so that the tokens joined are the text.
func split(text string) []string {
	var tokens []string
	start, word := 0, false
	for i, r := range text {
		space := unicode.IsSpace(r)
		if space && word {
			tokens = append(tokens, text[start:i])
			start = i
		}
		word = !space
	}
	if start < len(text) {
		tokens = append(tokens, text[start:])
	}
	return tokens
}

// count returns the tokens of texts: their words.
func count(texts ...string) int {
	n := 0
	for _, t := range texts {
		n += len(strings.Fields(t))
	}
	return n
}

// texts returns every text in raw, which is a string, a list of strings, of
// parts with a text or of messages with a content, or one of these. Of
// anything else, such as a list of token numbers, it returns the JSON.
func texts(raw json.RawMessage) []string {
	if len(raw) == 0 || string(raw) == "null" {
		return nil
	}
	var s string
	if json.Unmarshal(raw, &s) == nil {
		return []string{s}
	}
	var list []json.RawMessage
	if json.Unmarshal(raw, &list) == nil {
		var all []string
		for _, item := range list {
			all = append(all, texts(item)...)
		}
		return all
	}
	var part struct {
		Text    *string         `json:"text"`
		Content json.RawMessage `json:"content"`
	}
	switch err := json.Unmarshal(raw, &part); {
	case err == nil && part.Text != nil:
		return []string{*part.Text}
	case err == nil && part.Content != nil:
		return texts(part.Content)
	}
	return []string{string(raw)}
}

// question returns the last message of the user, and the words of all
// messages.
func question(messages []message) (last string, words int) {
	for _, m := range messages {
		t := texts(m.Content)
		words += count(t...)
		if m.Role == "user" {
			last = strings.Join(t, " ")
		}
	}
	return last, words
}
