package demo

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
)

// A geminiAsk holds the fields of a request to Gemini that the demo
// understands.
type geminiAsk struct {
	Contents          []geminiContent `json:"contents"`
	SystemInstruction geminiContent   `json:"systemInstruction"`
	GenerationConfig  struct {
		MaxOutputTokens int `json:"maxOutputTokens"`
		CandidateCount  int `json:"candidateCount"`
	} `json:"generationConfig"`

	GenerateContentRequest *geminiAsk `json:"generateContentRequest"` // of countTokens

	Content              geminiContent `json:"content"` // of embedContent
	OutputDimensionality int           `json:"outputDimensionality"`
	Requests             []geminiAsk   `json:"requests"` // of batchEmbedContents
}

type geminiContent struct {
	Role  string       `json:"role,omitempty"`
	Parts []geminiPart `json:"parts"`
}

type geminiPart struct {
	Text string `json:"text"`
}

func (c geminiContent) text() string {
	var b strings.Builder
	for _, p := range c.Parts {
		b.WriteString(p.Text)
	}
	return b.String()
}

// question returns the user's last content, and the words of all.
func (a *geminiAsk) question() (last string, words int) {
	words = count(a.SystemInstruction.text())
	for _, c := range a.Contents {
		words += count(c.text())
		if c.Role == "" || c.Role == "user" {
			last = c.text()
		}
	}
	return last, words
}

// geminiEndpoint returns what answers under a path of Gemini's, escaped as it
// came.
func geminiEndpoint(path string) (endpoint, bool) {
	_, rest, _ := strings.Cut(path[1:], "/")
	model, verb, _ := strings.Cut(strings.TrimPrefix(rest, "models/"), ":")
	switch verb {
	case "generateContent":
		return endpoint{http.MethodPost, decodeGemini(model, false), generateContent}, true
	case "streamGenerateContent":
		return endpoint{http.MethodPost, decodeGemini(model, true), generateContent}, true
	case "countTokens":
		return endpoint{http.MethodPost, decodeGemini(model, false), countGemini}, true
	case "embedContent":
		return endpoint{http.MethodPost, decodeGemini(model, false), embedContent}, true
	case "batchEmbedContents":
		return endpoint{http.MethodPost, decodeGemini(model, false), embedContents}, true
	}
	switch {
	case rest == "models":
		return endpoint{http.MethodGet, nil, geminiModels}, true
	case verb == "" && strings.HasPrefix(rest, "models/"):
		return endpoint{http.MethodGet, nil, geminiModel}, true
	}
	return endpoint{}, false
}

// decodeGemini returns what reads a request for the model of the path.
func decodeGemini(model string, stream bool) func(*exchange) error {
	return func(x *exchange) error {
		name, err := url.PathUnescape(model)
		if err != nil {
			return err
		}
		x.ask.Model, x.ask.Stream = name, stream
		return json.Unmarshal(x.body, &x.gemini)
	}
}

// countGemini answers POST /v1beta/models/MODEL:countTokens.
func countGemini(x *exchange) answer {
	ask := &x.gemini
	if ask.GenerateContentRequest != nil {
		ask = ask.GenerateContentRequest
	}
	_, words := ask.question()
	return whole(http.StatusOK, struct {
		TotalTokens         int             `json:"totalTokens"`
		PromptTokensDetails []modalityCount `json:"promptTokensDetails"`
	}{words, textTokens(words)})
}

type modalityCount struct {
	Modality   string `json:"modality"`
	TokenCount int    `json:"tokenCount"`
}

func textTokens(n int) []modalityCount { return []modalityCount{{"TEXT", n}} }

// rpcError is the body of an error in Google's form.
type rpcError struct {
	Error struct {
		Code    int         `json:"code"`
		Message string      `json:"message"`
		Status  string      `json:"status"`
		Details []errorInfo `json:"details,omitempty"`
	} `json:"error"`
}

type errorInfo struct {
	Type   string `json:"@type"`
	Reason string `json:"reason"`
	Domain string `json:"domain"`
}

// newRPCError returns an error; the name "" is that of the status, as in
// google.rpc.Code.
func newRPCError(status int, name, message string) rpcError {
	var e rpcError
	e.Error.Code, e.Error.Message, e.Error.Status = status, message, name
	if name != "" {
		return e
	}
	e.Error.Status = map[int]string{
		http.StatusUnauthorized:       "UNAUTHENTICATED",
		http.StatusForbidden:          "PERMISSION_DENIED",
		http.StatusNotFound:           "NOT_FOUND",
		http.StatusConflict:           "ABORTED",
		http.StatusTooManyRequests:    "RESOURCE_EXHAUSTED",
		http.StatusNotImplemented:     "UNIMPLEMENTED",
		http.StatusServiceUnavailable: "UNAVAILABLE",
		http.StatusGatewayTimeout:     "DEADLINE_EXCEEDED",
	}[status]
	switch {
	case e.Error.Status != "":
	case status >= http.StatusInternalServerError:
		e.Error.Status = "INTERNAL"
	default:
		e.Error.Status = "INVALID_ARGUMENT"
	}
	return e
}

// badGoogleKey returns the answer to a wrong key, which Google calls an invalid
// argument, or to none.
func badGoogleKey(brought bool) answer {
	if !brought {
		return whole(http.StatusForbidden, newRPCError(http.StatusForbidden, "", "Method doesn't allow unregistered callers. Please use API Key."))
	}
	e := newRPCError(http.StatusBadRequest, "", "API key not valid. Please pass a valid API key.")
	e.Error.Details = []errorInfo{{"type.googleapis.com/google.rpc.ErrorInfo", "API_KEY_INVALID", "googleapis.com"}}
	return whole(http.StatusBadRequest, e)
}
