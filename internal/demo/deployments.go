package demo

import (
	"net/http"
	"net/url"
	"strings"
)

// azureEndpoint returns what answers under a path of Azure's, escaped as it
// came: what OpenAI's own does, for the model that the deployment is called
// after. Only the paths under /openai/v1/ name no version.
func azureEndpoint(x *exchange, path string) (endpoint, bool) {
	rest := strings.TrimPrefix(path, "/openai/")
	if strings.HasPrefix(rest, "v1/") {
		return openAIEndpoint("/" + rest)
	}
	name, found := strings.CutPrefix(rest, "deployments/")
	name, rest, _ = strings.Cut(name, "/")
	model, err := url.PathUnescape(name)
	if !found || model == "" || err != nil || x.r.URL.Query().Get("api-version") == "" {
		return endpoint{}, false
	}
	e, found := openAIEndpoint("/v1/" + rest)
	if !found || e.method != http.MethodPost {
		return endpoint{}, false
	}
	decode := e.decode
	e.decode = func(x *exchange) error {
		err := decode(x)
		x.ask.Model = model
		return err
	}
	return e, true
}
