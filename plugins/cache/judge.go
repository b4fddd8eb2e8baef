package cache

import (
	"path"
	"strconv"

	"github.com/holysheep/relay/internal/canon"
)

// wants is what a body asks for, as far as it says whether the answer may be
// given twice. Values are as the body has them, nil if it does not.
type wants struct {
	effect                                     bool
	store, prompt, tools, n, seed, temperature []byte
}

// readWants reads body, which need not be JSON.
func readWants(body []byte) (w wants) {
	for name, value := range canon.Members(body) {
		switch string(name) {
		case "store":
			w.store = value
		case "prompt":
			w.prompt = value
		case "tools":
			w.tools = value
		case "n":
			w.n = value
		case "seed":
			w.seed = value
		case "temperature":
			w.temperature = value
		// What asks for more than an answer: of OpenAI, Anthropic (container,
		// mcp_servers), OpenRouter (plugins), xAI (deferred, search_parameters)
		// and Qwen (enable_search).
		case "audio", "background", "container", "conversation", "deferred", "enable_search", "mcp_servers",
			"plugins", "previous_response_id", "search_parameters", "web_search_options":
			w.effect = w.effect || !off(value)
		}
	}
	return w
}

// judge says why the answer to body, asked of the path, must not be given
// twice. It costs little, whatever body is: by default most requests go no
// further. A member that is there twice is for canon to refuse.
func (r *rule) judge(urlPath string, body []byte) string {
	endpoint := path.Base(urlPath)
	switch w := readWants(body); {
	case !r.effects && w.hasEffect(endpoint):
		return whyEffect
	case !r.effects && w.runsTools():
		return whyTools
	case !r.sampled && !computed(endpoint) && !w.deterministic():
		return whySampled
	}
	return ""
}

// computed reports whether answers of the endpoint are never drawn at random.
func computed(endpoint string) bool {
	return endpoint == "embeddings" || endpoint == "moderations" || endpoint == "rerank"
}

// deterministic reports whether w is one answer that is not drawn at random,
// or drawn in the same way each time.
func (w *wants) deterministic() bool {
	if len(w.n) > 0 && string(w.n) != "null" && string(w.n) != "1" {
		return false
	}
	if _, ok := number(w.seed); ok {
		return true
	}
	temperature, ok := number(w.temperature)
	return ok && temperature == 0
}

// hasEffect reports whether w has the upstream keep something, look at
// something that it keeps, or fetch something from elsewhere.
func (w *wants) hasEffect(endpoint string) bool {
	switch {
	case endpoint == "responses" && string(w.store) != "false":
		return true // OpenAI stores a response unless told not to
	case len(w.prompt) > 0 && w.prompt[0] == '{':
		return true // a prompt that is stored there, and may change
	}
	return w.effect || !off(w.store)
}

// runsTools reports whether w has tools that are not known to be run by the
// client: only those are an answer like any other.
func (w *wants) runsTools() bool {
	if off(w.tools) {
		return false
	}
	if w.tools[0] != '[' {
		return true
	}
	for tool := range canon.Elements(w.tools) {
		if !clientRuns(tool) {
			return true
		}
	}
	return false
}

// clientRuns reports whether a tool is a function of the client, in OpenAI's
// spelling or in Anthropic's, where the type may be left out.
func clientRuns(tool []byte) bool {
	schema := false
	for name, value := range canon.Members(tool) {
		switch string(name) {
		case "type":
			return string(value) == `"function"` || string(value) == `"custom"`
		case "input_schema":
			schema = true
		}
	}
	return schema
}

// off reports whether a value is missing, null or false.
func off(value []byte) bool {
	return len(value) == 0 || string(value) == "null" || string(value) == "false"
}

// number returns a value that is a number.
func number(value []byte) (float64, bool) {
	if len(value) == 0 {
		return 0, false // the common case, for which an error is much
	}
	f, err := strconv.ParseFloat(string(value), 64)
	return f, err == nil
}
