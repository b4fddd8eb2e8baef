package wire

import (
	"net/url"
	"testing"
)

func TestTheRouteOfAURL(t *testing.T) {
	tests := []struct {
		path  string
		found bool
		kind  Kind
		label string
	}{
		{"/v1/chat/completions", true, Chat, "/v1/chat/completions"},
		{"/v1/%63hat/completions", true, Chat, "/v1/chat/completions"},
		{"/v1/chat%2Fcompletions", true, Chat, "/v1/chat/completions"},
		{"/v1/m%65ssages", true, Messages, "/v1/messages"},
		{"/v1/models/a%2Fb:generate%43ontent", true, Generate, "/v1/models/:generateContent"},
		{"/v1/models/a%3AgenerateContent", true, Generate, "/v1/models/:generateContent"},
		{"/v1/models/ft%3Agpt-4o:org::id", true, Models, "/v1/models"},
		{"/v1beta/models/a:streamGenerateContent", true, Generate, "/v1beta/models/:generateContent"},
		{"/openai/deployments/a%2Fb/chat/completions", true, Chat, "/openai/deployments/*"},
		{"/v1/files/a%2Fb", true, Other, "/v1/files"},
		{"/%761/chat/completions", false, Other, ""},
		{"/v1%2Fchat/completions", false, Other, ""},
		{"/v1", false, Other, ""},
		{"/v1/chat/completions/", true, Chat, "/v1/chat/completions"},
		{"/v1//chat/completions", true, Chat, "/v1/chat/completions"},
		{"/v1/Chat/Completions", true, Chat, "/v1/chat/completions"},
		{"/v1/chat;v=1/completions", true, Chat, "/v1/chat/completions"},
		{"/v1/chat%2F/completions", true, Chat, "/v1/chat/completions"},
		{"/v1/messages/", true, Messages, "/v1/messages"},
		{"/openai/Deployments/A/chat/Completions", true, Chat, "/openai/deployments/*"},
		{"/v1beta//models/A:generateContent", true, Generate, "/v1beta/models/:generateContent"},
		{"/v1//files", true, Other, "/v1/*"},
		{"/v1/files/A", true, Other, "/v1/files"},
	}
	for _, tt := range tests {
		t.Run(tt.path, func(t *testing.T) {
			u, err := url.ParseRequestURI(tt.path)
			if err != nil {
				t.Fatal(err)
			}
			r, found := OfURL(u)
			if found != tt.found || r.Kind != tt.kind || r.Label != tt.label {
				t.Errorf("got %+v, %t, want kind %d as %q, %t", r, found, tt.kind, tt.label, tt.found)
			}
		})
	}
}
