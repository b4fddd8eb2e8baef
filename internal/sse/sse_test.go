package sse

import (
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"
)

// A seen event is what a test wants to know of one.
type seen struct {
	Shape           Shape
	Raw, Name, Data string
}

// all reads events until the source ends.
func all(r *Reader) (events []seen, err error) {
	for {
		e, err := r.Next()
		if err != nil {
			return events, err
		}
		events = append(events, seen{e.Shape, string(e.Raw), e.Name, string(e.Data)})
	}
}

func TestEvents(t *testing.T) {
	tests := []struct {
		name, text string
		want       []seen
	}{
		{"nothing", "", nil},
		{"LF", "data: a\n\ndata: b\n\n", []seen{{Whole, "data: a\n\n", "", "a"}, {Whole, "data: b\n\n", "", "b"}}},
		{"CR LF", "data: a\r\n\r\ndata: b\r\n\r\n", []seen{{Whole, "data: a\r\n\r\n", "", "a"}, {Whole, "data: b\r\n\r\n", "", "b"}}},
		{"CR", "data: a\r\rdata: b\r\r", []seen{{Whole, "data: a\r\r", "", "a"}, {Whole, "data: b\r\r", "", "b"}}},
		{"all of them", "data: a\rdata: b\ndata: c\r\n\n", []seen{{Whole, "data: a\rdata: b\ndata: c\r\n\n", "", "a\nb\nc"}}},
		{"a name", "event: x\ndata: a\n\ndata: b\n\n", []seen{{Whole, "event: x\ndata: a\n\n", "x", "a"}, {Whole, "data: b\n\n", "", "b"}}},
		{"without spaces", "event:x\ndata:a\n\n", []seen{{Whole, "event:x\ndata:a\n\n", "x", "a"}}},
		{"one space of two", "data:  a\n\n", []seen{{Whole, "data:  a\n\n", "", " a"}}},
		{"no value", "event\ndata\n\n", []seen{{Whole, "event\ndata\n\n", "", ""}}},
		{"the latest name counts", "event: x\nevent: y\n\n", []seen{{Whole, "event: x\nevent: y\n\n", "y", ""}}},
		{"other fields", "id: 7\ndatum: b\nevents: c\ndata: a\nretry: 9\n\n", []seen{{Whole, "id: 7\ndatum: b\nevents: c\ndata: a\nretry: 9\n\n", "", "a"}}},
		{"a comment at once", ": ping\n\ndata: a\n\n", []seen{{Whole, ": ping\n", "", ""}, {Whole, "\n", "", ""}, {Whole, "data: a\n\n", "", "a"}}},
		{"a comment within", "data: a\n: ping\ndata: b\n\n", []seen{{Whole, "data: a\n: ping\ndata: b\n\n", "", "a\nb"}}},
		{"a byte order mark", "\ufeffdata: a\n\n\ufeffdata: b\n\n", []seen{{Whole, "\ufeffdata: a\n\n", "", "a"}, {Whole, "\ufeffdata: b\n\n", "", ""}}},
		{"a byte order mark and several lines", "\ufeffdata: a\ndata: b\n\n", []seen{{Whole, "\ufeffdata: a\ndata: b\n\n", "", "a\nb"}}},
		{"a byte order mark and no more", "\ufeffdata: a", []seen{{Rest, "\ufeffdata: a", "", "a"}}},
		{"no blank line at the end", "data: a\n\nevent: x\ndata: [DONE]", []seen{{Whole, "data: a\n\n", "", "a"}, {Rest, "event: x\ndata: [DONE]", "x", "[DONE]"}}},
		{"one line feed at the end", "data: a\n", []seen{{Rest, "data: a\n", "", "a"}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			for name, src := range map[string]io.Reader{
				"at once": strings.NewReader(tt.text), "with its end": iotest.DataErrReader(strings.NewReader(tt.text)),
			} {
				got, err := all(NewReader(src))
				if diff := cmp.Diff(tt.want, got); diff != "" || !errors.Is(err, io.EOF) {
					t.Errorf("%s: %v, events (-want +got):\n%s", name, err, diff)
				}
			}
		})
	}
}

func TestAnEventIsNotDelayedByItsLineEnds(t *testing.T) {
	for _, end := range []string{"\n\n", "\r\n\r\n", "\r\r", "\n\r\n", "\r\n\r"} {
		in, out := io.Pipe()
		r := NewReader(in)
		go func() {
			_, _ = io.WriteString(out, "data: a"+end)
			_, _ = io.WriteString(out, "data: b"+end)
			_ = out.CloseWithError(errors.New("broken"))
		}()
		for _, want := range []string{"a", "b"} {
			// The next piece is written when this one has been read.
			if e, err := r.Next(); string(e.Data) != want || string(e.Raw) != "data: "+want+end || err != nil {
				t.Errorf("%q: event %q, %v, want %q", end, e.Raw, err, want)
			}
		}
	}
}

func TestALineFeedThatComesLaterIsATail(t *testing.T) {
	r := NewReader(iotest.OneByteReader(strings.NewReader(": c\r\ndata: a\r\n\r\ndata: b\r\n\r\n")))
	got, err := all(r)
	want := []seen{
		{Whole, ": c\r", "", ""},
		{Tail, "\n", "", ""},
		{Whole, "data: a\r\n\r", "", "a"},
		{Tail, "\n", "", ""},
		{Whole, "data: b\r\n\r", "", "b"},
		{Tail, "\n", "", ""},
	}
	if diff := cmp.Diff(want, got); diff != "" || !errors.Is(err, io.EOF) {
		t.Errorf("%v, events (-want +got):\n%s", err, diff)
	}
}

func TestHalfAnEventOfABrokenSourceStays(t *testing.T) {
	broken := errors.New("broken")
	r := NewReader(io.MultiReader(strings.NewReader("data: a\n\ndata: {\"b\":"), iotest.ErrReader(broken)))
	got, err := all(r)
	if diff := cmp.Diff([]seen{{Whole, "data: a\n\n", "", "a"}}, got); diff != "" || !errors.Is(err, broken) {
		t.Errorf("%v, events (-want +got):\n%s", err, diff)
	}
}

func TestReadyTellsWhetherNextWouldRead(t *testing.T) {
	in, out := io.Pipe()
	defer func() { _ = in.Close() }()
	r := NewReader(in)
	go func() { _, _ = io.WriteString(out, "data: a\n\ndata: b\n\ndata: c") }()
	if r.Ready() {
		t.Error("ready before anything was read")
	}
	for _, want := range []bool{true, false} {
		e, err := r.Next()
		raw := string(e.Raw)
		if got := r.Ready(); got != want || err != nil {
			t.Errorf("after %q, %v: ready %t, want %t", raw, err, got, want)
		}
		if string(e.Raw) != raw {
			t.Errorf("Ready changed the event to %q", e.Raw)
		}
	}
}

func TestALongEventComesInParts(t *testing.T) {
	long := strings.Repeat("x", 3*Bound)
	text := "data: a\n\nevent: big\ndata: " + long + "\n\ndata: b\n\n"
	r := NewReader(strings.NewReader(text))
	var raw, data strings.Builder
	var shapes []Shape
	for {
		e, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		raw.Write(e.Raw)
		if shapes = append(shapes, e.Shape); e.Shape != Whole {
			data.Write(e.Data)
			if e.Name != "big" {
				t.Errorf("a part's name = %q, want %q", e.Name, "big")
			}
		}
	}
	if diff := cmp.Diff([]Shape{Whole, Piece, Piece, Piece, Last, Whole}, shapes); diff != "" {
		t.Errorf("shapes (-want +got):\n%s", diff)
	}
	if raw.String() != text || data.String() != long {
		t.Errorf("%d bytes with %d of data, want %d and %d", raw.Len(), data.Len(), len(text), len(long))
	}
	if len(r.buf) != Bound {
		t.Errorf("the buffer has %d bytes, want %d", len(r.buf), Bound)
	}
}

func TestASourceThatReadsNothingEnds(t *testing.T) {
	if _, err := NewReader(nothing{}).Next(); !errors.Is(err, io.ErrNoProgress) {
		t.Errorf("err = %v, want %v", err, io.ErrNoProgress)
	}
}

type nothing struct{}

func (nothing) Read([]byte) (int, error) { return 0, nil }

func TestWhatIsBehindALongEventHasItsOwnName(t *testing.T) {
	text := "event: x\ndata: " + strings.Repeat("x", Bound) + "\n\n\ndata: a\n\n"
	got, err := all(NewReader(strings.NewReader(text)))
	if last := got[len(got)-1]; last.Name != "" || last.Data != "a" || !errors.Is(err, io.EOF) {
		t.Errorf("last event %+v, %v, want one without a name", last, err)
	}
}
