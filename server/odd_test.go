package server

import (
	"bufio"
	"io"
	"net/http"
	"net/textproto"
	"strconv"
	"testing"
)

func itoa(n int) string { return strconv.Itoa(n) }

func TestTrailersPassBothWays(t *testing.T) {
	up := newRaw(t, "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n"+
		chunked("X-Sum: out\r\n", "hel", "lo"))
	r := start(t, whole+"\nupstreams: {raw: {base_url: "+up.URL+"}}\n")
	_, in := r.dial(t, head("POST /v1/files", "Transfer-Encoding: chunked", "Trailer: X-Sum")+chunked("X-Sum: in\r\n", "abc"))
	got := <-up.requests
	if string(got.Body) != "abc" || got.Trailer.Get("X-Sum") != "in" {
		t.Errorf("upstream: body %q, trailer %q, want abc and in", got.Body, got.Trailer)
	}
	res, err := http.ReadResponse(in, nil)
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(res.Body)
	if string(body) != "hello" || err != nil || res.Trailer.Get("X-Sum") != "out" {
		t.Errorf("client: body %q, trailer %q, %v, want hello and out", body, res.Trailer, err)
	}
}

func TestInformationalAnswersPassBeforeTheFinalOne(t *testing.T) {
	for _, status := range []int{200, 404} {
		t.Run(strconv.Itoa(status), func(t *testing.T) {
			up := newRaw(t, "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 102 Processing\r\n\r\n"+
				"HTTP/1.1 "+strconv.Itoa(status)+" X\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}")
			r := start(t, whole+"\nupstreams: {raw: {base_url: "+up.URL+"}}\ncors: {origins: [\"https://page\"]}\n")
			_, in := r.dial(t, head("POST /v1/files", "Content-Length: 0", "X-Request-Id: mine", "Origin: https://page"))
			for _, want := range []struct {
				status int
				link   string
			}{{103, "</a>"}, {102, ""}} {
				if got, header := informational(t, in); got != want.status || header.Get("Link") != want.link || header.Get("X-Request-Id") != "" {
					t.Errorf("got %d %q, want %d with Link %q alone", got, header, want.status, want.link)
				}
			}
			res, err := http.ReadResponse(in, nil)
			if err != nil {
				t.Fatal(err)
			}
			body, _ := io.ReadAll(res.Body)
			if res.StatusCode != status || string(body) != "{}" || res.Header.Get("X-Request-Id") != "mine" || res.Header.Get("Link") != "" {
				t.Errorf("got %d %q %q, want %d with the request's id", res.StatusCode, body, res.Header, status)
			}
			if got := res.Header.Get("Access-Control-Allow-Origin"); got != "https://page" {
				t.Errorf("Access-Control-Allow-Origin = %q, lost with the informational answer", got)
			}
		})
	}
}

// informational reads one 1xx answer.
func informational(t *testing.T, in *bufio.Reader) (int, http.Header) {
	t.Helper()
	tp := textproto.NewReader(in)
	line, err := tp.ReadLine()
	if err != nil || len(line) < 12 {
		t.Fatalf("line %q, %v", line, err)
	}
	status, _ := strconv.Atoi(line[9:12])
	header, err := tp.ReadMIMEHeader()
	if err != nil {
		t.Fatal(err)
	}
	return status, http.Header(header)
}

func TestInformationalAnswersOfAnAbandonedAttemptAreDropped(t *testing.T) {
	bad := newRaw(t, "HTTP/1.1 103 Early Hints\r\nLink: </bad>\r\n\r\nHTTP/1.1 503 X\r\nContent-Length: 0\r\n\r\n")
	good := newRaw(t, "HTTP/1.1 103 Early Hints\r\nLink: </good>\r\n\r\n"+ok(`{}`))
	r := start(t, whole+"\nupstreams: {a: {base_url: "+bad.URL+"}, b: {base_url: "+good.URL+", priority: 1}}\n")
	_, in := r.dial(t, head("POST /v1/files", "Content-Length: 0"))
	if status, header := informational(t, in); status != 103 || header.Get("Link") != "</good>" {
		t.Errorf("got %d %q, want 103 of the attempt that answered", status, header)
	}
	if res, err := http.ReadResponse(in, nil); err != nil || res.StatusCode != 200 || res.Header.Get("X-Relay-Attempts") != "2" {
		t.Errorf("got %v, %v, want 200 after two attempts", res, err)
	}
}

func TestAnAnswerThatIsNoneHoldsNoSlot(t *testing.T) {
	answers := map[string]string{
		"a change of protocol that nobody asked for": "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: foo\r\nContent-Length: 0\r\n\r\n",
		"a change of protocol to nothing":            "HTTP/1.1 101 Switching Protocols\r\nContent-Length: 0\r\n\r\n",
		"a status that there is not":                 "HTTP/1.1 099 X\r\nContent-Length: 100\r\n\r\nhalf",
	}
	for name, answer := range answers {
		t.Run(name, func(t *testing.T) {
			up := newRaw(t, answer)
			r := start(t, "chain: [limit]\nplugins: {limit: {max_in_flight: 1}}\nupstreams: {raw: {base_url: "+up.URL+"}}\n")
			for _, headers := range [][]string{{"Content-Length: 0"}, {"Content-Length: 0", "Connection: Upgrade", "Upgrade: websocket"}} {
				_, in := r.dial(t, head("POST /v1/files", headers...))
				res, err := http.ReadResponse(in, nil)
				if err != nil {
					t.Fatal(err)
				}
				if res.StatusCode != http.StatusBadGateway {
					t.Errorf("%q: got %s, want 502: a slot is held or an answer made up", headers, res.Status)
				}
				_ = res.Body.Close()
			}
		})
	}
}
