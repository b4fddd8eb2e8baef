package sse

import (
	"io"
	"math/rand/v2"
	"strings"
	"testing"
)

// splits is a source that gives its text in pieces of any length.
type splits struct {
	text string
	rand *rand.Rand
}

func (s *splits) Read(b []byte) (int, error) {
	if s.text == "" {
		return 0, io.EOF
	}
	n := copy(b, s.text[:min(1+s.rand.IntN(12), len(s.text))])
	s.text = s.text[n:]
	return n, nil
}

// reference reads a stream as the standard has it (WHATWG HTML, 9.2.6), but for
// an event at its end that no blank line ends, which it does not drop.
func reference(text string) (events []seen) {
	text = strings.TrimPrefix(text, "\ufeff")
	text = strings.ReplaceAll(strings.ReplaceAll(text, "\r\n", "\n"), "\r", "\n")
	var e seen
	var data []string
	for line := range strings.SplitSeq(text+"\n\n", "\n") {
		field, value, _ := strings.Cut(line, ":")
		value = strings.TrimPrefix(value, " ")
		switch {
		case line == "" && data != nil:
			e.Data = strings.Join(data, "\n")
			events = append(events, e)
			fallthrough
		case line == "":
			e, data = seen{}, nil
		case field == "event":
			e.Name = value
		case field == "data":
			data = append(data, value)
		}
	}
	return events
}

func seeds(f *testing.F) {
	f.Helper()
	for _, text := range []string{
		"event: x\ndata: {\"a\":1}\n\ndata: [DONE]\n\n", "data: a\r\n\r\n: c\r\n\r\ndata: b\r\r", "data:a\ndata\ndata: b",
		"\ufeffdata: a\n\n", "event: long\ndata: 0123456789012345678901234567890123456789\ndata: 0123456789\n\n", "\r\n\n\r", ":\r\n",
	} {
		f.Add(text, uint64(1))
	}
}

// FuzzReader holds events, in whatever pieces they come, against those that a
// simple reader finds in the whole text, and their bytes against the text.
func FuzzReader(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, text string, seed uint64) {
		if len(text) >= Bound {
			return
		}
		r := NewReader(&splits{text, rand.New(rand.NewPCG(seed, 0))})
		var raw strings.Builder
		want := reference(text)
		for {
			e, err := r.Next()
			if err != nil {
				break
			}
			raw.Write(e.Raw)
			if e.At >= 0 && string(e.Raw[e.At:e.At+len(e.Data)]) != string(e.Data) {
				t.Fatalf("data %q is not at %d of %q", e.Data, e.At, e.Raw)
			}
			if e.Data == nil {
				continue
			}
			if len(want) == 0 || e.Name != want[0].Name || string(e.Data) != want[0].Data {
				t.Fatalf("event %q %q of %q, want %+v", e.Name, e.Data, text, want)
			}
			want = want[1:]
		}
		if len(want) > 0 || raw.String() != text {
			t.Errorf("read %q of %q, want %+v too", raw.String(), text, want)
		}
	})
}

// FuzzParts reads with so small a bound that most events come in parts: then no
// more is sure than the bytes, and the data without its line feeds.
func FuzzParts(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, text string, seed uint64) {
		r := NewReader(&splits{text, rand.New(rand.NewPCG(seed, 0))})
		r.buf, r.bound = make([]byte, 8), 16
		var raw, got, want strings.Builder
		for {
			e, err := r.Next()
			if err != nil {
				break
			}
			raw.Write(e.Raw)
			got.Write(e.Data)
		}
		for _, e := range reference(text) {
			want.WriteString(e.Data)
		}
		plain := strings.NewReplacer("\n", "").Replace
		if raw.String() != text || plain(got.String()) != plain(want.String()) {
			t.Errorf("read %q with the data %q, want %q with %q", raw.String(), got.String(), text, want.String())
		}
	})
}
