package cache

import (
	"strings"
	"testing"
	"testing/iotest"

	"github.com/holysheep/relay/internal/answer"
	"github.com/holysheep/relay/internal/sse"
	"github.com/holysheep/relay/internal/wire"
)

// TestCheckerIsBounded has an event of many MB that nothing can be left out of.
func TestCheckerIsBounded(t *testing.T) {
	c := checked(t, wire.Chat, strings.NewReader("data: {"+strings.Repeat(`"a":1,`, 500_000)+"\"b\":2}\n\n"))
	if got := cap(c.long.text); got > 2*sse.Bound {
		t.Errorf("the checker holds %d bytes, want at most %d", got, 2*sse.Bound)
	}
}

// FuzzWhole cuts any stream anywhere. If what is before the cut is whole and the
// stream is too, then nothing stands behind the cut that a client would be
// told of. And how a stream comes, in which pieces, does not matter.
func FuzzWhole(f *testing.F) {
	for _, tt := range wholes() {
		if len(tt.text) < sse.Bound {
			f.Add(tt.text, uint16(len(tt.text)-1), uint8(tt.kind))
			f.Add(tt.text+":x\n\n"+data(done), uint16(len(tt.text)), uint8(tt.kind))
		}
	}
	f.Fuzz(func(t *testing.T, text string, at uint16, kind uint8) {
		k := wire.Kind(kind)
		whole := faultOf(t, k, text)
		if got := checked(t, k, iotest.OneByteReader(strings.NewReader(text))).fault(); got != whole {
			t.Errorf("byte by byte the fault of %q is %q, want %q", text, got, whole)
		}
		if int(at) > len(text) || whole != "" || faultOf(t, k, text[:at]) != "" {
			return
		}
		lines := strings.Split(strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(text[at:]), "\n")
		if before := text[:at]; !strings.HasSuffix(before, "\n") && !strings.HasSuffix(before, "\r") {
			lines = lines[1:] // the rest of a comment
		}
		for _, line := range lines {
			field, value, _ := strings.Cut(line, ":")
			if value = strings.TrimSpace(value); field == "data" && value != "" && value != done {
				t.Errorf("%q is whole, and so is what stands before %q", text, line)
			}
		}
	})
}

// FuzzOutline holds the outline of a text against the text: in whatever pieces
// it comes it is the same, and it is as the text where that is short.
func FuzzOutline(f *testing.F) {
	f.Add(chatSays, 7)
	f.Add(`{"a":"`+strings.Repeat("x", 56)+`\u00e9\"","b":[[[[[[1,"]"]]]]]]}`, 60)
	f.Fuzz(func(t *testing.T, text string, at int) {
		var one, two outline
		one.add([]byte(text))
		at = min(max(at, 0), len(text))
		two.add([]byte(text[:at]))
		two.add([]byte(text[at:]))
		if string(one.text) != string(two.text) {
			t.Errorf("the outline of %q is %q, and %q in two pieces", text, one.text, two.text)
		}
		if len(one.text) > len(text) {
			t.Errorf("the outline of %q is longer: %q", text, one.text)
		}
	})
}

// TestOutlines has what an outline leaves out.
func TestOutlines(t *testing.T) {
	x := strings.Repeat("x", outlineString)
	tests := []struct{ name, text, want string }{
		{"a short text", `{"a":[1,true,{"b":"c"}]}`, `{"a":[1,true,{"b":"c"}]}`},
		{"white space", " { \"a b\" : 1 } ", `{"a b":1}`},
		{"what is empty", `{"a":{},"b":[],"c":[[[[]]]]}`, `{"a":{},"b":[],"c":[[[[]]]]}`},
		{"what is deep", `[[[[["a",{}],[]]]]]`, `[[[[[0],[]]]]]`},
		{"brackets and quotation marks in strings", `{"a":"[\"{\\"}`, `{"a":"[\"{\\"}`},
		{"a long string", `{"` + x + `y":"` + x + `\"y"}`, `{"` + x + `":"` + x + `"}`},
		{"a string cut within an escape", `["` + x[:60] + `\ud83d\ude00","a"]`, `["` + x[:60] + `","a"]`},
	}
	for _, tt := range tests {
		var o outline
		o.add([]byte(tt.text))
		if got := string(o.text); got != tt.want {
			t.Errorf("%s: the outline is %q, want %q", tt.name, got, tt.want)
		}
	}
}

// BenchmarkChecker is the price of an event of a chat, beyond that of reading it.
func BenchmarkChecker(b *testing.B) {
	for name, e := range map[string]sse.Event{
		"chat":      {Data: []byte(chatSays)},
		"responses": {Name: "response.output_text.delta", Data: []byte(`{"type":"response.output_text.delta","sequence_number":7,"item_id":"msg_1","output_index":0,"content_index":0,"delta":" sheep","logprobs":[]}`)},
	} {
		b.Run(name, func(b *testing.B) {
			kind := wire.Chat
			if e.Name != "" {
				kind = wire.Responses
			}
			c := newChecker(wire.Route{Kind: kind}, answer.Stream)
			b.ReportAllocs()
			for b.Loop() {
				c.event(e)
			}
			if c.why != "" || !c.begun() {
				b.Fatal(c.why)
			}
		})
	}
}
