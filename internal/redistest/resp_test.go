package redistest

import (
	"slices"
	"testing"
)

func TestValuesAreCounted(t *testing.T) {
	tests := []struct {
		name, bytes string
		want        []string // the first texts of the values
	}{
		{"a command", "*2\r\n$3\r\nGET\r\n$1\r\nk\r\n", []string{"GET"}},
		{"two commands", "*1\r\n$4\r\nPING\r\n*2\r\n$3\r\nGET\r\n$1\r\nk\r\n", []string{"PING", "GET"}},
		{"a text with line ends", "$4\r\na\r\nb\r\n:1\r\n", []string{"a\r\nb", ""}},
		{"an empty text", "*2\r\n$3\r\nGET\r\n$0\r\n\r\n", []string{"GET"}},
		{"none", "$-1\r\n*-1\r\n_\r\n", []string{"", "", ""}},
		{"lists in lists", "*2\r\n*2\r\n:1\r\n:2\r\n*0\r\n+OK\r\n", []string{"", ""}},
		{"a map", "%2\r\n+a\r\n:1\r\n+b\r\n*1\r\n:2\r\n#t\r\n", []string{"", ""}},
		{"an attribute before its value", "|1\r\n+ttl\r\n:3\r\n$1\r\nv\r\n", []string{"v"}},
		{"a push is no reply", ">2\r\n+message\r\n+x\r\n-ERR no\r\n", []string{""}},
		{"something else", "\x16\x03\x01\x00\n$1\r\na\r\n", nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			for size := 1; size <= len(tt.bytes); size++ {
				var got []string
				r := &reader{whole: func(first string) { got = append(got, first) }}
				for piece := range slices.Chunk([]byte(tt.bytes), size) {
					r.pass(piece)
				}
				if !slices.Equal(got, tt.want) {
					t.Fatalf("in pieces of %d: got %q, want %q", size, got, tt.want)
				}
			}
		})
	}
}
