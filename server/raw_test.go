package server

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

// A raw upstream reads one request after the other from each connection and
// answers with bytes as they stand, so that answers can be as odd as they are
// in life.
type raw struct {
	URL      string
	requests chan rawRequest
}

// A rawRequest is a request as it arrived.
type rawRequest struct {
	*http.Request
	Body []byte
}

// newRaw starts a raw upstream that answers every request with answer.
func newRaw(t testing.TB, answer string) *raw {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	r := &raw{URL: "http://" + l.Addr().String() + "/v1", requests: make(chan rawRequest, 100)}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go r.serve(conn, answer)
		}
	}()
	return r
}

func (r *raw) serve(conn net.Conn, answer string) {
	defer func() { _ = conn.Close() }()
	in := bufio.NewReader(conn)
	for {
		req, err := http.ReadRequest(in)
		if err != nil {
			return
		}
		body, err := io.ReadAll(req.Body)
		if err != nil {
			return
		}
		r.requests <- rawRequest{req, body}
		if _, err := io.WriteString(conn, answer); err != nil || !strings.Contains(answer, "Content-Length") && !strings.Contains(answer, "chunked") {
			return
		}
	}
}

// ok is an answer with a body of fixed length.
func ok(body string, headers ...string) string {
	return fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n%sContent-Length: %d\r\n\r\n%s",
		strings.Join(headers, ""), len(body), body)
}

// dial sends raw bytes to the relay and returns the connection's reader.
func (r *running) dial(t testing.TB, request string) (net.Conn, *bufio.Reader) {
	t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(r.URL, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	if err := conn.SetDeadline(time.Now().Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(conn, request); err != nil {
		t.Fatal(err)
	}
	return conn, bufio.NewReader(conn)
}

// head returns the beginning of a raw request of the tester.
func head(line string, headers ...string) string {
	return line + " HTTP/1.1\r\nHost: relay\r\nAuthorization: Bearer " + clientKey + "\r\n" + strings.Join(headers, "\r\n") + "\r\n\r\n"
}

// chunked encodes the pieces as chunks, with a trailer if there is one.
func chunked(trailer string, pieces ...string) string {
	var b bytes.Buffer
	for _, p := range pieces {
		fmt.Fprintf(&b, "%x\r\n%s\r\n", len(p), p)
	}
	b.WriteString("0\r\n" + trailer + "\r\n")
	return b.String()
}
