package server

import (
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/holysheep/relay/internal/demo"
)

// A row is a stream in the pieces in which the upstream sends it.
type row struct {
	name, kind string // kind is the Content-Type
	pieces     []string
}

// steps is an upstream that sends the stream whose number X-Row tells, piece by
// piece: the next one only when it is told to.
type steps struct {
	rows []row
	next chan struct{}
}

// ServeHTTP implements [http.Handler].
func (s *steps) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	n, _ := strconv.Atoi(r.Header.Get("X-Row"))
	w.Header().Set("Content-Type", s.rows[n].kind)
	for _, piece := range s.rows[n].pieces {
		select {
		case <-s.next:
		case <-r.Context().Done():
			return
		}
		_, _ = w.Write([]byte(piece))
		_ = http.NewResponseController(w).Flush()
	}
}

// rows are streams that a relay which looks for events would delay or change.
func rows() []row {
	return []row{
		{"an event at a time", "text/event-stream", []string{"data: 1\n\n", "data: 2\n\n", "data: [DONE]\n\n"}},
		{"with a charset", "text/event-stream; charset=utf-8", []string{"data: 1\n\n", "data: [DONE]\n\n"}},
		{"events cut at odd bytes", "text/event-stream", []string{"da", "ta: {\"a\":\"\xe7", "\xbe", "\x8a\"}\n", "\nd", "ata: [DONE]\n\n"}},
		{"lines that end in CRLF, cut within", "text/event-stream", []string{"event: x\r\ndata: 1\r", "\n\r", "\ndata: 2\r\n\r\n"}},
		{"lines that end in CR", "text/event-stream", []string{"data: 1\r\r", "data: 2\r\r"}},
		{"comments, retry and ids", "text/event-stream", []string{": hello\n\n", ":\n", "retry: 10\nid: 7\n\n", "data: 1\n\n", ": on\n\n", "data\n\n"}},
		{"several events in one packet", "text/event-stream", []string{"data: 1\n\ndata: 2\n\ndata: 3", "\n\ndata: 4\n\ndata: [DONE]\n\n"}},
		{"a byte order mark and bytes that are no text", "text/event-stream", []string{"\xef\xbb\xbfdata: 1\n\n", "data: \xff\x00\n\n"}},
		{"an event without an end", "text/event-stream", []string{"data: 1\n\n", "data: half"}},
		{"a packet above every buffer", "text/event-stream", []string{"data: " + strings.Repeat("x", 200_000) + "\n\n", "data: 2\n\n"}},
		{"lines of JSON", "application/x-ndjson", []string{"{\"a\":1}\n", "{\"a\":2}\n"}},
		{"sound", "audio/mpeg", []string{"\xff\xfb\x90", "\x00"}},
	}
}

func TestEachPieceOfAStreamPassesBeforeTheNextIsSent(t *testing.T) {
	for _, protocol := range protocols() {
		t.Run(protocol, func(t *testing.T) {
			tidy(t)
			up := &steps{rows: rows(), next: make(chan struct{})}
			served := httptest.NewServer(up)
			t.Cleanup(served.Close)
			r := start(t, whole+"upstreams: {steps: {base_url: \""+served.URL+"/v1\"}}\n")
			rt := speaks(t, protocol)
			for n, tt := range up.rows {
				t.Run(tt.name, func(t *testing.T) {
					c := r.call(t, rt, "/v1/chat/completions", strings.NewReader(stream), http.Header{"X-Row": {itoa(n)}})
					up.follow(t, c, tt)
				})
			}
		})
	}
}

// follow has the upstream send one piece after the other, each when the client
// has every event of those before: none waits for a later one.
func (s *steps) follow(t *testing.T, c *caller, want row) {
	t.Helper()
	sent, got := "", 0
	for i, piece := range want.pieces {
		select {
		case s.next <- struct{}{}:
		case <-c.ctx.Done():
			t.Fatalf("the upstream does not get to piece %d", i)
		}
		sent += piece
		due := want.due(sent)
		if due == got {
			continue
		}
		if came := string(c.read(t, due-got)); came != sent[got:due] {
			t.Fatalf("with piece %d came %q, want %q", i, came, sent[got:due])
		}
		got = due
	}
	if rest, err := c.rest(); string(rest) != sent[got:] || err != nil {
		t.Errorf("after the last piece: %q, %v, want %q and the end", rest, err, sent[got:])
	}
	if kind := c.res.Header.Get("Content-Type"); kind != want.kind {
		t.Errorf("Content-Type = %q, want %q", kind, want.kind)
	}
}

// due returns how many bytes of what was sent the client has to have: whole
// events, from the first on that says something. What is no stream of events
// passes as it comes.
func (r row) due(sent string) int {
	if !strings.HasPrefix(r.kind, "text/event-stream") {
		return len(sent)
	}
	end, said, empty := 0, false, true
	for i := 0; i < len(sent); i++ {
		said = said || strings.HasPrefix(sent[i:], "data: ")
		if c := sent[i]; c != '\r' && c != '\n' {
			empty = false
			continue
		}
		if i+1 < len(sent) && sent[i:i+2] == "\r\n" {
			i++
		}
		if empty && said {
			end = i + 1
		}
		empty = true
	}
	return end
}

func TestAStreamCutAnywhereIsTheSame(t *testing.T) {
	plan := http.Header{"X-Demo-Newline": {"crlf"}, "X-Demo-Comment": {"羊"}, "X-Demo-Tokens": {"40"}}
	clock := demo.Options{Now: func() time.Time { return time.Unix(1, 0) }}
	answers := map[string]string{}
	for _, packets := range []string{"events=1", "events=5", "bytes=1", "bytes=7", "bytes=1000", "at=1,2,3,60,61,200"} {
		r := &running{Demo: demo.New(clock), Log: &logs{}}
		up := httptest.NewServer(r.Demo)
		t.Cleanup(up.Close)
		r.start(t, whole+"upstreams: {demo: {base_url: UPSTREAM, include_usage: false}}\n", up.URL+"/v1")
		header := plan.Clone()
		header.Set("X-Demo-Packets", packets)
		got, err := r.call(t, speaks(t, "HTTP/1.1"), "/v1/chat/completions", strings.NewReader(stream), header).rest()
		if err != nil {
			t.Fatalf("%s: %v", packets, err)
		}
		answers[packets] = string(got)
		if rec := r.await(t, ended); rec.BytesOut != int64(len(got)) {
			t.Errorf("%s: %d bytes came, want the %d that the upstream sent", packets, len(got), rec.BytesOut)
		}
	}
	for packets, got := range answers {
		if got != answers["events=1"] || strings.Count(got, "\r\n\r\n") < 80 {
			t.Errorf("%s: %q, want the bytes of other packets", packets, got)
		}
	}
}
