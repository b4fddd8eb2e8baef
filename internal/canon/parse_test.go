package canon

import (
	"bytes"
	"errors"
	"strconv"
	"strings"
	"testing"
)

// form returns the canonical form of text, or fails the test.
func form(t testing.TB, text string) string {
	t.Helper()
	d, err := Parse([]byte(text))
	if err != nil {
		t.Fatalf("Parse(%q): %v", text, err)
	}
	var b bytes.Buffer
	n, err := d.WriteTo(&b)
	if err != nil || n != int64(b.Len()) {
		t.Fatalf("WriteTo of %q = %d, %v, want %d, nil", text, n, err, b.Len())
	}
	return b.String()
}

func TestEqual(t *testing.T) {
	tests := []struct{ name, a, b string }{
		{"order of members", `{"a":1,"b":2}`, `{"b":2,"a":1}`},
		{"order inside of what is in order", `{"a":{"y":1,"x":2},"b":[{"q":1,"p":{"n":1,"m":2}}]}`, `{"a":{"x":2,"y":1},"b":[{"p":{"m":2,"n":1},"q":1}]}`},
		{"order inside of what is out of order", `{"b":[{"z":0,"y":[{"k":1,"j":2}]}],"a":{"d":{},"c":[]}}`, `{"a":{"c":[],"d":{}},"b":[{"y":[{"j":2,"k":1}],"z":0}]}`},
		{"white space", " {\t\"a\" :\r\n[ 1 , 2 ] } ", `{"a":[1,2]}`},
		{"escaped letter", `"\u0061"`, `"a"`},
		{"escaped name", `{"\u0061":1}`, `{"a":1}`},
		{"upper and lower case of an escape", `"\u00FC"`, `"\u00fc"`},
		{"escaped solidus", `"\/"`, `"/"`},
		{"short and long escape", `"\b\f\n\r\t\"\\"`, `"\u0008\u000c\u000a\u000d\u0009\u0022\u005c"`},
		{"surrogate pair", `"\ud83d\ude00"`, `"😀"`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if a, b := form(t, tt.a), form(t, tt.b); a != b {
				t.Errorf("forms of %s and %s = %q, %q, want equal", tt.a, tt.b, a, b)
			}
		})
	}
}

// TestDifferent compares every text with every other.
func TestDifferent(t *testing.T) {
	texts := []string{
		`1`, `1.0`, `1e0`, `1E0`, `10e-1`, `-0`, `0`, `12345678901234567890`, `12345678901234567891`,
		`"1"`, `"a"`, `"A"`, `"a "`, `""`, `"null"`, `null`, `true`, `false`,
		`[]`, `[[]]`, `[[],[]]`, `[1,2]`, `[2,1]`, `[12]`, `["1,2"]`, `{}`, `[{}]`,
		`{"a":1}`, `{"a":"1"}`, `{"a":null}`, `{"a":1,"b":2}`, `{"a":2,"b":1}`, `{"a":{"b":2}}`,
		`{"b":{"c":1},"a":2}`, `{"b":{"c":1,"a":2}}`,
		`"\ud800"`, `"\ud801"`, `"\ud880"`, `"\u0600"`, `"\udc00"`, `"\udc00\ud800"`, `"\ufffd"`, `"\ud800\ufffd"`, `"\udcfe"`, `"\udcff"`,
		`"\u00ff"`, `"\u0000"`, `["","b"]`, `"\u0000\u0000"`,
	}
	seen := map[string]string{}
	for _, text := range texts {
		f := form(t, text)
		if other, ok := seen[f]; ok {
			t.Errorf("forms of %q and %q are equal, want different", text, other)
		}
		seen[f] = text
	}
}

func TestErrors(t *testing.T) {
	tests := []struct {
		name, text string
		want       error
	}{
		{"nothing", ``, ErrSyntax},
		{"white space alone", ` `, ErrSyntax},
		{"two texts", `1 2`, ErrSyntax},
		{"a comma at the end of an array", `[1,]`, ErrSyntax},
		{"a comma at the end of an object", `{"a":1,}`, ErrSyntax},
		{"a comma at the start", `[,1]`, ErrSyntax},
		{"an object without its end", `{"a":1`, ErrSyntax},
		{"the wrong bracket", `[1}`, ErrSyntax},
		{"a name that is no string", `{1:1}`, ErrSyntax},
		{"no colon", `{"a" 1}`, ErrSyntax},
		{"a string without its end", `"a`, ErrSyntax},
		{"half an escape", `"\`, ErrSyntax},
		{"half an escape by number", `"\u00"`, ErrSyntax},
		{"an escape by number with a sign", `"\u+061"`, ErrSyntax},
		{"an unknown escape", `"\x"`, ErrSyntax},
		{"a control character", "\"\n\"", ErrSyntax},
		{"a leading zero", `01`, ErrSyntax},
		{"a plus", `+1`, ErrSyntax},
		{"a point without digits", `1.`, ErrSyntax},
		{"an exponent without digits", `1e+`, ErrSyntax},
		{"a word cut short", `tru`, ErrSyntax},
		{"a mark of byte order", "\ufeff1", ErrSyntax},
		{"a NUL behind the text", "1\x00", ErrSyntax},
		{"half a surrogate, encoded all the same", "\"\xed\xa0\x80\"", ErrEncoding},
		{"a byte that is no text", "\"\xff\"", ErrEncoding},
		{"half a character", "\"\xc3\"", ErrEncoding},
		{"a name twice", `{"a":1,"a":1}`, ErrDuplicate},
		{"a name twice, spelled in two ways", `{"a":1,"b":2,"\u0061":1}`, ErrDuplicate},
		{"a name twice, far inside", `[{"x":[{"b":{},"a":1,"b":1}]}]`, ErrDuplicate},
		{"too deep an array", strings.Repeat("[", MaxDepth+1) + strings.Repeat("]", MaxDepth+1), ErrDepth},
		{"too many members of one object", named(MaxMembers + 1), ErrMembers},
		{"too many members in all", "[" + strings.Repeat(`{"a":{"b":1}},`, MaxMembers/2) + `{"a":1}]`, ErrMembers},
		{"too deep an object", strings.Repeat(`{"a":`, MaxDepth+1), ErrDepth},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if _, err := Parse([]byte(tt.text)); !errors.Is(err, tt.want) {
				t.Errorf("err = %v, want %v", err, tt.want)
			}
		})
	}
}

// named returns an object of n members.
func named(n int) string {
	var b strings.Builder
	for i := range n - 1 {
		b.WriteString(`"` + strconv.Itoa(i) + `":1,`)
	}
	return "{" + b.String() + `"":1}`
}

func TestAsManyMembersAsMayBe(t *testing.T) {
	if _, err := Parse([]byte(named(MaxMembers))); err != nil {
		t.Errorf("Parse = %v, want nil", err)
	}
}

type full struct{ room int }

func (f *full) Write(p []byte) (int, error) {
	if len(p) > f.room {
		return f.room, errors.New("full")
	}
	f.room -= len(p)
	return len(p), nil
}

func TestWriteToReportsEveryFailure(t *testing.T) {
	const text = `[0,{"b":{"d":1,"c":2},"a":[3]},4]`
	d, err := Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	whole := len(form(t, text))
	for room := range whole {
		n, err := d.WriteTo(&full{room})
		if err == nil || n > int64(room) {
			t.Errorf("WriteTo with room for %d of %d = %d, %v, want an error", room, whole, n, err)
		}
	}
}
