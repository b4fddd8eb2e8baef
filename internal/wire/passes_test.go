package wire

import "testing"

func TestErrorsThatPass(t *testing.T) {
	tests := []struct {
		name, path, data string
		status           int
		passes           bool
	}{
		{"too many requests", "/v1/chat/completions", `{"error":{"type":"tokens","code":"rate_limit_exceeded"}}`, 429, true},
		{"no quota", "/v1/chat/completions", `{"error":{"type":"insufficient_quota","code":"insufficient_quota"}}`, 429, true},
		{"a fault of the server", "/v1/chat/completions", `{"error":{"type":"server_error","code":null}}`, 500, true},
		{"the type where the code is not known", "/v1/chat/completions", `{"error":{"type":"server_error","code":"wool"}}`, 500, true},
		{"a number", "/v1/chat/completions", `{"error":{"message":"x","code":502}}`, 502, true},
		{"a number in a string", "/v1/chat/completions", `{"error":{"code":"429"}}`, 429, true},
		{"a number that does not pass", "/v1/chat/completions", `{"error":{"type":"BadRequestError","code":400}}`, 400, false},
		{"a conflict", "/v1/chat/completions", `{"error":{"code":409}}`, 409, true},
		{"words that are written together", "/v1/chat/completions", `{"error":{"type":"RateLimitError"}}`, 429, true},
		{"a bad request", "/v1/chat/completions", `{"error":{"type":"invalid_request_error","code":"context_length_exceeded"}}`, 400, false},
		{"a key", "/v1/chat/completions", `{"error":{"type":"invalid_request_error","code":"invalid_api_key"}}`, 401, false},
		{"a model", "/v1/chat/completions", `{"error":{"type":"invalid_request_error","code":"model_not_found"}}`, 404, false},
		{"a policy", "/v1/chat/completions", `{"error":{"code":"content_policy_violation"}}`, 400, false},
		{"a text", "/v1/chat/completions", `{"error":"it broke"}`, 500, true},
		{"nothing known", "/v1/chat/completions", `{"error":{"message":"x"}}`, 500, true},
		{"no JSON", "/v1/chat/completions", `x`, 500, true},
		{"an event of responses", "/v1/responses", `{"type":"error","code":"rate_limit_exceeded","message":"x"}`, 429, true},
		{"an event of responses without a code", "/v1/responses", `{"type":"error","code":null,"message":"x"}`, 500, true},
		{"a failed response", "/v1/responses", `{"type":"response.failed","response":{"error":{"code":"server_error"}}}`, 500, true},
		{"a response that may not be", "/v1/responses", `{"type":"response.failed","response":{"error":{"code":"invalid_prompt"}}}`, 400, false},
		{"an overload", "/v1/messages", `{"type":"error","error":{"type":"overloaded_error"}}`, 529, true},
		{"an error of the API", "/v1/messages", `{"type":"error","error":{"type":"api_error"}}`, 500, true},
		{"a wait that was too long", "/v1/messages", `{"type":"error","error":{"type":"timeout_error"}}`, 504, true},
		{"a wrong message", "/v1/messages", `{"type":"error","error":{"type":"invalid_request_error"}}`, 400, false},
		{"no permission", "/v1/messages", `{"type":"error","error":{"type":"permission_error"}}`, 403, false},
		{"Gemini is exhausted", "/v1beta/models/m:generateContent", `{"error":{"code":429,"status":"RESOURCE_EXHAUSTED"}}`, 429, true},
		{"Gemini is not there", "/v1beta/models/m:generateContent", `{"error":{"status":"UNAVAILABLE"}}`, 503, true},
		{"Gemini takes too long", "/v1beta/models/m:generateContent", `{"error":{"status":"DEADLINE_EXCEEDED"}}`, 504, true},
		{"Gemini has a fault", "/v1beta/models/m:generateContent", `{"error":{"status":"INTERNAL"}}`, 500, true},
		{"Gemini does not know the key", "/v1beta/models/m:generateContent", `{"error":{"status":"UNAUTHENTICATED"}}`, 401, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r, _ := Of(tt.path)
			if status, passes := r.Passes("", []byte(tt.data)); status != tt.status || passes != tt.passes {
				t.Errorf("got %d, %t, want %d, %t", status, passes, tt.status, tt.passes)
			}
		})
	}
}
