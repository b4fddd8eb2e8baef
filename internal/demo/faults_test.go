package demo

import (
	"io"
	"net/http"
	"net/http/httptrace"
	"net/textproto"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// An exchangeTest is a request and what its answer has to have.
type exchangeTest struct {
	name, path, body string
	headers          []string
	wantStatus       int
	wantIn           string // the body
	wantHeader       string // "Name: value"
}

func (tt exchangeTest) run(t *testing.T) {
	_, url := start(t, Options{})
	res := do(t, request(t, url+tt.path, tt.body, tt.headers...))
	body, err := read(t, res)
	if res.StatusCode != tt.wantStatus || !strings.Contains(body, tt.wantIn) || err != nil {
		t.Errorf("answer = %d %q, %v, want %d with %q", res.StatusCode, body, err, tt.wantStatus, tt.wantIn)
	}
	name, want, _ := strings.Cut(tt.wantHeader, ": ")
	if got := res.Header.Get(name); got != want {
		t.Errorf("%s = %q, want %q", name, got, want)
	}
}

func TestFaultsOfAnAnswer(t *testing.T) {
	tests := []exchangeTest{
		{"an error status", "/chat/completions", chatBody, []string{"X-Demo-Status: 503"}, 503, `"type":"server_error","param":null,"code":null`, "Content-Type: application/json"},
		{"an error with a code", "/chat/completions", chatBody, []string{"X-Demo-Status: 429", "X-Demo-Code: insufficient_quota"}, 429, `"type":"requests","param":null,"code":"insufficient_quota"`, ""},
		{"when to come again", "/chat/completions", chatBody, []string{"X-Demo-Status: 429", "X-Demo-Retry-After: 2"}, 429, "rate_limit_exceeded", "Retry-After: 2"},
		{"when to come again, in milliseconds", "/chat/completions", chatBody, []string{"X-Demo-Status: 503", "X-Demo-Retry-After-Ms: 20"}, 503, "", "Retry-After-Ms: 20"},
		{"a fault needs no valid request", "/nowhere", "{", []string{"X-Demo-Status: 500"}, 500, "server_error", ""},
		{"another good status", "/echo", "hello", []string{"X-Demo-Status: 202"}, 202, "hello", ""},
		{"a redirect", "/echo", "", []string{"X-Demo-Status: 302", "X-Demo-Header: Location: http://else.where/"}, 302, "", "Location: http://else.where/"},
		{"no content", "/chat/completions", chatBody, []string{"X-Demo-Status: 204"}, 204, "", "Content-Length: "},
		{"a planted cookie", "/models", "", []string{"X-Demo-Header: Set-Cookie: a=b"}, 200, "gpt-4o", "Set-Cookie: a=b"},
		{"a header in place of its own", "/models", "", []string{"X-Demo-Header: content-type: text/odd"}, 200, "gpt-4o", "Content-Type: text/odd"},
		{"an empty answer", "/models", "", []string{"X-Demo-Empty: true"}, 200, "", "Content-Length: 0"},
		{"no fixed length", "/models", "", []string{"X-Demo-Length: chunked"}, 200, "gpt-4o", "Content-Length: "},
	}
	for _, tt := range tests {
		t.Run(tt.name, tt.run)
	}
}

func TestRefusals(t *testing.T) {
	tests := []exchangeTest{
		{"an unknown endpoint", "/nowhere", chatBody, nil, 404, `"code":"unknown_url"`, ""},
		{"a method that is not allowed", "/chat/completions", "", nil, 405, `"code":"method_not_supported"`, "Allow: POST"},
		{"invalid JSON", "/chat/completions", `{"model":`, nil, 400, `"type":"invalid_request_error"`, ""},
		{"no model", "/chat/completions", `{}`, nil, 400, `"param":"model"`, ""},
		{"no form", "/audio/transcriptions", `{}`, nil, 400, `could not parse`, ""},
		{"no upgrade", "/realtime", "", nil, 426, `"error"`, ""},
		{"no messages", "/chat/completions", `{"model":"m"}`, nil, 400, `"param":"messages"`, ""},
		{"too many choices", "/chat/completions", `{"model":"m","n":129,"messages":[{}]}`, nil, 400, "'n' is not from 1 to 128", ""},
		{"too many dimensions", "/embeddings", `{"model":"m","input":"a","dimensions":3073}`, nil, 400, "'dimensions' is not from 1 to 3072", ""},
		{"an unknown format of vectors", "/embeddings", `{"model":"m","input":"a","encoding_format":"hex"}`, nil, 400, "'encoding_format'", ""},
		{"an unknown format of sound", "/audio/speech", `{"model":"m","input":"a","response_format":"midi"}`, nil, 400, "'response_format'", ""},
		{"no input", "/responses", `{"model":"m","input":null}`, nil, 400, `"param":"input"`, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, tt.run)
	}
}

func TestFaultsOfAStream(t *testing.T) {
	const first = `"content":""},"logprobs":null,"finish_reason":null}]}` + "\n\n"
	tests := []struct {
		name      string
		headers   []string
		wantEnd   string
		wantWhole bool
		want      Record
	}{
		{"broken off after an event", []string{"X-Demo-Break: events=1"}, first, false, Record{State: Aborted, Events: 1}},
		{"broken off within an event", []string{"X-Demo-Break: bytes=200"}, "\n\ndat", false, Record{State: Aborted, Events: 1}},
		{"broken off before the first event", []string{"X-Demo-Break: events=0"}, "", false, Record{State: Aborted}},
		{"broken off at the end", []string{"X-Demo-Break: events=99"}, "data: [DONE]\n\n", false, Record{State: Aborted, Events: 8}},
		{"an error first", []string{"X-Demo-Error-Event: 0"}, `data: {"error":{"message":"demo: an error in the stream was asked for","type":"server_error","param":null,"code":null}}` + "\n\n", true, Record{State: Done, Events: 1}},
		{"an error later", []string{"X-Demo-Error-Event: 1", "X-Demo-Code: x"}, `"code":"x"}}` + "\n\n", true, Record{State: Done, Events: 2}},
		{"no event", []string{"X-Demo-Empty: true"}, "", true, Record{State: Done}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s, url := start(t, Options{Now: epoch})
			body, err := read(t, do(t, request(t, url+"/chat/completions", streamBody, tt.headers...)))
			if !strings.HasSuffix(body, tt.wantEnd) || (err == nil) != tt.wantWhole {
				t.Errorf("body = %q, %v, want the end %q", body, err, tt.wantEnd)
			}
			rec, err := s.Books().Await(patient(t), 1, func(r Record) bool { return r.State.Ended() })
			got := Record{State: rec.State, Events: rec.Events, BytesOut: rec.BytesOut}
			tt.want.BytesOut = int64(len(body))
			if diff := cmp.Diff(got, tt.want); diff != "" || err != nil {
				t.Errorf("%v, record (-got +want):\n%s", err, diff)
			}
		})
	}
}

func TestAStreamOfFixedLength(t *testing.T) {
	_, url := start(t, Options{})
	for _, encoding := range []string{"bad-gzip", "gzip"} {
		res := do(t, request(t, url+"/chat/completions", streamBody, "X-Demo-Length: fixed", "X-Demo-Encoding: "+encoding))
		body, err := read(t, res)
		if res.ContentLength != int64(len(body)) || len(body) == 0 || err != nil {
			t.Errorf("%s: length = %d of %d bytes, %v", encoding, res.ContentLength, len(body), err)
		}
	}
}

func TestTheFirstRequestsOfANameFail(t *testing.T) {
	_, url := start(t, Options{})
	var got []int
	for _, name := range []string{"a", "a", "b", "a", "b"} {
		res := do(t, request(t, url+"/models", "", "X-Demo-Fail: "+name+"=2:503"))
		got = append(got, res.StatusCode)
	}
	if diff := cmp.Diff(got, []int{503, 503, 503, 200, 503}); diff != "" {
		t.Errorf("statuses (-got +want):\n%s", diff)
	}
	res, err := http.DefaultTransport.RoundTrip(request(t, url+"/chat/completions", chatBody, "X-Demo-Fail: c=1:reset"))
	if err == nil {
		_ = res.Body.Close()
		t.Errorf("status = %d, want no answer", res.StatusCode)
	}
}

func TestAnswersBeforeTheAnswer(t *testing.T) {
	_, url := start(t, Options{})
	var got []string
	trace := &httptrace.ClientTrace{Got1xxResponse: func(code int, h textproto.MIMEHeader) error {
		got = append(got, http.StatusText(code)+" "+h.Get("Link"))
		return nil
	}}
	req := request(t, url+"/models", "", "X-Demo-Early: 103, 102", "X-Demo-Status: 404")
	res := do(t, req.WithContext(httptrace.WithClientTrace(req.Context(), trace)))
	want := []string{"Early Hints </demo.css>; rel=preload; as=style", "Processing "}
	if diff := cmp.Diff(got, want); diff != "" || res.StatusCode != 404 || res.Header.Get("Link") != "" {
		t.Errorf("answer %d with Link %q, before it (-got +want):\n%s", res.StatusCode, res.Header.Get("Link"), diff)
	}
}

func TestTrailers(t *testing.T) {
	_, url := start(t, Options{})
	for _, body := range []string{chatBody, streamBody} {
		res := do(t, request(t, url+"/chat/completions", body, "X-Demo-Trailer: X-Sum: 1", "X-Demo-Trailer: X-Sum: 2"))
		if _, err := read(t, res); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(res.Trailer, http.Header{"X-Sum": {"1", "2"}}); diff != "" {
			t.Errorf("trailers (-got +want):\n%s", diff)
		}
	}
}

func TestAnAnswerBeforeTheBodyIsRead(t *testing.T) {
	s, url := start(t, Options{})
	r, w := io.Pipe()
	defer func() { _ = w.Close() }()
	go func() { _, _ = io.WriteString(w, "abcdef") }()
	req := request(t, url+"/echo", "x", "X-Demo-Read: 4")
	req.Body, req.ContentLength = r, -1
	res := do(t, req)
	body := make([]byte, 4)
	if _, err := io.ReadFull(res.Body, body); string(body) != "abcd" {
		t.Errorf("body = %q, %v, want abcd", body, err)
	}
	if rec, _ := s.Books().Record(1); rec.BodyBytes != 4 {
		t.Errorf("bytes read = %d, want 4", rec.BodyBytes)
	}
}
