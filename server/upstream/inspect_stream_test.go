package upstream

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/holysheep/relay/plugins"
)

func TestAStreamPassesByteForByte(t *testing.T) {
	for _, path := range []string{chatPath, "/v1/completions", "/v1/responses"} {
		ask := chatAsk
		switch path {
		case "/v1/completions":
			ask = `{"model":"m","stream":true,"prompt":"hello big world"}`
		case "/v1/responses":
			ask = `{"model":"m","stream":true,"input":"hello big world"}`
		}
		for _, newline := range []string{"lf", "crlf", "cr"} {
			for _, packets := range []string{"events=1", "events=3", "bytes=1", "bytes=7", "bytes=100000"} {
				t.Run(path+" "+newline+" "+packets, func(t *testing.T) {
					h := shaped("X-Demo-Newline: "+newline, "X-Demo-Packets: "+packets, "X-Demo-Comment: wait")
					x := newTrial(t, still(), path, ask, func(s *Settings) { s.IncludeUsage = false })
					for name := range h {
						x.req.Header[name] = h[name]
					}
					res, err := x.do()
					got, err := readAll(t, res, err)
					if want := direct(t, path, ask, h); got != want || err != nil {
						t.Errorf("%v, got\n%q, want\n%q", err, got, want)
					}
				})
			}
		}
	}
}

// TestNoEventWaitsForALaterOne asks for events of which none comes after the
// n-th, and gets all n.
func TestNoEventWaitsForALaterOne(t *testing.T) {
	for _, newline := range []string{"lf", "crlf", "cr"} {
		for _, packets := range []string{"events=1", "bytes=3", "bytes=100000"} {
			for n := 2; n <= 6; n++ {
				t.Run(fmt.Sprint(newline, " ", packets, " ", n), func(t *testing.T) {
					shape := []string{"X-Demo-Newline: " + newline, "X-Demo-Packets: " + packets}
					want := direct(t, chatPath, chatAsk, shaped(append(shape, fmt.Sprint("X-Demo-Break: events=", n))...))
					x := newTrial(t, still(), chatPath, chatAsk, nil)
					maps.Copy(x.req.Header, shaped(append(shape, fmt.Sprint("X-Demo-Stall: events=", n))...))
					ctx, leave := context.WithCancel(x.req.Context())
					defer leave()
					x.req = x.req.WithContext(ctx)
					res, err := x.do()
					if err != nil {
						t.Fatal(err)
					}
					defer func() { _ = res.Body.Close() }()
					got := make([]byte, len(want))
					if _, err := io.ReadFull(res.Body, got); string(got) != want || err != nil {
						t.Errorf("%v, got %q, want %q", err, got, want)
					}
				})
			}
		}
	}
}

func TestAllThatHasComeIsReadAtOnce(t *testing.T) {
	text := strings.Repeat("data: {\"choices\":[{\"delta\":{\"content\":\"a\"}}]}\n\n", 20)
	x := newTrialAt(t, "http://one/v1", chatPath, chatAsk, nil).answers(io.NopCloser(strings.NewReader(text)))
	res, err := x.do()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	got := make([]byte, 32<<10)
	if n, err := res.Body.Read(got); string(got[:n]) != text || err != nil {
		t.Errorf("read %d bytes at once, %v, want %d", n, err, len(text))
	}
}

func TestAShortReadLosesNothing(t *testing.T) {
	want := direct(t, chatPath, chatAsk, http.Header{})
	x := newTrial(t, still(), chatPath, chatAsk, nil)
	res, err := x.do()
	if err != nil {
		t.Fatal(err)
	}
	res.Body = struct {
		io.Reader
		io.Closer
	}{iotest.OneByteReader(res.Body), res.Body}
	if got, err := readAll(t, res, nil); got != want || err != nil {
		t.Errorf("%v, got %q, want %q", err, got, want)
	}
}

func TestAStreamThatBreaksOffEndsBehindAnEvent(t *testing.T) {
	const whole = "data: {\"choices\":[{\"delta\":{\"content\":\"a\"}}]}\n\n"
	broken := errors.New("broken")
	src := io.NopCloser(io.MultiReader(strings.NewReader(whole+whole+"data: {\"choi"), iotest.ErrReader(broken)))
	x := newTrialAt(t, "http://one/v1", chatPath, chatAsk, nil).answers(src)
	res, err := x.do()
	if got, err := readAll(t, res, err); got != whole+whole || !errors.Is(err, broken) {
		t.Errorf("got %q, %v, want the whole events and %v", got, err, broken)
	}
	if u := x.attempt.Usage(); u.Source != plugins.UsagePartial || u.Output != 2 {
		t.Errorf("usage = %+v, want 2 of a part", u)
	}
}

func TestALongEventPassesInParts(t *testing.T) {
	want := "event: response.completed\ndata: {\"type\":\"response.completed\",\"response\":{\"instructions\":\"" + strings.Repeat("wool ", 50_000) +
		"\",\"model\":\"m\",\"usage\":{\"input_tokens\":9,\"output_tokens\":7}}}\n\n"
	x := newTrialAt(t, "http://one/v1", "/v1/responses", `{}`, nil).answers(io.NopCloser(strings.NewReader(want)))
	res, err := x.do()
	if got, err := readAll(t, res, err); got != want || err != nil {
		t.Errorf("%d bytes, %v, want %d", len(got), err, len(want))
	}
	if u := x.attempt.Usage(); u.Source != plugins.UsageReported || u.Input != 9 || u.Output != 7 {
		t.Errorf("usage = %+v, want 9 and 7 as reported", u)
	}
}

func TestAStreamCanBeClosedWhileItIsRead(t *testing.T) {
	in, out := io.Pipe()
	x := newTrialAt(t, "http://one/v1", chatPath, chatAsk, func(s *Settings) { s.Peek = 0 }).answers(in)
	res, err := x.do()
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		_, _ = io.WriteString(out, "data: {\"choices\":[{\"delta\":{\"content\":\"a\"}}]}\n\n")
		_ = res.Body.Close()
	}()
	if _, err := io.ReadAll(res.Body); err == nil {
		t.Error("a closed stream was read to its end")
	}
	_ = res.Body.Close()
	if n, err := res.Body.Read(make([]byte, 9)); n > 0 || err == nil || err == io.EOF {
		t.Errorf("read %d, %v after closing", n, err)
	}
	if u := x.attempt.Usage(); u.Source != plugins.UsagePartial {
		t.Errorf("usage = %+v, want that of a part", u)
	}
}
