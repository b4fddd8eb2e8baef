package server

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const (
	geminiUpstream = "\nupstreams: {gemini: {base_url: UPSTREAM, api_key_env: UPSTREAM_KEY, wires: [gemini], auth: x-goog-api-key}}\n"
	geminiByQuery  = "\nupstreams: {gemini: {base_url: UPSTREAM, api_key_env: UPSTREAM_KEY, wires: [gemini], auth: query}}\n"
	geminiBody     = `{"contents":[{"role":"user","parts":[{"text":"hello big world"}]}]}`
)

// gemini asks as a client of Gemini does: with the key in a header, or as key
// in the query.
func (s *sdk) gemini(t *testing.T, path, key string, inQuery bool) (*http.Response, string) {
	t.Helper()
	req := s.request(t, http.MethodPost, path, geminiBody)
	req.Header.Del("Authorization")
	if !inQuery {
		req.Header.Set("X-Goog-Api-Key", key)
		return do(t, req)
	}
	if req.URL.RawQuery != "" {
		req.URL.RawQuery += "&"
	}
	req.URL.RawQuery += "key=" + url.QueryEscape(key)
	return do(t, req)
}

// geminiText returns the text of an answer, or of all the answers of a stream.
func geminiText(t *testing.T, pieces ...string) (text string) {
	t.Helper()
	for _, p := range pieces {
		var a struct {
			Candidates []struct {
				Content struct{ Parts []struct{ Text string } }
			}
		}
		if err := json.Unmarshal([]byte(p), &a); err != nil || len(a.Candidates) == 0 {
			t.Fatalf("no answer: %q", p)
		}
		text += a.Candidates[0].Content.Parts[0].Text
	}
	return text
}

// geminiPieces returns the answers that a body holds: one, events, or a list.
func geminiPieces(t *testing.T, body string) (pieces []string) {
	t.Helper()
	var list []json.RawMessage
	switch {
	case strings.HasPrefix(body, "data: "):
		for e := range strings.SplitSeq(strings.TrimSuffix(body, "\n\n"), "\n\n") {
			pieces = append(pieces, strings.TrimPrefix(e, "data: "))
		}
	case json.Unmarshal([]byte(body), &list) == nil:
		for _, item := range list {
			pieces = append(pieces, string(item))
		}
	default:
		pieces = []string{body}
	}
	return pieces
}

func TestGemini(t *testing.T) {
	verbs := []struct{ name, path, wantType string }{
		{"whole", "/v1beta/models/gemini-pro:generateContent", "application/json"},
		{"events", "/v1beta/models/gemini-pro:streamGenerateContent?alt=sse", "text/event-stream; charset=utf-8"},
		{"a list", "/v1beta/models/gemini-pro:streamGenerateContent", "application/json; charset=UTF-8"},
	}
	upstreams := []struct {
		name, config, wantBy string
		wantURI              func(path string) string
	}{
		{"header", geminiUpstream, "x-goog-api-key", func(path string) string { return path }},
		{"query", geminiByQuery, "query", withUpstreamKey},
	}
	for _, verb := range verbs {
		for _, inQuery := range []bool{false, true} {
			for _, up := range upstreams {
				name := fmt.Sprintf("%s, the key in the query: %t, the upstream's in its %s", verb.name, inQuery, up.name)
				t.Run(name, func(t *testing.T) {
					s := newNative(t, whole+up.config, "/v1beta")
					res, body := s.gemini(t, verb.path, clientKey, inQuery)
					if res.StatusCode != http.StatusOK || res.Header.Get("Content-Type") != verb.wantType {
						t.Fatalf("answer = %d %q %s", res.StatusCode, res.Header.Get("Content-Type"), body)
					}
					if got := geminiText(t, geminiPieces(t, body)...); got != "You said: hello big world" {
						t.Errorf("text = %q", got)
					}
					rec, _ := s.Demo.Books().Record(1)
					if wantURI := up.wantURI(verb.path); rec.KeyBy != up.wantBy || rec.RequestURI != wantURI {
						t.Errorf("the upstream got the key by %q, %s, want by %q, %s", rec.KeyBy, rec.RequestURI, up.wantBy, wantURI)
					}
					if string(rec.Body) != geminiBody {
						t.Errorf("the upstream got the body %s", rec.Body)
					}
				})
			}
		}
	}
}

// withUpstreamKey returns uri with the upstream's key at the end of its query.
func withUpstreamKey(uri string) string {
	if strings.Contains(uri, "?") {
		return uri + "&key=" + upstreamKey
	}
	return uri + "?key=" + upstreamKey
}

func TestErrorsOfGemini(t *testing.T) {
	type rpc struct {
		Code    int
		Message string
		Status  string
	}
	tests := []struct {
		name, key string
		plan      http.Header
		want      rpc
	}{
		{"a wrong key", "sk-hs-wrong", nil, rpc{401, "the API key is not one of this relay's", "UNAUTHENTICATED"}},
		{"a fault that the upstream tells", clientKey, http.Header{"X-Demo-Status": {"400"}, "X-Demo-Code": {"FAILED_PRECONDITION"}}, rpc{400, "demo: an error was asked for", "FAILED_PRECONDITION"}},
		{"an upstream that refuses the relay's key", clientKey, http.Header{"X-Demo-Status": {"401"}}, rpc{502, "the upstream refused the relay's own credentials", "UNAVAILABLE"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := newNative(t, whole+geminiUpstream, "/v1beta")
			s.plan(tt.plan)
			res, body := s.gemini(t, "/v1beta/models/gemini-pro:generateContent", tt.key, false)
			var got struct{ Error rpc }
			if err := json.Unmarshal([]byte(body), &got); err != nil || res.StatusCode != tt.want.Code {
				t.Errorf("answer = %d %s", res.StatusCode, body)
			}
			if diff := cmp.Diff(got.Error, tt.want); diff != "" {
				t.Errorf("error (-got +want):\n%s", diff)
			}
		})
	}
}
