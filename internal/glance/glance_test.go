package glance

import (
	"bytes"
	"encoding/json"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// scan scans the text in pieces of at most so many bytes.
func scan(s *Scanner, text string, most int) {
	for from := 0; from < len(text); from += most {
		s.Scan([]byte(text[from:min(from+most, len(text))]))
	}
}

// found returns the values that s has found, by name.
func found(s *Scanner) map[string]string {
	m := map[string]string{}
	for i, name := range s.names {
		if v := s.Value(i); v != nil {
			m[name] = string(v)
		}
	}
	return m
}

func TestScan(t *testing.T) {
	tests := []struct {
		name, text string
		want       map[string]string
	}{
		{"values of every kind", `{"model":"a","usage":{"x":[1,{"model":2}]},"n":1}`, map[string]string{"model": `"a"`, "usage": `{"x":[1,{"model":2}]}`}},
		{"white space", " {\n\t\"model\" : 12 \r\n, \"usage\" : [ ] } ", map[string]string{"model": `12`, "usage": `[ ]`}},
		{"not further in", `{"a":{"model":1},"b":[{"model":2}]}`, map[string]string{}},
		{"into a member", `{"type":"x","response":{"model":"m","a":{"model":1},"usage":{"n":1}},"usage":2}`, map[string]string{"model": `"m"`, "usage": `2`}},
		{"not into one of a member", `{"response":{"response":{"model":1}}}`, map[string]string{}},
		{"not into an array", `{"response":[{"model":1}],"model":2}`, map[string]string{"model": `2`}},
		{"the last of several", `{"model":1,"model":2}`, map[string]string{"model": `2`}},
		{"quotation marks in strings", `{"a\"model":1,"b":"\",\"model\":\"\\","model":"\"\\\\"}`, map[string]string{"model": `"\"\\\\"`}},
		{"an escaped name", `{"\u006dode\u006c":1}`, map[string]string{"model": `1`}},
		{"a name that begins like one", `{"modelling":1,"mode":2,"":3,"` + strings.Repeat("m", 99) + `":4}`, map[string]string{}},
		{"every object of an array", "[{\"model\":1}\n,{\"usage\":2,\"model\":3}]", map[string]string{"model": `3`, "usage": `2`}},
		{"a value that is too long", `{"model":"` + strings.Repeat("m", Most) + `","usage":1}`, map[string]string{"usage": `1`}},
		{"one that did not end", `{"model":1`, map[string]string{}},
		{"what comes behind", `{"model":1} {"model":2}`, map[string]string{"model": `1`}},
		{"no object", `"model"`, map[string]string{}},
		{"a string in an array", `["model",{"model":2}]`, map[string]string{}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := New([]string{"model", "usage"}, "response")
			for _, most := range []int{len(tt.text), 7, 1} {
				scan(s, tt.text, most)
				if diff := cmp.Diff(tt.want, found(s)); diff != "" {
					t.Errorf("in pieces of %d (-want +got):\n%s", most, diff)
				}
				s.Reset()
			}
		})
	}
}

func TestAPieceNeedsNoMemory(t *testing.T) {
	text := embeddings(64)
	s := New([]string{"model", "usage"})
	scan(s, string(text), 100)
	pieces := make([][]byte, 0, len(text)/100+1)
	for piece := range slices.Chunk(text, 100) {
		pieces = append(pieces, piece)
	}
	if got := testing.AllocsPerRun(10, func() {
		s.Reset()
		for _, piece := range pieces {
			s.Scan(piece)
		}
	}); got != 0 {
		t.Errorf("%v allocations, want none", got)
	}
}

// FuzzScan holds what is found, in pieces of any length, against encoding/json.
func FuzzScan(f *testing.F) {
	for _, text := range []string{
		`{"model":"a\"\\","usage":{"n":[1,2.5,"x"]},"response":{"model":1}}`, `[{"model":1},{"usage":[]}]`,
		`{"\u006dodel":"\\","a":[[{"model":1}]],"model":true}`, ` { "response" : { } , "usage" : -1e9 }`, `{"response":{"a":{"usage":1}}}`,
	} {
		f.Add([]byte(text), uint64(1))
	}
	f.Fuzz(func(t *testing.T, text []byte, seed uint64) {
		r := rand.New(rand.NewPCG(seed, 0))
		s := New([]string{"model", "usage"}, "response")
		for rest := text; len(rest) > 0; {
			n := 1 + r.IntN(min(len(rest), 20))
			s.Scan(rest[:n])
			rest = rest[n:]
		}
		if !json.Valid(text) || bytes.Count(text, []byte("esponse")) > 1 { // it goes into the outer one only
			return
		}
		want := map[string]string{}
		expect(want, text)
		if diff := cmp.Diff(want, found(s)); diff != "" {
			t.Errorf("of %q (-want +got):\n%s", text, diff)
		}
	})
}

// expect adds the members of text to want, in its order.
func expect(want map[string]string, text []byte) {
	var all []json.RawMessage
	if json.Unmarshal(text, &all) == nil {
		for _, one := range all {
			if one[0] != '{' {
				return
			}
			expect(want, one)
		}
		return
	}
	d := json.NewDecoder(bytes.NewReader(text))
	if open, err := d.Token(); err != nil || open != json.Delim('{') {
		return
	}
	for d.More() {
		name, _ := d.Token()
		var value json.RawMessage
		_ = d.Decode(&value)
		switch {
		case name == "model" || name == "usage":
			want[name.(string)] = string(value)
		case name == "response" && value[0] == '{':
			expect(want, value)
		}
	}
}

// embeddings returns an answer with a vector of n numbers.
func embeddings(n int) []byte {
	vector := strings.Repeat("-0.012345678,", n)
	return []byte(`{"object":"list","data":[{"object":"embedding","index":0,"embedding":[` + vector[:len(vector)-1] +
		`]}],"model":"text-embedding-3-small","usage":{"prompt_tokens":8,"total_tokens":8}}`)
}

func BenchmarkScan(b *testing.B) {
	chat := []byte(`{"choices":[{"message":{"content":"` + strings.Repeat(`Tell me more of the sheep, and of its \"wool\".\n`, 320) + `"}}],"usage":{"prompt_tokens":8}}`)
	for name, text := range map[string][]byte{"embeddings": embeddings(1250), "chat": chat} {
		b.Run(name, func(b *testing.B) {
			s := New([]string{"model", "usage"})
			b.SetBytes(int64(len(text)))
			b.ReportAllocs()
			for b.Loop() {
				s.Reset()
				s.Scan(text)
			}
		})
	}
}
