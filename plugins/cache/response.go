package cache

import (
	"bytes"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/holysheep/relay/internal/answer"
)

// response returns a stored answer as if req had just got it, with its body in
// the given form. Only its type and its language are stored: all other headers
// belong to the one call that they came with. A list of those that do would be
// out of date with the next header that an upstream thinks of, and it would be a
// stranger's request id, limit or cookie that leaks.
func response(req *http.Request, a *answer.Answer, body []byte, form answer.Form, pace time.Duration) *http.Response {
	res := empty(req, typeIn(a, form), a.Language)
	if form.Streamed() {
		res.Body = replay(body, pace, req.Context().Done())
		return res
	}
	res.ContentLength = int64(len(body))
	res.Header["Content-Length"] = []string{strconv.Itoa(len(body))}
	res.Body = io.NopCloser(bytes.NewReader(body))
	return res
}

// empty returns a 200 without a body and without a length.
func empty(req *http.Request, kind, language string) *http.Response {
	h := make(http.Header, 3)
	if kind != "" {
		h["Content-Type"] = []string{kind}
	}
	if language != "" {
		h["Content-Language"] = []string{language}
	}
	return &http.Response{
		Status:        "200 OK",
		StatusCode:    http.StatusOK,
		Proto:         "HTTP/1.1",
		ProtoMajor:    1,
		ProtoMinor:    1,
		Header:        h,
		ContentLength: -1,
		Request:       req,
	}
}

// typeIn returns the type of a in the given form.
func typeIn(a *answer.Answer, form answer.Form) string {
	switch {
	case form.Streamed() == a.Form.Streamed():
		return a.Type
	case form.Streamed():
		return "text/event-stream; charset=utf-8"
	}
	return "application/json"
}

// headerOf returns what is stored of an answer's header.
func headerOf(h http.Header) (kind, language string) {
	return strings.Clone(strings.Join(h["Content-Type"], ", ")), strings.Clone(strings.Join(h["Content-Language"], ", "))
}
