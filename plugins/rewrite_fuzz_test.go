package plugins_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"math/rand/v2"
	"mime/multipart"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/holysheep/relay/plugins"
)

// What encoding/json reads of a rewritten body are the members of the former in
// their order and as they stood, but for those that were to change.
func FuzzRewrite(f *testing.F) {
	for _, seed := range []string{
		`{"model":"a","stream":true,"max_tokens":7}`, ` {"stream":true , "stream_options" : { } }`, `{"\u006dodel":"\u0061"}`,
		`{"stream":true,"stream_options":{"include_usage":false,"x":[]},"model":"é"}`, `{"stream":true,"stream_options":null}`,
		`{"stream":true,"stream_options":{"include_usage":true}}`, `{"model":"a","model":"b"}`, `{"a":[{"model":1}],"model":""}`, `[]`, ``,
	} {
		f.Add([]byte(seed), "b/c", uint64(1))
	}
	f.Fuzz(func(t *testing.T, body []byte, model string, seed uint64) {
		if len(bytes.TrimLeft(body, " \t\r\n")) == 0 || !json.Valid([]byte(quote(model))) {
			return
		}
		req, ask := asking(t, chatLine, jsonType, string(body))
		out, err := ask.Rewrite(req, plugins.Edit{Model: model, IncludeUsage: true})
		if err != nil {
			if !errors.Is(err, plugins.ErrAmbiguousBody) {
				t.Fatal(err)
			}
			return
		}
		got := readRandomly(t, out, seed)
		if out == req {
			if !bytes.Equal(got, body) {
				t.Fatalf("%q became %q without an edit", body, got)
			}
			return
		}
		want, wantOK := members(body)
		have, haveOK := members(got)
		if !wantOK || !haveOK {
			t.Fatalf("%q became %q, of which one is no object", body, got)
		}
		if named := ask.Model != "" && model != ""; named {
			setMember(want, "model", quote(model))
		}
		if ask.CanIncludeUsage() {
			want = wantUsage(t, want)
			var seen struct {
				Options struct {
					Usage bool `json:"include_usage"`
				} `json:"stream_options"`
			}
			if err := json.Unmarshal(got, &seen); err != nil || !seen.Options.Usage {
				t.Errorf("encoding/json sees no include_usage in %q: %v", got, err)
			}
		}
		if !slices.Equal(have, want) {
			t.Errorf("%q became %q, want the members %q", body, got, want)
		}
	})
}

// A member is one of an object, its value as it stands.
type member struct{ key, value string }

func members(body []byte) (all []member, ok bool) {
	d := json.NewDecoder(bytes.NewReader(body))
	if open, err := d.Token(); err != nil || open != json.Delim('{') {
		return nil, false
	}
	for d.More() {
		key, err := d.Token()
		var value json.RawMessage
		if err != nil || d.Decode(&value) != nil {
			return nil, false
		}
		all = append(all, member{key.(string), string(value)})
	}
	return all, true
}

func setMember(all []member, key, value string) {
	for i := range all {
		if all[i].key == key {
			all[i].value = value
		}
	}
}

// wantUsage returns the members of a body, with include_usage.
func wantUsage(t *testing.T, all []member) []member {
	t.Helper()
	i := slices.IndexFunc(all, func(m member) bool { return m.key == "stream_options" })
	switch {
	case i < 0:
		return append([]member{{"stream_options", `{"include_usage":true}`}}, all...)
	case all[i].value == "null":
		all[i].value = `{"include_usage":true}`
		return all
	}
	options, _ := members([]byte(all[i].value))
	at := slices.IndexFunc(options, func(m member) bool { return m.key == "include_usage" })
	old := all[i].value
	switch {
	case at >= 0: // by its name with the colon, since the value may be elsewhere too
		head, tail := cutMember(t, old, options[at].value)
		all[i].value = head + "true" + tail
	case len(options) > 0:
		all[i].value = `{"include_usage":true,` + old[1:]
	default:
		all[i].value = `{"include_usage":true` + old[1:]
	}
	return all
}

// cutMember returns what stands around the value of include_usage in an object.
func cutMember(t *testing.T, object, value string) (head, tail string) {
	t.Helper()
	d := json.NewDecoder(strings.NewReader(object))
	_, _ = d.Token()
	for d.More() {
		key, _ := d.Token()
		var raw json.RawMessage
		if err := d.Decode(&raw); err != nil {
			t.Fatal(err)
		}
		if end := int(d.InputOffset()); key == "include_usage" {
			return object[:end-len(value)], object[end:]
		}
	}
	t.Fatalf("no include_usage in %q", object)
	return "", ""
}

func quote(text string) string {
	raw, _ := json.Marshal(text)
	return string(raw)
}

// readRandomly reads the body of a request in pieces of random sizes, and holds
// its length and another reading to it.
func readRandomly(t *testing.T, req *http.Request, seed uint64) []byte {
	t.Helper()
	again, err := req.GetBody()
	if err != nil {
		t.Fatal(err)
	}
	var readings [2][]byte
	for i, body := range []io.Reader{req.Body, again} {
		random := rand.New(rand.NewPCG(seed, uint64(i)))
		piece := make([]byte, 64)
		for err = nil; err == nil; {
			var n int
			n, err = body.Read(piece[:random.IntN(len(piece)+1)])
			readings[i] = append(readings[i], piece[:n]...)
		}
		if !errors.Is(err, io.EOF) {
			t.Fatal(err)
		}
	}
	if !bytes.Equal(readings[0], readings[1]) || int64(len(readings[0])) != req.ContentLength {
		t.Fatalf("two readings: %q and %q, of length %d", readings[0], readings[1], req.ContentLength)
	}
	return readings[0]
}

// What mime/multipart reads of a rewritten form are the parts of the former
// but for the model.
func FuzzRewriteForm(f *testing.F) {
	for _, seed := range []string{
		form(audio, field("model", "a")), form(field("model", "")), form(field("model", "a"), field("stream", "true"), audio), "--b--", "x",
	} {
		f.Add([]byte(seed), "b/c", uint64(1))
	}
	f.Fuzz(func(t *testing.T, body []byte, model string, seed uint64) {
		if len(bytes.TrimLeft(body, " \t\r\n")) == 0 {
			return
		}
		req, ask := asking(t, "POST /v1/audio/transcriptions", "multipart/form-data; boundary=b", string(body))
		out, err := ask.Rewrite(req, plugins.Edit{Model: model})
		if err != nil || out == req {
			return
		}
		want, errWant := parts(body)
		have, errHave := parts(readRandomly(t, out, seed))
		if errWant != nil || errHave != nil {
			t.Fatalf("%q: %v, then %v", body, errWant, errHave)
		}
		for i := range want {
			if strings.EqualFold(want[i].key, "model") {
				want[i].value = model
			}
		}
		if !slices.Equal(have, want) {
			t.Errorf("%q: parts %q, want %q", body, have, want)
		}
	})
}

// parts returns the parts of a form: the name and file of each, and its content.
func parts(body []byte) (all []member, err error) {
	r := multipart.NewReader(bytes.NewReader(body), "b")
	for {
		p, err := r.NextPart()
		if errors.Is(err, io.EOF) {
			return all, nil
		}
		if err != nil {
			return nil, err
		}
		content, err := io.ReadAll(p)
		if err != nil {
			return nil, err
		}
		all = append(all, member{p.FormName() + p.FileName(), string(content)})
	}
}
