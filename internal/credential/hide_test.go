package credential

import (
	"net/http"
	"testing"
)

func TestHide(t *testing.T) {
	tests := []struct {
		name   string
		header http.Header
		query  string
		want   string
	}{
		{"none", http.Header{}, "", "k-one and k-two"},
		{"one", http.Header{"Authorization": {"Bearer k-one"}}, "", "(hidden) and k-two"},
		{"two in two places", http.Header{"X-Api-Key": {"k-one"}}, "key=k-two", "(hidden) and (hidden)"},
		{"two in one place", http.Header{"X-Api-Key": {"k-one", "k-two"}}, "", "(hidden)"},
		{"one in a subprotocol", http.Header{"Sec-Websocket-Protocol": {"openai-insecure-api-key.k-two"}}, "", "k-one and (hidden)"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := Hide(tt.header, tt.query, "k-one and k-two"); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}
