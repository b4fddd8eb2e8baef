package demo

import (
	"net/http"
	"strconv"
	"strings"
)

// A dialect is the API in whose forms a path reports errors and takes a key.
type dialect uint8

const (
	likeOpenAI    dialect = iota // any path that is not one of the others
	likeAnthropic                // /v1/messages and what is under it
	likeGemini                   // /v1beta/, and /v1/models/MODEL:VERB
	likeAzure                    // /openai/
)

// dialectOf returns the dialect of a request. Models are listed under one path
// by OpenAI and by Anthropic, whose clients name a version.
func dialectOf(r *http.Request) dialect {
	path := r.URL.Path
	switch {
	case strings.HasPrefix(path, "/openai/"):
		return likeAzure
	case strings.HasPrefix(path, "/v1beta/"):
		return likeGemini
	case path == "/v1/messages", strings.HasPrefix(path, "/v1/messages/"):
		return likeAnthropic
	case !strings.HasPrefix(path, "/v1/models"):
		return likeOpenAI
	case r.Method == http.MethodPost: // with a verb; a model of OpenAI's may hold a colon too
		return likeGemini
	case r.Header.Get("Anthropic-Version") != "":
		return likeAnthropic
	}
	return likeOpenAI
}

// refuse returns an error in the form of the request's dialect. The code is for
// OpenAI's form; "" is null there.
func (x *exchange) refuse(status int, code, message string) answer {
	if x.dialect != likeOpenAI {
		code = ""
	}
	return x.failed(status, code, message)
}

// failed is refuse with a code for any dialect: Anthropic's type and Google's
// status. There, "" is that of the HTTP status.
func (x *exchange) failed(status int, code, message string) answer {
	switch x.dialect {
	case likeAnthropic:
		return whole(status, newTrouble(status, code, message, x.id("req")))
	case likeGemini:
		return whole(status, newRPCError(status, code, message))
	case likeAzure:
		return whole(status, newGatewayError(status, code, message))
	}
	return refuse(status, code, message)
}

// allowed reports whether the request brings the key: as a bearer, which
// gateways take under any path, or where the path's dialect has it.
func (x *exchange) allowed() bool {
	key, h := x.server.options.Key, x.r.Header
	if key == "" || h.Get("Authorization") == "Bearer "+key {
		return true
	}
	switch x.dialect {
	case likeAnthropic:
		return h.Get("X-Api-Key") == key
	case likeAzure:
		return h.Get("Api-Key") == key
	case likeGemini:
		return h.Get("X-Goog-Api-Key") == key || x.r.URL.Query().Get("key") == key
	}
	return false
}

// badKey returns the answer to a request without the key, in the words of the
// dialect.
func (x *exchange) badKey() answer {
	switch x.dialect {
	case likeAnthropic:
		return x.refuse(http.StatusUnauthorized, "", "invalid x-api-key")
	case likeAzure:
		return x.refuse(http.StatusUnauthorized, "", "Access denied due to invalid subscription key or wrong API endpoint.")
	case likeGemini:
		return badGoogleKey(x.rec.KeyBy != "")
	}
	return refuse(http.StatusUnauthorized, "invalid_api_key", "Incorrect API key provided.")
}

// unknown returns the answer to a path that is none.
func (x *exchange) unknown() answer {
	if x.dialect == likeAzure {
		return x.refuse(http.StatusNotFound, "", "Resource not found")
	}
	return x.refuse(http.StatusNotFound, "unknown_url", "Invalid URL ("+x.r.Method+" "+x.r.URL.Path+")")
}

// keyBy says where a request has keys: "bearer", "x-api-key", "api-key",
// "x-goog-api-key" or "query", joined with spaces; "" is nowhere.
func keyBy(r *http.Request) string {
	var by []string
	if strings.HasPrefix(r.Header.Get("Authorization"), "Bearer ") {
		by = append(by, "bearer")
	}
	for _, name := range [...]string{"X-Api-Key", "Api-Key", "X-Goog-Api-Key"} {
		if len(r.Header[name]) > 0 {
			by = append(by, strings.ToLower(name))
		}
	}
	if strings.Contains(r.URL.RawQuery, "key=") && r.URL.Query().Has("key") {
		by = append(by, "query")
	}
	return strings.Join(by, " ")
}

// requestID sets the headers by which the dialect names a request.
func (x *exchange) requestID(h http.Header) {
	id := x.id("req")
	switch x.dialect {
	case likeAnthropic:
		h.Set("Request-Id", id)
	case likeAzure:
		h.Set("Apim-Request-Id", id)
		h.Set("X-Request-Id", id)
	case likeOpenAI:
		h.Set("X-Request-Id", id)
	}
}

// gatewayError is the body of an error in Azure's form.
type gatewayError struct {
	Error struct {
		Code    string `json:"code"`
		Message string `json:"message"`
	} `json:"error"`
}

func newGatewayError(status int, code, message string) gatewayError {
	var e gatewayError
	e.Error.Code, e.Error.Message = code, message
	if code == "" {
		e.Error.Code = strconv.Itoa(status)
	}
	return e
}
