package canon

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// list writes what Members and Elements return.
func list(text string) []string {
	var all []string
	for name, value := range Members([]byte(text)) {
		all = append(all, string(name)+"="+string(value))
	}
	for value := range Elements([]byte(text)) {
		all = append(all, string(value))
	}
	return all
}

func TestMembersAndElements(t *testing.T) {
	tests := []struct {
		name, text string
		want       []string
	}{
		{"no member", ` { } `, nil},
		{"no element", ` [ ] `, nil},
		{"members", ` { "z" : [ 1, {"a":0} ] , "\u0061":"\u0062","":null } `, []string{`z=[ 1, {"a":0} ]`, `a="\u0062"`, `=null`}},
		{"a member twice", `{"a":1,"a":2}`, []string{`a=1`, `a=2`}},
		{"elements", ` [ 1 , "a,]" ,{"a":[2,3]},[] ]`, []string{`1`, `"a,]"`, `{"a":[2,3]}`, `[]`}},
		{"what looks like an end in a string", `{"a":"\\\"}{,\\","b":"]["}`, []string{`a="\\\"}{,\\"`, `b="]["`}},
		{"neither", `"a"`, nil},
		{"nothing", ``, nil},
		{"cut in a string", `{"a":"b\`, []string{`a="b\`}},
		{"cut in an escape", `{"a":"b\"`, []string{`a="b\"`}},
		{"cut in a name", `{"a`, nil},
		{"cut behind a name", `{"a"`, nil},
		{"NUL in place of the rest", "[1\x00", []string{"1\x00"}},
		{"a comma without an element", `[1,,2]`, []string{`1`}},
		{"too many brackets", `[]]]`, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, list(tt.text)); diff != "" {
				t.Errorf("members and elements (-want +got):\n%s", diff)
			}
		})
	}
}

func TestMembersCanBeLeft(t *testing.T) {
	for name := range Members([]byte(`{"a":1,"b":2}`)) {
		if string(name) == "b" {
			t.Error("got b after the first, want no more")
		}
		break
	}
	for range Elements([]byte(`[1,2]`)) {
		break
	}
}

// FuzzMembers takes any text, and of those that Parse takes it holds Members
// and Elements against encoding/json.
func FuzzMembers(f *testing.F) {
	for _, text := range seeds() {
		f.Add([]byte(text))
	}
	f.Add([]byte(`{"a":"\\\"}{,\\" ,"b":["][",{"c":"\\"}]}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		all := list(string(text)) // which must end, whatever the text
		if _, err := Parse(text); err != nil || !certain(text) {
			return
		}
		var members map[string]json.RawMessage
		var elements []json.RawMessage
		if json.Unmarshal(text, &members) != nil {
			_ = json.Unmarshal(text, &elements)
		}
		if len(all) != len(members)+len(elements) {
			t.Fatalf("%d of %q, want %d", len(all), text, len(members)+len(elements))
		}
		for name, got := range Members(text) {
			if want := members[string(name)]; string(got) != string(want) {
				t.Errorf("member %q of %q = %q, want %q", name, text, got, want)
			}
		}
		for i, want := range elements {
			if all[i] != string(want) {
				t.Errorf("element %d of %q = %q, want %q", i, text, all[i], want)
			}
		}
	})
}

func TestCut(t *testing.T) {
	tests := []struct{ name, text, want string }{
		{"the last", `{"a":1,"u":null}`, `{"a":1}`},
		{"one between", `{"a":1, "u" : null , "b":2}`, `{"a":1 , "b":2}`},
		{"the first", `{ "u":null, "b":2}`, `{  "b":2}`},
		{"the only one", `{"u":null}`, `{}`},
		{"another value", `{"u":{},"b":2}`, `{"u":{},"b":2}`},
		{"one further in", `{"a":{"u":null},"b":2}`, `{"a":{"u":null},"b":2}`},
		{"in a string", `{"a":",\"u\":null"}`, `{"a":",\"u\":null"}`},
		{"by its escaped name", `{"a":1,"\u0075":null}`, `{"a":1}`},
		{"no object", `["u",null]`, `["u",null]`},
		{"not JSON", `{"a":1,"u`, `{"a":1,"u`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			from, to := Cut([]byte(tt.text), "u", "null")
			if got := tt.text[:from] + tt.text[to:]; got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
		})
	}
}

func TestMembersNeedNoMemory(t *testing.T) {
	text := []byte(`{"id":"x","choices":[{"index":0,"delta":{"content":"a"}}],"usage":null}`)
	got := testing.AllocsPerRun(100, func() {
		for name, value := range Members(text) {
			if string(name) == "choices" {
				for choice := range Elements(value) {
					for name := range Members(choice) {
						_ = name
					}
				}
			}
		}
		_, _ = Cut(text, "usage", "null")
	})
	if got != 0 {
		t.Errorf("%v allocations, want none", got)
	}
}
