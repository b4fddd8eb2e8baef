package server

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
)

// newEarly starts an upstream that begins to answer before it has read the
// request's body, and then tells in the answer how many bytes came.
func newEarly(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer func() { _ = conn.Close() }()
				req, err := http.ReadRequest(bufio.NewReader(conn))
				if err != nil {
					return
				}
				_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"+"6\r\nbegun \r\n")
				n, err := io.Copy(io.Discard, req.Body)
				text := fmt.Sprintf("%d %v", n, err)
				_, _ = fmt.Fprintf(conn, "%x\r\n%s\r\n0\r\n\r\n", len(text), text)
			}()
		}
	}()
	return "http://" + l.Addr().String() + "/v1"
}

func TestAnAnswerThatBeginsEarlyTakesNothingFromTheBody(t *testing.T) {
	r := start(t, whole+"\nupstreams: {raw: {base_url: "+newEarly(t)+"}}\n")
	body := strings.Repeat("0123456789", 20_000)
	conn, in := r.dial(t, head("POST /v1/files", "Content-Length: "+itoa(len(body)))+body[:1000])
	res, err := http.ReadResponse(in, nil)
	if err != nil {
		t.Fatal(err)
	}
	begun := make([]byte, 6)
	if _, err := io.ReadFull(res.Body, begun); err != nil {
		t.Fatalf("the answer did not begin before the request had ended: %v", err)
	}
	if _, err := io.WriteString(conn, body[1000:]); err != nil {
		t.Fatal(err)
	}
	rest, err := io.ReadAll(res.Body)
	if want := itoa(len(body)) + " <nil>"; string(rest) != want || err != nil {
		t.Errorf("the upstream got %q, %v, want %q", rest, err, want)
	}
	if !res.Close {
		t.Error("the connection is used again: what is left of a body could be taken for a request")
	}
}

func TestABodyThatIsLeftIsNoRequest(t *testing.T) {
	up := newRaw(t, "") // it is never asked
	r := start(t, whole+"\nupstreams: {raw: {base_url: "+up.URL+"}}\n")
	smuggled := head("GET /v1/smuggled")
	request := "POST /v1/files HTTP/1.1\r\nHost: relay\r\nContent-Length: " + itoa(len(smuggled)+1) + "\r\n\r\n" + smuggled
	conn, in := r.dial(t, request)
	for range 2 {
		res, err := http.ReadResponse(in, nil)
		if err != nil {
			break // closed after the first
		}
		_, _ = io.Copy(io.Discard, res.Body)
		if res.StatusCode != http.StatusUnauthorized {
			t.Errorf("got %s, want 401 alone", res.Status)
		}
	}
	_ = conn.Close()
	if err := r.Stop(); err != nil {
		t.Error(err)
	}
	select {
	case got := <-up.requests:
		t.Errorf("the rest of a body became the request %s %s", got.Method, got.RequestURI)
	default:
	}
}
