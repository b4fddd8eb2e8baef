package plugins_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"strings"
	"testing"

	"github.com/holysheep/relay/plugins"
)

// Where ReadAsk has no doubt, encoding/json, for which the last key counts and
// case does not, and a reader for which the first key counts and case does,
// see the same as it does.
func FuzzReadAsk(f *testing.F) {
	for _, seed := range []string{
		`{"model":"a","stream":true,"max_tokens":7}`, `{"model":"a","Model":"b"}`, `{"\u006dodel":"\u0061\ud83d\ude00"}`,
		`{"max_completion_tokens":1,"max_output_tokens":2}`, `{"ſtream":false,"max_toKens":1}`, `{"model":null}`,
		`{"model":"a"}{}`, `{"a":[{},[],{"model":1}],"stream":false}`, `{"stream":1}`, `{"max_tokens":1e2}`, ` {"model":"a\u0000"} `,
		"{\"mod\xffel\":\"\xff\"}", `{"a":01}`, `{"a":"\x"}`, `[[]]`, "\xef\xbb\xbf{}", ``, `null`, `{"model":"a","model":"b"}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		got := plugins.ReadAsk(post("application/json"), body, true)
		last, first := lastWins(body), firstWins(body)
		if got.Doubt(model) == nil && (last.Model != got.Model || first.Model != got.Model) {
			t.Errorf("model: last wins %q, first wins %q, ReadAsk %q", last.Model, first.Model, got.Model)
		}
		if got.Doubt(stream) == nil && (last.Stream != got.Stream || first.Stream != got.Stream) {
			t.Errorf("stream: last wins %t, first wins %t, ReadAsk %t", last.Stream, first.Stream, got.Stream)
		}
		if got.Doubt(tokens) == nil && (last.MaxTokens != got.MaxTokens || first.MaxTokens != got.MaxTokens) {
			t.Errorf("max_tokens: last wins %d, first wins %d, ReadAsk %d", last.MaxTokens, first.MaxTokens, got.MaxTokens)
		}
		if head := plugins.ReadAsk(post("application/json"), body, false); doubts(head) != every {
			t.Errorf("doubt in %03b of a body that goes on, want all", doubts(head))
		}
		if !json.Valid(body) && len(bytes.TrimLeft(body, " \t\r\n")) > 0 && doubts(got) != every {
			t.Errorf("doubt in %03b of a body that is not JSON, want all", doubts(got))
		}
	})
}

// lastWins reads with encoding/json, each field for itself. What it cannot
// read is -1 tokens or the model "unreadable".
func lastWins(body []byte) (a plugins.Ask) {
	var m struct {
		Model string `json:"model"`
	}
	var s struct {
		Stream bool `json:"stream"`
	}
	var n struct {
		Chat      int64 `json:"max_tokens"`
		Reasoning int64 `json:"max_completion_tokens"`
		Responses int64 `json:"max_output_tokens"`
	}
	if len(bytes.TrimLeft(body, " \t\r\n")) == 0 {
		return a
	}
	a.Model, a.MaxTokens = "unreadable", -1
	if json.Unmarshal(body, &m) == nil {
		a.Model = m.Model
	}
	if json.Unmarshal(body, &s) == nil {
		a.Stream = s.Stream
	}
	if json.Unmarshal(body, &n) == nil {
		a.MaxTokens = max(n.Chat, n.Reasoning, n.Responses)
	}
	return a
}

// firstWins reads as simple readers do: the first key of an object's own that
// is the name counts.
func firstWins(body []byte) (a plugins.Ask) {
	d := json.NewDecoder(bytes.NewReader(body))
	if open, err := d.Token(); err != nil || open != json.Delim('{') {
		return a
	}
	seen := map[string]bool{}
	for d.More() {
		key, err := d.Token()
		var value json.RawMessage
		if err != nil || d.Decode(&value) != nil {
			return a
		}
		name := key.(string)
		if seen[name] {
			continue
		}
		seen[name] = true
		var most int64
		switch name {
		case "model":
			_ = json.Unmarshal(value, &a.Model)
		case "stream":
			_ = json.Unmarshal(value, &a.Stream)
		case "max_tokens", "max_completion_tokens", "max_output_tokens":
			_ = json.Unmarshal(value, &most)
			a.MaxTokens = max(a.MaxTokens, most)
		}
	}
	return a
}

// Where ReadAsk has no doubt about a form, mime/multipart reads the same form
// to its end, and the same model once or not at all.
func FuzzReadAskForm(f *testing.F) {
	const boundary = "multipart/form-data; boundary=b"
	for _, seed := range []string{
		form(audio, field("model", "a")), form(field("model", "a"), field("model", "b")), form(field("Model", "a")),
		"--b--", "--b\n" + field("model", "a") + "\n--b--", "--b \r\n\r\n--b--", form(field("model", "a\r\n--b")),
		form("Content-Disposition: form-data; name=\"a\"; name*=utf-8''model\r\n\r\na"), form(field("model", "--b")),
		form("Content-Disposition: form-data; name=model; filename=x\r\n\r\na"), form(field("model", "")), form(":\r\n" + field("a", "")),
	} {
		f.Add(boundary, []byte(seed))
	}
	f.Add("multipart/form-data; boundary=\"b\"; charset=utf-8", []byte("--b--"))
	f.Fuzz(func(t *testing.T, contentType string, body []byte) {
		got := plugins.ReadAsk(post(contentType), body, true)
		media, params, err := mime.ParseMediaType(contentType)
		if got.Doubt(model) != nil || err != nil || media != "multipart/form-data" || len(bytes.Trim(body, " \t\r\n")) == 0 {
			return
		}
		models, err := formModels(body, params["boundary"])
		if err != nil {
			t.Fatalf("mime/multipart: %v", err)
		}
		if len(models) > 1 || strings.Join(models, "") != got.Model {
			t.Errorf("models: mime/multipart %q, ReadAsk %q", models, got.Model)
		}
	})
}

// formModels returns every model in a form.
func formModels(body []byte, boundary string) (models []string, err error) {
	r := multipart.NewReader(bytes.NewReader(body), boundary)
	for {
		p, err := r.NextPart()
		if errors.Is(err, io.EOF) {
			return models, nil
		}
		if err != nil {
			return nil, err
		}
		content, err := io.ReadAll(p)
		if err != nil {
			return nil, err
		}
		if strings.EqualFold(p.FormName(), "model") {
			models = append(models, string(content))
		}
	}
}
