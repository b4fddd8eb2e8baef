package plugins_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/holysheep/relay/plugins"
)

func TestReadAskHeader(t *testing.T) {
	const object = `{"model":"a","stream":true}`
	tests := []struct {
		name   string
		header http.Header
		body   string
		model  string
		want   plugins.Field
	}{
		{name: "JSON", header: kind("application/json"), body: object, model: "a"},
		{name: "JSON in capitals", header: kind("Application/JSON"), body: object, model: "a"},
		{name: "JSON of a vendor", header: kind("application/vnd.api+json; v=1"), body: `[]`, want: every},
		{name: "JSON in UTF-8", header: kind(`application/json; charset="UTF-8"`), body: object, model: "a"},
		{name: "JSON in UTF-7", header: kind("application/json; charset=utf-7"), body: `{"model":"a","+AG0-odel":"b"}`, want: every},
		{name: "two character sets", header: kind("application/json; charset=utf-8; charset=utf-7"), body: object, want: every},
		{name: "two types", header: http.Header{"Content-Type": {"application/json", "text/plain"}}, body: object, want: every},
		{name: "no type", header: http.Header{}, body: object, model: "a"},
		{name: "JSON called text", header: kind("text/plain"), body: object, model: "a"},
		{name: "text", header: kind("text/plain"), body: "model=a"},
		{name: "a list called text", header: kind("text/plain"), body: "[]"},
		{name: "audio", header: kind("audio/mpeg"), body: "\xff\xfb\x90\x00model"},
		{name: "a form", header: kind("application/x-www-form-urlencoded"), body: "model=a"},
		{name: "JSON called a form", header: kind("application/x-www-form-urlencoded"), body: object, model: "a"},
		{name: "JSON that is a form too", header: kind("application/x-www-form-urlencoded"), body: `{"model":"a","b":"&mod%65l=c&"}`, model: "a", want: model},
		{name: "identity", header: encoding("identity, Identity"), body: object, model: "a"},
		{name: "an empty encoding", header: encoding(""), body: object, model: "a"},
		{name: "gzip", header: encoding("gzip"), body: object, want: every},
		{name: "gzip inside of identity", header: encoding("identity, gzip"), body: object, want: every},
		{name: "gzip in a second line", header: encoding("identity", "gzip"), body: object, want: every},
		{name: "gzip of nothing", header: encoding("gzip"), body: ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			req := post("")
			req.Header = tt.header
			got := plugins.ReadAsk(req, []byte(tt.body), true)
			if got.Model != tt.model || doubts(got) != tt.want {
				t.Errorf("ReadAsk = %q, doubt in %03b, want %q, %03b", got.Model, doubts(got), tt.model, tt.want)
			}
		})
	}
}

func kind(contentType string) http.Header { return http.Header{"Content-Type": {contentType}} }

func encoding(lines ...string) http.Header { return http.Header{"Content-Encoding": lines} }

func TestReadAskQuery(t *testing.T) {
	tests := []struct {
		name  string
		query string
		body  string
		model string
		want  plugins.Field
	}{
		{name: "no query"},
		{name: "no model", query: "a=b&c"},
		{name: "a model", query: "a=b&model=gpt%2Drealtime", model: "gpt-realtime"},
		{name: "an escaped name", query: "mod%65l=a", model: "a"},
		{name: "two models", query: "model=a&model=b", model: "b", want: model},
		{name: "another case", query: "Model=a", model: "a", want: model},
		{name: "two cases", query: "model=a&Model=b", model: "b", want: model},
		{name: "a semicolon", query: "a=b;model=a", model: "a", want: model},
		{name: "a bad escape", query: "model=%zz", want: model},
		{name: "a bad escape elsewhere", query: "a=%zz&%zz=b&model=a", model: "a"},
		{name: "the body's model", query: "a=b", body: `{"model":"a"}`, model: "a"},
		{name: "the same in query and body", query: "model=a", body: `{"model":"a"}`, model: "a"},
		{name: "others in query and body", query: "model=b", body: `{"model":"a"}`, model: "a", want: model},
		{name: "a model in the query alone", query: "model=b", body: `{}`, want: model},
		{name: "two in the query and one in the body", query: "model=b&model=a", body: `{"model":"a"}`, model: "a", want: model},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			req := &http.Request{Method: http.MethodGet, URL: &url.URL{Path: "/v1/realtime", RawQuery: tt.query}}
			got := plugins.ReadAsk(req, []byte(tt.body), true)
			if got.Model != tt.model || doubts(got) != tt.want {
				t.Errorf("ReadAsk = %q, doubt in %03b, want %q, %03b", got.Model, doubts(got), tt.model, tt.want)
			}
		})
	}
}

// Of a body that goes on, no field is certain: it may be there again.
func TestReadAskHead(t *testing.T) {
	const object = `{"model":"a","messages":[{"role":"user"}]}`
	for n := range len(object) + 1 {
		got := plugins.ReadAsk(post("application/json"), []byte(object[:n]), false)
		if doubts(got) != every {
			t.Errorf("of the first %d bytes: doubt in %03b, want all", n, doubts(got))
		}
		if want := strings.HasPrefix(object[:n], `{"model":"a"`); want != (got.Model == "a") {
			t.Errorf("of the first %d bytes: model %q", n, got.Model)
		}
	}
}

func TestDoubtTellsTheReason(t *testing.T) {
	a := read(`{"model":"secret","model":"x","stream":"secret"}`)
	for field, want := range map[plugins.Field]string{
		model:          "ambiguous_body: the request's body cannot be read with certainty: model is there twice",
		stream:         "ambiguous_body: the request's body cannot be read with certainty: stream is neither true nor false",
		stream | model: "ambiguous_body: the request's body cannot be read with certainty: model is there twice",
	} {
		if got := a.Doubt(field); got == nil || got.Error() != want {
			t.Errorf("Doubt(%03b) = %v, want %s", field, got, want)
		}
	}
	if err := a.Doubt(tokens); err != nil {
		t.Errorf("Doubt(max_tokens) = %v, want none", err)
	}
}
