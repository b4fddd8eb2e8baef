package plugins_test

import (
	"strings"
	"testing"

	"github.com/holysheep/relay/plugins"
)

// form is a body with the boundary b: each part is its header, an empty line
// and its content.
func form(parts ...string) string {
	var b strings.Builder
	for _, p := range parts {
		b.WriteString("--b\r\n" + p + "\r\n")
	}
	return b.String() + "--b--\r\n"
}

// field is a part of a form.
func field(name, content string) string {
	return "Content-Disposition: form-data; name=\"" + name + "\"\r\n\r\n" + content
}

const audio = "Content-Disposition: form-data; name=\"file\"; filename=\"name of model.mp3\"\r\n" +
	"Content-Type: audio/mpeg\r\n\r\n\xff\xfb\r\n\r\nmodel"

func TestReadAskForm(t *testing.T) {
	const disposition = "Content-Disposition: form-data; "
	tests := []struct {
		name  string
		body  string
		model string
		want  plugins.Field
	}{
		{name: "nothing in it", body: "--b--\r\n"},
		{name: "a file alone", body: form(audio)},
		{name: "a file and a model", body: form(audio, field("model", "a")), model: "a"},
		{name: "no line end at the end", body: strings.TrimSpace(form(field("model", "a"))), model: "a"},
		{name: "an empty model", body: form(field("model", ""))},
		{name: "null is a text", body: form(field("model", "null")), model: "null"},
		{name: "a name without quotes", body: form(disposition + "name=model\r\n\r\na"), model: "a"},
		{name: "a header in small letters", body: form("content-disposition:form-data; name=\"model\"\r\n\r\na"), model: "a"},
		{name: "the headers of Java", body: form(field("model", "a")[:len(disposition)+12] +
			"\r\nContent-Type: text/plain; charset=ISO-8859-1\r\nContent-Transfer-Encoding: 8bit\r\n\r\na"), model: "a"},
		{name: "a file of another alphabet", body: form(disposition+"name=\"file\"; filename*=utf-8''%e4.mp3\r\n\r\nx", field("model", "a")), model: "a"},
		{name: "model twice", body: form(field("model", "a"), field("model", "b")), model: "a", want: model},
		{name: "model in capitals", body: form(field("Model", "a")), want: model},
		{name: "model as a file", body: form(disposition + "name=\"model\"; filename=\"x\"\r\n\r\na"), model: "a", want: model},
		{name: "model in quoted-printable", body: form("Content-Transfer-Encoding: quoted-printable\r\n" + field("model", "=61")), model: "=61", want: model},
		{name: "model in UTF-16", body: form("Content-Type: text/plain; charset=utf-16\r\n" + field("model", "aa")), model: "aa", want: model},
		{name: "model of another alphabet", body: form(field("model", "é")), model: "é", want: model},
		{name: "stream is one", body: form(field("stream", "1")), want: stream},
		{name: "max_tokens has a plus", body: form(field("max_tokens", "+1")), want: tokens},
		{name: "max_tokens begins with zero", body: form(field("max_tokens", "01")), want: tokens},
		{name: "max_tokens is empty", body: form(field("max_tokens", "")), want: tokens},
		{name: "two names in a part", body: form(disposition + "name=\"a\"; name=\"model\"\r\n\r\na"), want: every},
		{name: "an extended name", body: form(disposition + "name=\"a\"; name*=utf-8''model\r\n\r\na"), want: every},
		{name: "an extended name alone", body: form(disposition + "name*=utf-8''model\r\n\r\na"), want: every},
		{name: "an escaped name", body: form(disposition + "name=\"mo\\del\"\r\n\r\na"), want: every},
		{name: "a name in another value", body: form(disposition + "name=\"a\"; x=\"; name=model\"\r\n\r\na"), want: every},
		{name: "no name", body: form("Content-Disposition: form-data\r\n\r\na"), want: every},
		{name: "no disposition", body: form("A: b\r\n\r\na"), want: every},
		{name: "two dispositions", body: form(disposition + "name=\"a\"\r\n" + field("model", "a")), want: every},
		{name: "a folded line", body: form(disposition + "\r\n name=\"model\"\r\n\r\na"), want: every},
		{name: "every kind of letter in a header", body: form("X-Az_09:\tb~\r\n" + field("model", "a")), model: "a"},
		{name: "a header without a name", body: form(": b\r\n" + field("model", "a")), want: every},
		{name: "a header of another alphabet", body: form("É: b\r\n" + field("model", "a")), want: every},
		{name: "a header with a sign", body: form("A@: b\r\n" + field("model", "a")), want: every},
		{name: "a control character in a header", body: form("A: \x01\r\n" + field("model", "a")), want: every},
		{name: "DEL in a header", body: form("A: \x7f\r\n" + field("model", "a")), want: every},
		{name: "a line without a colon", body: form("A\r\n" + field("model", "a")), want: every},
		{name: "a blank before the colon", body: form("Content-Disposition : form-data; name=\"model\"\r\n\r\na"), want: every},
		{name: "a line that ends in LF", body: form("A: b\nContent-Disposition: form-data; name=\"model\"\r\n\r\na"), want: every},
		{name: "an attachment", body: form("Content-Disposition: attachment; name=\"model\"\r\n\r\na"), want: every},
		{name: "no empty line", body: form(disposition + "name=\"model\""), want: every},
		{name: "a preamble", body: `{"model":"a"}` + "\r\n" + form(field("model", "b")), want: every},
		{name: "an epilogue", body: form(field("model", "b")) + form(field("model", "c")), model: "b", want: every},
		{name: "no end", body: strings.TrimSuffix(form(field("model", "b")), "--b--\r\n"), want: every},
		{name: "a boundary after LF", body: form("A: b\n--b\r\n" + field("model", "a")), want: every},
		{name: "a boundary inside of a text", body: form(field("model", "a\n--b\n")), want: every},
		{name: "a boundary and more", body: form(field("model", "a"), audio+"\r\n--bc"), model: "a", want: every},
		{name: "blanks after a boundary", body: "--b \r\n" + field("model", "a") + "\r\n--b--\r\n", want: every},
		{name: "nothing", body: "x", want: every},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := plugins.ReadAsk(post("multipart/form-data; boundary=b"), []byte(tt.body), true)
			if got.Model != tt.model || doubts(got) != tt.want {
				t.Errorf("ReadAsk = %q, doubt in %03b, want %q, %03b", got.Model, doubts(got), tt.model, tt.want)
			}
		})
	}
}

func TestReadAskFormFields(t *testing.T) {
	body := form(field("stream", "true"), field("max_tokens", "5"), field("model", "a"))
	got := plugins.ReadAsk(post("Multipart/Form-Data; Boundary=\"b\""), []byte(body), true)
	if got.Model != "a" || !got.Stream || got.MaxTokens != 5 || doubts(got) != 0 {
		t.Errorf("ReadAsk = %+v", got)
	}
}

// A boundary that some reader does not take as it stands is not taken, even if
// the body is divided by it.
func TestReadAskFormBoundary(t *testing.T) {
	long := strings.Repeat("b", 70)
	tests := []struct {
		name       string
		parameters string
		boundary   string
		want       plugins.Field
	}{
		{name: "of a browser", parameters: "; boundary=----WebKitFormBoundary7MA4", boundary: "----WebKitFormBoundary7MA4"},
		{name: "of Python", parameters: `; boundary="===============1=="`, boundary: "===============1=="},
		{name: "as long as can be", parameters: "; boundary=" + long, boundary: long},
		{name: "too long", parameters: "; boundary=b" + long, boundary: "b" + long, want: every},
		{name: "none", want: every},
		{name: "an empty one", parameters: `; boundary=""`, want: every},
		{name: "two", parameters: "; boundary=b; boundary=b", boundary: "b", want: every},
		{name: "two, one of them quoted", parameters: `; boundary=b; x="; boundary=c"`, boundary: "b", want: every},
		{name: "an extended one", parameters: "; boundary*=utf-8''b", boundary: "b", want: every},
		{name: "a blank", parameters: `; boundary="b c"`, boundary: "b c", want: every},
		{name: "a comma", parameters: `; boundary="b,c"`, boundary: "b,c", want: every},
		{name: "a backslash", parameters: `; boundary="b\\c"`, boundary: `b\c`, want: every},
		{name: "another alphabet", parameters: `; boundary="é"`, boundary: "é", want: every},
		{name: "another character set", parameters: "; boundary=b; charset=utf-7", boundary: "b", want: every},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			body := strings.ReplaceAll(form(field("model", "a")), "--b", "--"+tt.boundary)
			got := plugins.ReadAsk(post("multipart/form-data"+tt.parameters), []byte(body), true)
			if doubts(got) != tt.want || (got.Model == "a") != (tt.want == 0) {
				t.Errorf("ReadAsk = %q, doubt in %03b, want %03b", got.Model, doubts(got), tt.want)
			}
		})
	}
}

// Of a form that goes on, no field is certain.
func TestReadAskFormHead(t *testing.T) {
	body := form(field("model", "a"), audio)
	for n := range len(body) + 1 {
		got := plugins.ReadAsk(post("multipart/form-data; boundary=b"), []byte(body[:n]), false)
		if doubts(got) != every {
			t.Errorf("of the first %d bytes: doubt in %03b, want all", n, doubts(got))
		}
	}
}
