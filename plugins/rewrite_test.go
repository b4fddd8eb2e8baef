package plugins_test

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/holysheep/relay/plugins"
)

// asking returns a request as clients send it, and what it asks for. line is
// its method and path.
func asking(t testing.TB, line, contentType, body string) (*http.Request, plugins.Ask) {
	t.Helper()
	method, path, _ := strings.Cut(line, " ")
	req, err := http.NewRequestWithContext(t.Context(), method, path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", contentType)
	return req, plugins.ReadAsk(req, []byte(body), true)
}

const chatLine, jsonType = "POST /v1/chat/completions", "application/json"

func TestRewriteBody(t *testing.T) {
	const plain = `"stream":true`
	model, usage := plugins.Edit{Model: "b"}, plugins.Edit{IncludeUsage: true}
	both := plugins.Edit{Model: "b", IncludeUsage: true}
	tests := []struct {
		name       string
		edit       plugins.Edit
		body, want string
	}{
		{"the model", model, " {\n \"a\":[1, 2],\"model\" : \"old\" ,\"z\":{}} ", " {\n \"a\":[1, 2],\"model\" : \"b\" ,\"z\":{}} "},
		{"an escaped model", model, `{"\u006dodel":"\u0061\ud83d\ude00"}`, `{"\u006dodel":"b"}`},
		{"a model that needs escapes", plugins.Edit{Model: "a\"\\\u00e9"}, `{"model":"x"}`, `{"model":"a\"\\é"}`},
		{"no model", model, `{"stream":true}`, `{"stream":true}`},
		{"null for a model", model, `{"model":null}`, `{"model":null}`},
		{"the same model", plugins.Edit{Model: "a"}, `{"model":"a"}`, `{"model":"a"}`},
		{"no edit", plugins.Edit{}, `{"model":"a","stream":true}`, `{"model":"a","stream":true}`},
		{"usage as a new member", usage, "{ " + plain + "}", `{"stream_options":{"include_usage":true}, ` + plain + "}"},
		{"usage in place of null", usage, `{` + plain + `,"stream_options": null }`, `{` + plain + `,"stream_options": {"include_usage":true} }`},
		{"usage in an empty object", usage, `{` + plain + `,"stream_options":{ }}`, `{` + plain + `,"stream_options":{"include_usage":true }}`},
		{"usage beside another option", usage, `{` + plain + `,"stream_options":{"x":1}}`, `{` + plain + `,"stream_options":{"include_usage":true,"x":1}}`},
		{"usage in place of false", usage, `{"stream_options":{"x":[{}],"include_usage" : false},` + plain + `}`, `{"stream_options":{"x":[{}],"include_usage" : true},` + plain + `}`},
		{"usage in place of a null inside", usage, `{"stream_options":{"include_usage":null},` + plain + `}`, `{"stream_options":{"include_usage":true},` + plain + `}`},
		{"usage that is asked for", usage, `{"stream_options":{"include_usage":true},` + plain + `}`, `{"stream_options":{"include_usage":true},` + plain + `}`},
		{"no stream", usage, `{"model":"a"}`, `{"model":"a"}`},
		{"a stream in doubt", usage, `{"stream":true,"Stream":false}`, `{"stream":true,"Stream":false}`},
		{"options twice", usage, `{"stream_options":{},"stream_options":{},` + plain + `}`, `{"stream_options":{},"stream_options":{},` + plain + `}`},
		{"options in another case", usage, `{"Stream_options":{},` + plain + `}`, `{"Stream_options":{},` + plain + `}`},
		{"options that are no object", usage, `{"stream_options":[],` + plain + `}`, `{"stream_options":[],` + plain + `}`},
		{"usage twice", usage, `{"stream_options":{"include_usage":false,"include_usage":false},` + plain + `}`, `{"stream_options":{"include_usage":false,"include_usage":false},` + plain + `}`},
		{"usage in another case", usage, `{"stream_options":{"include_Usage":false},` + plain + `}`, `{"stream_options":{"include_Usage":false},` + plain + `}`},
		{"usage that is a number", usage, `{"stream_options":{"include_usage":1},` + plain + `}`, `{"stream_options":{"include_usage":1},` + plain + `}`},
		{"both", both, `{"model":"old",` + plain + `}`, `{"stream_options":{"include_usage":true},"model":"b",` + plain + `}`},
		{"both, the model last", both, `{` + plain + `,"stream_options":{"include_usage":false},"model":"old"}`, `{` + plain + `,"stream_options":{"include_usage":true},"model":"b"}`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			req, ask := asking(t, chatLine, jsonType, tt.body)
			out, err := ask.Rewrite(req, tt.edit)
			if err != nil {
				t.Fatal(err)
			}
			if (out == req) != (tt.body == tt.want) {
				t.Errorf("the request itself came back: %t", out == req)
			}
			checkBody(t, out, tt.want)
		})
	}
}

// checkBody holds the body of a request, and each reading of it, to want.
func checkBody(t *testing.T, req *http.Request, want string) {
	t.Helper()
	again, err := req.GetBody()
	if err != nil {
		t.Fatal(err)
	}
	for i, body := range []io.Reader{req.Body, again} {
		got, err := io.ReadAll(iotest.OneByteReader(body))
		if string(got) != want || err != nil {
			t.Errorf("reading %d: %s, %v, want %s", i, got, err, want)
		}
	}
	if req.ContentLength != int64(len(want)) {
		t.Errorf("ContentLength = %d, want %d", req.ContentLength, len(want))
	}
}

func TestRewriteForm(t *testing.T) {
	const kind = "multipart/form-data; boundary=b"
	edit := plugins.Edit{Model: "team/whisper", IncludeUsage: true}
	body := form(audio, field("stream", "true"), field("model", "a"), audio)
	req, ask := asking(t, "POST /v1/audio/transcriptions", kind, body)
	out, err := ask.Rewrite(req, edit)
	if err != nil {
		t.Fatal(err)
	}
	checkBody(t, out, form(audio, field("stream", "true"), field("model", "team/whisper"), audio))
	for _, model := range []string{"--b", "a\r\nb"} {
		if out, err := ask.Rewrite(req, plugins.Edit{Model: model}); err == nil {
			t.Errorf("%q was put into a form: %v", model, out)
		}
	}
}

func TestRewriteInDoubt(t *testing.T) {
	edit := plugins.Edit{Model: "b", IncludeUsage: true}
	for _, body := range []string{
		`{"model":"a","model":"a"}`, `{"Model":"a","model":"a"}`, `{"model":"a"`, `{"model":"a","models":["c"]}`,
	} {
		req, ask := asking(t, chatLine, jsonType, body)
		if out, err := ask.Rewrite(req, edit); !errors.Is(err, plugins.ErrAmbiguousBody) {
			t.Errorf("%s: %v, %v, want %v", body, out, err, plugins.ErrAmbiguousBody)
		}
		if out, err := ask.Rewrite(req, plugins.Edit{IncludeUsage: true}); out != req || err != nil {
			t.Errorf("%s: without a model %v, %v, want the request", body, out, err)
		}
	}
}

// Of a long body the beginning is known: a model there can change, and nothing
// can be added, since it may come later.
func TestRewriteOfALongBody(t *testing.T) {
	tests := []struct {
		name, body, rest, want string
		doubt                  bool
	}{
		{"a model in front", `{"stream":true,"model":"a","messages":[`, `1]}`, `{"stream":true,"model":"b","messages":[1]}`, false},
		{"a model twice", `{"model":"a","model":"a","messages":[`, `1]}`, "", true},
		{"a model in part", `{"model":"a`, `"}`, `{"model":"a"}`, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			req, _ := asking(t, chatLine, jsonType, tt.body+tt.rest)
			ask := plugins.ReadAsk(req, []byte(tt.body), false)
			out, err := ask.Rewrite(req, plugins.Edit{Model: "b", IncludeUsage: true})
			if tt.doubt != errors.Is(err, plugins.ErrAmbiguousBody) {
				t.Fatalf("%v, %v, want doubt: %t", out, err, tt.doubt)
			}
			if err == nil {
				checkBody(t, out, tt.want)
			}
		})
	}
}

func TestRewriteHeader(t *testing.T) {
	req, ask := asking(t, chatLine, jsonType, `{"model":"a"}`)
	req.Header.Set("Content-Length", "13")
	req.Header.Set("Digest", "sha-256=x")
	out, err := ask.Rewrite(req, plugins.Edit{Model: "long"})
	if err != nil {
		t.Fatal(err)
	}
	if got := out.Header.Get("Content-Length"); got != "16" || out.Header.Get("Digest") != "" {
		t.Errorf("Content-Length %q, Digest %q, want 16 and none", got, out.Header.Get("Digest"))
	}
	if req.Header.Get("Content-Length") != "13" || req.ContentLength != 13 || req.Header.Get("Digest") == "" {
		t.Errorf("the request itself was changed: %v", req.Header)
	}
	req.ContentLength = -1
	if out, err = ask.Rewrite(req, plugins.Edit{Model: "long"}); err != nil || out.ContentLength != -1 || out.Header.Get("Content-Length") != "" {
		t.Errorf("of unknown length: %d, %q, %v, want -1", out.ContentLength, out.Header.Get("Content-Length"), err)
	}
}
