package cache

import (
	"encoding/json"
	"net/http"
	"path"
	"strconv"

	"github.com/holysheep/relay/internal/canon"
)

// judge says why the answer to what doc asks must not be given twice.
func (r *rules) judge(req *http.Request, doc *canon.Doc) string {
	endpoint := path.Base(req.URL.Path)
	switch {
	case !off(doc, "stream"):
		return whyStream
	case hasEffect(endpoint, doc):
		return whyEffect
	case runsTools(doc):
		return whyTools
	case !r.sampled && !computed(endpoint) && !deterministic(doc):
		return whySampled
	}
	return ""
}

// computed reports whether an endpoint's answers are never drawn at random.
func computed(endpoint string) bool {
	return endpoint == "embeddings" || endpoint == "moderations" || endpoint == "rerank"
}

// deterministic reports whether doc asks for one answer that is not drawn at
// random, or drawn in the same way each time.
func deterministic(doc *canon.Doc) bool {
	if n, ok := doc.Field("n"); ok && string(n) != "null" && string(n) != "1" {
		return false
	}
	if _, ok := number(doc, "seed"); ok {
		return true
	}
	temperature, ok := number(doc, "temperature")
	return ok && temperature == 0
}

// hasEffect reports whether doc asks the upstream to keep something, to look
// at something that it keeps, or to fetch something from elsewhere.
func hasEffect(endpoint string, doc *canon.Doc) bool {
	store, _ := doc.Field("store")
	if endpoint == "responses" && string(store) != "false" {
		return true // OpenAI stores a response unless told not to
	}
	if prompt, _ := doc.Field("prompt"); len(prompt) > 0 && prompt[0] == '{' {
		return true // a prompt that is stored there, and may change
	}
	for _, name := range effects() {
		if !off(doc, name) {
			return true
		}
	}
	return false
}

// effects are the members that ask for more than an answer, unless they are
// null or false: of OpenAI, Anthropic (container, mcp_servers), OpenRouter
// (plugins), xAI (deferred, search_parameters) and Qwen (enable_search).
func effects() [12]string {
	return [...]string{
		"audio", "background", "container", "conversation", "deferred", "enable_search",
		"mcp_servers", "plugins", "previous_response_id", "search_parameters", "store", "web_search_options",
	}
}

// runsTools reports whether doc has tools that are not known to be run by the
// client: only those are an answer like any other.
func runsTools(doc *canon.Doc) bool {
	if off(doc, "tools") {
		return false
	}
	text, _ := doc.Field("tools")
	var tools []json.RawMessage
	if json.Unmarshal(text, &tools) != nil {
		return true
	}
	for _, tool := range tools {
		if !clientRuns(tool) {
			return true
		}
	}
	return false
}

// clientRuns reports whether a tool is a function of the client, in OpenAI's
// spelling or in Anthropic's, where the type may be left out.
func clientRuns(tool []byte) bool {
	doc, err := canon.Parse(tool)
	if err != nil {
		return false
	}
	kind, ok := doc.Field("type")
	if !ok {
		_, ok = doc.Field("input_schema")
		return ok
	}
	return string(kind) == `"function"` || string(kind) == `"custom"`
}

// off reports whether a member is missing, null or false.
func off(doc *canon.Doc, name string) bool {
	value, ok := doc.Field(name)
	return !ok || string(value) == "null" || string(value) == "false"
}

// number returns a member that is a number.
func number(doc *canon.Doc, name string) (float64, bool) {
	value, _ := doc.Field(name)
	if len(value) == 0 || value[0] == '"' {
		return 0, false
	}
	f, err := strconv.ParseFloat(string(value), 64)
	return f, err == nil
}
