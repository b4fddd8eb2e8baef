package plugins_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/holysheep/relay/plugins"
)

const (
	model  = plugins.FieldModel
	stream = plugins.FieldStream
	tokens = plugins.FieldMaxTokens
	every  = model | stream | tokens
)

// read is what ReadAsk says of a whole JSON body.
func read(body string) plugins.Ask {
	return plugins.ReadAsk(post("application/json"), []byte(body), true)
}

// post returns a request with a body of the given type. The body is not there:
// ReadAsk does not read it.
func post(contentType string) *http.Request {
	return &http.Request{
		Method: http.MethodPost,
		URL:    &url.URL{Path: "/v1/chat/completions"},
		Header: http.Header{"Content-Type": {contentType}},
	}
}

// doubts returns the fields of a that are in doubt.
func doubts(a plugins.Ask) (in plugins.Field) {
	for _, f := range []plugins.Field{model, stream, tokens} {
		if a.Doubt(f) != nil {
			in |= f
		}
	}
	return in
}

func TestReadAskFields(t *testing.T) {
	tests := []struct {
		name   string
		body   string
		model  string
		stream bool
		tokens int64
	}{
		{name: "no body", body: ""},
		{name: "white space alone", body: " \r\n\t"},
		{name: "an empty object", body: " { } "},
		{name: "every field", body: `{"model":"gpt-4.1","stream":true,"max_tokens":7}`, model: "gpt-4.1", stream: true, tokens: 7},
		{name: "white space everywhere", body: "\n{ \"model\"\t:\r\"a\" , \"stream\" : false }\n", model: "a"},
		{name: "null is absent", body: `{"model":null,"stream":null,"max_tokens":null}`},
		{name: "an escaped key", body: `{"\u006dodel":"a"}`, model: "a"},
		{name: "an escaped value", body: `{"model":"\u0061\/\"é"}`, model: `a/"é`},
		{name: "a surrogate pair", body: `{"model":"\ud83d\ude00"}`, model: "😀"},
		{name: "keys inside of other values", body: `{"a":{"model":"b","stream":1},"c":[{"model":2}],"model":"a"}`, model: "a"},
		{name: "the names as values", body: `{"a":"model","b":["stream"],"model":"max_tokens"}`, model: "max_tokens"},
		{name: "every kind of value", body: `{"a":[],"b":{},"c":-0.5e+3,"d":[1,[2,{"e":[]}],true,false,null],"f":"\\\" \uAFaf","model":"a"}`, model: "a"},
		{name: "an invalid byte elsewhere", body: "{\"a\":\"\xff\",\"model\":\"a\"}", model: "a"},
		{name: "zero tokens", body: `{"max_tokens":0}`},
		{name: "the largest number", body: `{"max_tokens":9223372036854775807}`, tokens: 1<<63 - 1},
		{name: "the name of reasoning", body: `{"max_completion_tokens":5}`, tokens: 5},
		{name: "the name of responses", body: `{"max_output_tokens":5}`, tokens: 5},
		{name: "the larger of two names", body: `{"max_completion_tokens":9,"max_tokens":5}`, tokens: 9},
		{name: "the larger of two names comes last", body: `{"max_completion_tokens":5,"max_tokens":9}`, tokens: 9},
		{name: "a key longer than any name", body: `{"model_of_a_car_that_is_very_long_indeed":"b","modelx":"c"}`},
		{name: "a key of another alphabet", body: `{"modèle":"b","型号":"c"}`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := read(tt.body)
			if got.Model != tt.model || got.Stream != tt.stream || got.MaxTokens != tt.tokens {
				t.Errorf("ReadAsk = %q, %t, %d, want %q, %t, %d",
					got.Model, got.Stream, got.MaxTokens, tt.model, tt.stream, tt.tokens)
			}
			if err := got.Doubt(every); err != nil {
				t.Errorf("Doubt = %v, want none", err)
			}
		})
	}
}

func TestReadAskDoubt(t *testing.T) {
	deep := strings.Repeat(`[`, 10_000)
	tests := []struct {
		name string
		body string
		want plugins.Field
	}{
		{name: "model twice", body: `{"model":"a","model":"a"}`, want: model},
		{name: "model twice, once escaped", body: `{"model":"a","\u006Dodel":"b"}`, want: model},
		{name: "model twice, once null", body: `{"model":null,"model":"b"}`, want: model},
		{name: "model in capitals", body: `{"MODEL":"a"}`, want: model},
		{name: "model in capitals beside model", body: `{"model":"a","Model":"b"}`, want: model},
		{name: "model in escaped capitals", body: `{"\u004dodel":"a"}`, want: model},
		{name: "stream with a long s", body: `{"ſtream":true}`, want: stream},
		{name: "max_tokens with a Kelvin sign", body: "{\"max_to\u212aens\":1}", want: tokens},
		{name: "max_tokens with an escaped Kelvin sign", body: `{"max_to\u212aens":1}`, want: tokens},
		{name: "a key that ends early at NUL", body: `{"model\u0000x":"a"}`, want: model},
		{name: "a key with a byte that is no character", body: "{\"mod\xffel\":\"a\"}", want: model},
		{name: "a key with half a surrogate pair", body: `{"model\ud800":"a"}`, want: model},
		{name: "model is a number", body: `{"model":1}`, want: model},
		{name: "model is a list", body: `{"model":["a"]}`, want: model},
		{name: "model is an object", body: `{"model":{"model":"a"}}`, want: model},
		{name: "model is true", body: `{"model":true}`, want: model},
		{name: "an invalid byte in model", body: "{\"model\":\"a\xff\"}", want: model},
		{name: "half a surrogate pair in model", body: `{"model":"a\udc00"}`, want: model},
		{name: "NUL in model", body: `{"model":"a\u0000b"}`, want: model},
		{name: "stream twice", body: `{"stream":true,"stream":true}`, want: stream},
		{name: "stream is a text", body: `{"stream":"true"}`, want: stream},
		{name: "stream is a number", body: `{"stream":1}`, want: stream},
		{name: "max_tokens twice", body: `{"max_tokens":1,"max_tokens":1}`, want: tokens},
		{name: "max_tokens is negative", body: `{"max_tokens":-1}`, want: tokens},
		{name: "max_tokens is minus nothing", body: `{"max_tokens":-0}`, want: tokens},
		{name: "max_tokens is a fraction", body: `{"max_tokens":1.0}`, want: tokens},
		{name: "max_tokens has an exponent", body: `{"max_tokens":1e3}`, want: tokens},
		{name: "max_tokens is too large", body: `{"max_tokens":9223372036854775808}`, want: tokens},
		{name: "max_tokens is a text", body: `{"max_tokens":"1"}`, want: tokens},
		{name: "one of two names is no number", body: `{"max_tokens":1,"max_output_tokens":{}}`, want: tokens},
		{name: "two fields", body: `{"Model":"a","stream":0}`, want: model | stream},
		{name: "not closed", body: `{"model":"a"`, want: every},
		{name: "closed by the wrong bracket", body: `{"a":[1}}`, want: every},
		{name: "the wrong bracket closes an object", body: `{"a":{]}`, want: every},
		{name: "something after the object", body: `{"model":"a"}{}`, want: every},
		{name: "NUL after the object", body: "{\"model\":\"a\"}\x00", want: every},
		{name: "a comma too many", body: `{"model":"a",}`, want: every},
		{name: "a comma too many in a list", body: `{"a":[1,]}`, want: every},
		{name: "a comma too few", body: `{"model":"a" "b":1}`, want: every},
		{name: "no colon", body: `{"model" "a"}`, want: every},
		{name: "no value", body: `{"model":}`, want: every},
		{name: "a key without quotes", body: `{model:"a"}`, want: every},
		{name: "a key without quotes inside", body: `{"a":{model:"a"}}`, want: every},
		{name: "single quotes", body: `{'model':'a'}`, want: every},
		{name: "a comment", body: `{/**/"model":"a"}`, want: every},
		{name: "a line end in a text", body: "{\"a\":\"\n\"}", want: every},
		{name: "an unknown escape", body: `{"a":"\x41"}`, want: every},
		{name: "an escape of no number", body: `{"a":"\u00g0"}`, want: every},
		{name: "an escape of no letter", body: `{"a":"\u00/0"}`, want: every},
		{name: "a literal that is misspelt", body: `{"a":treu}`, want: every},
		{name: "an escape that is too short", body: `{"a":"\u004"}`, want: every},
		{name: "an escape at the end", body: `{"a":"\`, want: every},
		{name: "NaN", body: `{"a":NaN}`, want: every},
		{name: "a zero before a number", body: `{"a":01}`, want: every},
		{name: "a plus before a number", body: `{"a":+1}`, want: every},
		{name: "a point without digits", body: `{"a":1.}`, want: every},
		{name: "an exponent without digits", body: `{"a":1e}`, want: every},
		{name: "half a literal", body: `{"a":tru}`, want: every},
		{name: "a byte order mark", body: "\xef\xbb\xbf{\"model\":\"a\"}", want: every},
		{name: "UTF-16", body: "{\x00\"\x00m\x00", want: every},
		{name: "UTF-16, the high byte first", body: "\x00{\x00\"", want: every},
		{name: "a list", body: `[{"model":"a"}]`, want: every},
		{name: "a text", body: `"model"`, want: every},
		{name: "too deep", body: `{"a":` + deep + strings.Repeat(`]`, 10_000) + `}`, want: every},
		{name: "as deep as can be", body: `{"a":` + deep[1:] + strings.Repeat(`]`, 9_999) + `}`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := doubts(read(tt.body)); got != tt.want {
				t.Errorf("doubt in %03b, want %03b", got, tt.want)
			}
		})
	}
}

// No beginning of an object is one.
func TestReadAskCut(t *testing.T) {
	const body = ` {"model" : "a\n\u00e9 b", "a": [1.5e+3, -0, {"b": [ ], "c": { }}], "d": true, "e": null, "stream": false, "f": 10}`
	if got := doubts(read(body + " ")); got != 0 {
		t.Errorf("doubt in %03b of the whole, want none", got)
	}
	for n := 2; n < len(body); n++ {
		if got := doubts(read(body[:n])); got != every {
			t.Errorf("doubt in %03b of %q, want all", got, body[:n])
		}
	}
}

// Long and hostile bodies end soon. Were the time quadratic, or a level of
// nesting a level of recursion without limit, this test would not.
func TestReadAskLong(t *testing.T) {
	const size = 10 << 20
	fill := func(s string) string { return strings.Repeat(s, size/len(s)) }
	for name, body := range map[string]string{
		"brackets":       `{"a":` + fill(`[`),
		"braces":         fill(`{"a":`),
		"a long text":    `{"a":"` + fill(`x`) + `"}`,
		"escapes":        `{"a":"` + fill(`\u0041`) + `"}`,
		"a long key":     `{"` + fill(`\u0041`) + `":1}`,
		"keys":           `{` + fill(`"model":"a",`),
		"escaped keys":   `{` + fill(`"\u006dode":1,`),
		"a long number":  `{"max_tokens":` + fill(`1`) + `}`,
		"a long model":   `{"model":"` + fill(`\u0041`) + `"}`,
		"quotes":         `{` + fill(`"`),
		"lists in lists": `{"a":[` + fill(`[],`),
	} {
		t.Run(name, func(t *testing.T) {
			a := read(body)
			if a.MaxTokens != 0 || a.Stream {
				t.Errorf("ReadAsk = %d, %t", a.MaxTokens, a.Stream)
			}
		})
	}
}
