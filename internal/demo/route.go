package demo

import (
	"bytes"
	"encoding/json"
	"mime"
	"mime/multipart"
	"net/http"
	"strings"
)

// An endpoint is what answers under one path.
type endpoint struct {
	method string                   // the one that is allowed; "" allows all
	decode func(x *exchange) error  // fills x.ask from x.body; nil if there is nothing to fill
	answer func(x *exchange) answer // nil for the WebSocket
}

// route answers by path and method. Faults come before what the endpoint has
// to say, so that they need no valid request.
func (x *exchange) route() State {
	e, found := x.endpoint()
	var decodeErr error
	if found && e.decode != nil {
		decodeErr = e.decode(x)
		x.server.books.edit(func() { x.rec.Model, x.rec.Stream = x.ask.Model, x.ask.Stream })
	}
	if x.server.fails(x.plan.fail) {
		x.plan.status, x.plan.reset = x.plan.fail.status, ""
		if x.plan.fail.status == 0 {
			x.plan.reset = resetBefore
		}
	}
	switch {
	case x.plan.status >= 400 || x.plan.reset != "":
		return x.send(x.fault())
	case !found:
		return x.send(x.unknown())
	case e.method != "" && e.method != x.r.Method:
		a := x.refuse(http.StatusMethodNotAllowed, "method_not_supported", "Not allowed to "+x.r.Method+" on "+x.r.URL.Path)
		a.header.Set("Allow", e.method)
		return x.send(a)
	case decodeErr != nil:
		return x.send(x.refuse(http.StatusBadRequest, "", "We could not parse the body of your request: "+decodeErr.Error()))
	case e.answer == nil:
		return x.realtime()
	}
	a := e.answer(x)
	if x.plan.status != 0 {
		a.status = x.plan.status
	}
	return x.send(a)
}

// endpoint returns what answers the request. Paths are taken as they come and
// never cleaned, so that an odd one is not redirected.
func (x *exchange) endpoint() (endpoint, bool) {
	switch path := x.r.URL.EscapedPath(); {
	case x.dialect == likeAzure:
		return azureEndpoint(x, path)
	case x.dialect == likeGemini:
		return geminiEndpoint(path)
	case path == "/v1/messages":
		return endpoint{http.MethodPost, decodeJSON, messages}, true
	case path == "/v1/messages/count_tokens":
		return endpoint{http.MethodPost, decodeJSON, countTokens}, true
	}
	return openAIEndpoint(x.r.URL.Path)
}

// openAIEndpoint returns what answers under a path of OpenAI's.
func openAIEndpoint(path string) (endpoint, bool) {
	switch path {
	case "/v1/chat/completions":
		return endpoint{http.MethodPost, decodeJSON, chat}, true
	case "/v1/completions":
		return endpoint{http.MethodPost, decodeJSON, complete}, true
	case "/v1/responses":
		return endpoint{http.MethodPost, decodeJSON, respond}, true
	case "/v1/moderations":
		return endpoint{http.MethodPost, decodeJSON, moderate}, true
	case "/v1/images/generations":
		return endpoint{http.MethodPost, decodeJSON, images}, true
	case "/v1/audio/speech":
		return endpoint{http.MethodPost, decodeJSON, speech}, true
	case "/v1/audio/transcriptions":
		return endpoint{http.MethodPost, decodeForm, transcribe}, true
	case "/v1/embeddings":
		return endpoint{http.MethodPost, decodeJSON, embeddings}, true
	case "/v1/models":
		return endpoint{http.MethodGet, nil, models}, true
	case "/v1/realtime":
		return endpoint{method: http.MethodGet}, true
	}
	switch {
	case strings.HasPrefix(path, "/v1/models/"):
		return endpoint{http.MethodGet, nil, model}, true
	case path == "/v1/echo" || strings.HasPrefix(path, "/v1/echo/"):
		return endpoint{"", nil, echo}, true
	}
	return endpoint{}, false
}

func decodeJSON(x *exchange) error { return json.Unmarshal(x.body, &x.ask) }

// decodeForm reads a multipart body. It stays in memory, as the body has.
func decodeForm(x *exchange) error {
	_, params, err := mime.ParseMediaType(x.r.Header.Get("Content-Type"))
	if err != nil {
		return err
	}
	form, err := multipart.NewReader(bytes.NewReader(x.body), params["boundary"]).ReadForm(maxBody)
	if err != nil {
		return err
	}
	x.form = form
	x.ask.Model = x.field("model")
	x.ask.Stream = x.field("stream") == "true"
	return nil
}

// field returns a field of the form, "" if there is none.
func (x *exchange) field(name string) string {
	if values := x.form.Value[name]; len(values) > 0 {
		return values[0]
	}
	return ""
}
