package demo

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const (
	messageBody  = `{"model":"claude","max_tokens":9,"system":[{"type":"text","text":"be brief"}],"messages":[{"role":"user","content":"hello big world"}]}`
	geminiBody   = `{"contents":[{"parts":[{"text":"hello big world"}]}],"systemInstruction":{"parts":[{"text":"be brief"}]}}`
	deployedPath = "/openai/deployments/mine/chat/completions?api-version=2024-10-21"
	generatePath = "/v1beta/models/gemini-pro:generateContent"
)

func TestErrorsHaveTheFormOfTheirAPI(t *testing.T) {
	tests := []struct {
		name, path, body string
		headers          []string
		wantStatus       int
		want             string
	}{
		{"Anthropic's rate limit", "/v1/messages", messageBody, []string{"X-Demo-Status: 429"}, 429, `{"type":"error","error":{"type":"rate_limit_error","message":"demo: an error was asked for"},"request_id":"req-demo-1"}`},
		{"Anthropic's overload", "/v1/messages", messageBody, []string{"X-Demo-Status: 529"}, 529, `{"type":"error","error":{"type":"overloaded_error","message":"demo: an error was asked for"},"request_id":"req-demo-1"}`},
		{"Anthropic's fault", "/v1/messages/count_tokens", messageBody, []string{"X-Demo-Status: 503"}, 503, `{"type":"error","error":{"type":"api_error","message":"demo: an error was asked for"},"request_id":"req-demo-1"}`},
		{"a type of Anthropic's", "/v1/messages", messageBody, []string{"X-Demo-Status: 400", "X-Demo-Code: billing_error"}, 400, `{"type":"error","error":{"type":"billing_error","message":"demo: an error was asked for"},"request_id":"req-demo-1"}`},
		{"no message", "/v1/messages", `{"model":"m"}`, nil, 400, `{"type":"error","error":{"type":"invalid_request_error","message":"messages: Field required"},"request_id":"req-demo-1"}`},
		{"no model to count for", "/v1/messages/count_tokens", `{}`, nil, 400, `{"type":"error","error":{"type":"invalid_request_error","message":"model: Field required"},"request_id":"req-demo-1"}`},
		{"no endpoint of Anthropic's", "/v1/messages/batches", `{}`, nil, 404, `{"type":"error","error":{"type":"not_found_error","message":"Invalid URL (POST /v1/messages/batches)"},"request_id":"req-demo-1"}`},
		{"no model of Anthropic's", "/v1/models/none", "", []string{"Anthropic-Version: 2023-06-01"}, 404, `{"type":"error","error":{"type":"not_found_error","message":"The model 'none' does not exist."},"request_id":"req-demo-1"}`},
		{"Google's quota", generatePath, geminiBody, []string{"X-Demo-Status: 429"}, 429, `{"error":{"code":429,"message":"demo: an error was asked for","status":"RESOURCE_EXHAUSTED"}}`},
		{"Google's fault", generatePath, geminiBody, []string{"X-Demo-Status: 500"}, 500, `{"error":{"code":500,"message":"demo: an error was asked for","status":"INTERNAL"}}`},
		{"a status of Google's", generatePath, geminiBody, []string{"X-Demo-Status: 400", "X-Demo-Code: FAILED_PRECONDITION"}, 400, `{"error":{"code":400,"message":"demo: an error was asked for","status":"FAILED_PRECONDITION"}}`},
		{"no contents", "/v1/models/m:generateContent", `{}`, nil, 400, `{"error":{"code":400,"message":"* GenerateContentRequest.contents: contents is not specified","status":"INVALID_ARGUMENT"}}`},
		{"too many candidates", generatePath, `{"contents":[{}],"generationConfig":{"candidateCount":9}}`, nil, 400, `{"error":{"code":400,"message":"* GenerateContentRequest.generation_config.candidate_count: not from 1 to 8","status":"INVALID_ARGUMENT"}}`},
		{"nothing to embed", "/v1beta/models/m:batchEmbedContents", `{"requests":[{}]}`, nil, 400, `{"error":{"code":400,"message":"* EmbedContentRequest.content: content is empty","status":"INVALID_ARGUMENT"}}`},
		{"no verb", "/v1beta/models/m:think", geminiBody, nil, 404, `{"error":{"code":404,"message":"Invalid URL (POST /v1beta/models/m:think)","status":"NOT_FOUND"}}`},
		{"no model of Google's", "/v1beta/models/none", "", nil, 404, `{"error":{"code":404,"message":"models/none is not found for API version v1beta.","status":"NOT_FOUND"}}`},
		{"Azure's rate limit", deployedPath, chatBody, []string{"X-Demo-Status: 429"}, 429, `{"error":{"code":"429","message":"demo: an error was asked for"}}`},
		{"a code of Azure's", deployedPath, chatBody, []string{"X-Demo-Status: 404", "X-Demo-Code: DeploymentNotFound"}, 404, `{"error":{"code":"DeploymentNotFound","message":"demo: an error was asked for"}}`},
		{"no version", "/openai/deployments/mine/chat/completions", chatBody, nil, 404, `{"error":{"code":"404","message":"Resource not found"}}`},
		{"no deployment", "/openai/chat/completions?api-version=1", chatBody, nil, 404, `{"error":{"code":"404","message":"Resource not found"}}`},
		{"no endpoint of a deployment", "/openai/deployments/mine/models?api-version=1", chatBody, nil, 404, `{"error":{"code":"404","message":"Resource not found"}}`},
		{"a header that is none", deployedPath, chatBody, []string{"X-Demo-Statsu: 1"}, 400, `{"error":{"code":"400","message":"X-Demo-Statsu: there is no such header"}}`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, url := start(t, Options{})
			res := do(t, request(t, strings.TrimSuffix(url, "/v1")+tt.path, tt.body, tt.headers...))
			body, err := read(t, res)
			if res.StatusCode != tt.wantStatus || err != nil {
				t.Errorf("status = %d, %v, want %d", res.StatusCode, err, tt.wantStatus)
			}
			if diff := cmp.Diff(body, tt.want); diff != "" {
				t.Errorf("body (-got +want):\n%s", diff)
			}
		})
	}
}

func TestTheKeyIsTakenWhereTheAPIHasIt(t *testing.T) {
	tests := []struct {
		name, path, body, header string
		wantStatus               int
		wantBy, wantIn           string
	}{
		{"OpenAI's", "/v1/chat/completions", chatBody, "Authorization: Bearer k", 200, "bearer", ""},
		{"another place on OpenAI's path", "/v1/chat/completions", chatBody, "Api-Key: k", 401, "api-key", `"code":"invalid_api_key"`},
		{"Anthropic's", "/v1/messages", messageBody, "X-Api-Key: k", 200, "x-api-key", ""},
		{"a bearer on Anthropic's path", "/v1/messages", messageBody, "Authorization: Bearer k", 200, "bearer", ""},
		{"a wrong one on Anthropic's path", "/v1/messages", messageBody, "X-Api-Key: j", 401, "x-api-key", `"authentication_error"`},
		{"Azure's", deployedPath, chatBody, "Api-Key: k", 200, "api-key", ""},
		{"none on Azure's path", deployedPath, chatBody, "X-Mine: k", 401, "", `{"error":{"code":"401","message":"Access denied`},
		{"Google's", generatePath, geminiBody, "X-Goog-Api-Key: k", 200, "x-goog-api-key", ""},
		{"Google's in the query", generatePath + "?a=b&key=k", geminiBody, "X-Mine: 1", 200, "query", ""},
		{"a wrong one in the query", generatePath + "?key=j", geminiBody, "X-Mine: 1", 400, "query", `"reason":"API_KEY_INVALID"`},
		{"none on Google's path", generatePath, geminiBody, "X-Mine: 1", 403, "", `"PERMISSION_DENIED"`},
		{"two", generatePath + "?key=j", geminiBody, "Authorization: Bearer k", 200, "bearer query", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s, url := start(t, Options{Key: "k"})
			res := do(t, request(t, strings.TrimSuffix(url, "/v1")+tt.path, tt.body, tt.header))
			body, err := read(t, res)
			if res.StatusCode != tt.wantStatus || !strings.Contains(body, tt.wantIn) || err != nil {
				t.Errorf("answer = %d %s, %v, want %d with %s", res.StatusCode, body, err, tt.wantStatus, tt.wantIn)
			}
			if rec, _ := s.Books().Record(1); rec.KeyBy != tt.wantBy {
				t.Errorf("key by %q, want %q", rec.KeyBy, tt.wantBy)
			}
		})
	}
}

func TestTheListOfModelsCanBeChosen(t *testing.T) {
	_, url := start(t, Options{Models: []string{"one", "two"}, Now: epoch})
	tests := []struct{ name, path, header, want string }{
		{"OpenAI's", "/v1/models", "", `{"object":"list","data":[{"id":"one","object":"model","created":1700000000,"owned_by":"demo"},{"id":"two","object":"model","created":1700000000,"owned_by":"demo"}]}`},
		{"one of OpenAI's", "/v1/models/two", "", `{"id":"two","object":"model","created":1700000000,"owned_by":"demo"}`},
		{"one of Azure's", "/openai/v1/models/two", "", `{"id":"two","object":"model","created":1700000000,"owned_by":"demo"}`},
		{"one that is not there", "/v1/models/gpt-4o", "", `{"error":{"message":"The model 'gpt-4o' does not exist.","type":"invalid_request_error","param":null,"code":"model_not_found"}}`},
		{"Anthropic's", "/v1/models", "2023-06-01", `{"data":[{"type":"model","id":"one","display_name":"one","created_at":"2023-11-14T22:13:20Z"},{"type":"model","id":"two","display_name":"two","created_at":"2023-11-14T22:13:20Z"}],"first_id":"one","has_more":false,"last_id":"two"}`},
		{"one of Anthropic's", "/v1/models/two", "2023-06-01", `{"type":"model","id":"two","display_name":"two","created_at":"2023-11-14T22:13:20Z"}`},
		{"one of Google's", "/v1beta/models/one", "", `{"name":"models/one","version":"001","displayName":"one","supportedGenerationMethods":["generateContent","countTokens","embedContent"]}`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			req := request(t, strings.TrimSuffix(url, "/v1")+tt.path, "")
			if tt.header != "" {
				req.Header.Set("Anthropic-Version", tt.header)
			}
			body, err := read(t, do(t, req))
			if diff := cmp.Diff(body, tt.want); diff != "" || err != nil {
				t.Errorf("%v, body (-got +want):\n%s", err, diff)
			}
		})
	}
	body, _ := read(t, do(t, request(t, strings.TrimSuffix(url, "/v1")+"/v1beta/models", "")))
	if strings.Count(body, `"name":"models/`) != 2 {
		t.Errorf("Google's list = %s, want two models", body)
	}
}

func TestAnswersAreNamedAsTheirAPIDoes(t *testing.T) {
	tests := []struct {
		path, body string
		want       http.Header
	}{
		{"/v1/chat/completions", chatBody, http.Header{"X-Request-Id": {"req-demo-1"}}},
		{"/v1/messages", messageBody, http.Header{"Request-Id": {"req-demo-1"}}},
		{deployedPath, chatBody, http.Header{"X-Request-Id": {"req-demo-1"}, "Apim-Request-Id": {"req-demo-1"}}},
		{generatePath, geminiBody, http.Header{}},
	}
	for _, tt := range tests {
		_, url := start(t, Options{})
		res := do(t, request(t, strings.TrimSuffix(url, "/v1")+tt.path, tt.body))
		got := http.Header{}
		for name, values := range res.Header {
			if strings.HasSuffix(name, "Request-Id") {
				got[name] = values
			}
		}
		if diff := cmp.Diff(got, tt.want); diff != "" || res.StatusCode != 200 {
			t.Errorf("%s: %d, names (-got +want):\n%s", tt.path, res.StatusCode, diff)
		}
	}
}
