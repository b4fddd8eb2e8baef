package demo

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

const chatBody = `{"model":"gpt-4o","messages":[{"role":"user","content":"hello big world"}]}`

const streamBody = `{"model":"gpt-4o","stream":true,"messages":[{"role":"user","content":"hello big world"}]}`

// start starts a demo upstream and returns it with its address.
func start(t *testing.T, options Options) (*Server, string) {
	t.Helper()
	s := New(options)
	hs := httptest.NewServer(s)
	t.Cleanup(hs.Close)
	return s, hs.URL + "/v1"
}

// patient returns a context that ends only if a test hangs.
func patient(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	t.Cleanup(cancel)
	return ctx
}

// request returns a request with headers given as "Name: value"; it is a GET if
// there is no body.
func request(t *testing.T, url, body string, headers ...string) *http.Request {
	t.Helper()
	method := http.MethodPost
	if body == "" {
		method = http.MethodGet
	}
	req, err := http.NewRequestWithContext(patient(t), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		req.Header.Add(name, value)
	}
	return req
}

// do sends req, without decoding what comes back.
func do(t *testing.T, req *http.Request) *http.Response {
	t.Helper()
	transport := &http.Transport{DisableCompression: true}
	t.Cleanup(transport.CloseIdleConnections)
	res, err := transport.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = res.Body.Close() })
	return res
}

// read reads the body of res to its end, whatever the end is.
func read(t *testing.T, res *http.Response) (string, error) {
	t.Helper()
	b, err := io.ReadAll(res.Body)
	return string(b), err
}

// epoch is a clock that stands still.
func epoch() time.Time { return time.Unix(0, 0) }
