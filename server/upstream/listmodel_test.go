package upstream

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
)

func TestParseList(t *testing.T) {
	long := strings.Repeat("x", 1<<20)
	tests := []struct {
		name, body string
		want       []string
		bad        bool
	}{
		{"a list alone", ` [{"id":"a"},{"id":"b"}] `, []string{"a", "b"}, false},
		{"the list comes late", `{"object":"list","x":[{"id":"c"}],"data":[{"id":"a"}],"data":[{"id":"b"}]}`, []string{"a"}, false},
		{"nothing in it", `{"data":[]}`, nil, false},
		{"entries that are no models", `{"data":[1,null,"a",[],{},{"id":1},{"id":null},{"id":""},{"ID":"a"},{"id":"a","id":"b"},{"id":"c"}]}`, []string{"c"}, false},
		{"a name of a megabyte", `{"data":[{"id":"` + long + `"},{"id":"c"}]}`, []string{"c"}, false},
		{"a megabyte beside a name", `{"data":[{"id":"a","x":"` + long + `"}]}`, []string{"a"}, false},
		{"no JSON", `<html>`, nil, true},
		{"half of it", `{"data":[{"id":"a"}]`, nil, true},
		{"nothing", ``, nil, true},
		{"null", `null`, nil, true},
		{"a text", `"data"`, nil, true},
		{"no data", `{"models":[]}`, nil, true},
		{"data in another case", `{"Data":[]}`, nil, true},
		{"data that is an object", `{"data":{"id":"a"}}`, nil, true},
		{"data that is null", `{"data":null}`, nil, true},
		{"deep nesting", `{"data":` + strings.Repeat("[", 100_000) + strings.Repeat("]", 100_000) + `}`, nil, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			all, err := parseList([]byte(tt.body), "up")
			var got []string
			for _, m := range all {
				got = append(got, m.id)
			}
			if !slices.Equal(got, tt.want) || (err != nil) != tt.bad {
				t.Errorf("models %.100q, %v, want %q, error: %t", got, err, tt.want, tt.bad)
			}
		})
	}
}

func TestAHugeListIsBounded(t *testing.T) {
	ids := make([]string, listMost+10)
	for i := range ids {
		ids[i] = fmt.Sprint("m", i)
	}
	up, other := newLister(t, data(ids...)), newLister(t, data("other"))
	p := newPool(t, nil, map[string]Settings{
		"up": settings(up.URL, nil), "z": settings(other.URL, func(s *Settings) { s.Priority = 1 }),
	})
	if got := p.listed(t, reading(t, "/v1/models")); len(got) != listMost || got[listMost-1] != ids[listMost-1] {
		t.Errorf("%d models, want the first %d", len(got), listMost)
	}
	endless := newLister(t, "")
	endless.does(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, `{"data":[`)
		for range listBytes>>20 + 1 {
			if _, err := io.WriteString(w, strings.Repeat(" ", 1<<20)); err != nil {
				return
			}
		}
		_, _ = io.WriteString(w, `]}`)
	})
	p = newPool(t, nil, map[string]Settings{"up": settings(endless.URL, nil), "z": settings(other.URL, nil)})
	if got := p.listed(t, reading(t, "/v1/models")); !slices.Equal(got, []string{"other"}) {
		t.Errorf("models %q, want those of the other", got)
	}
}

// Whatever an upstream writes, the union is JSON, and each model in it has the
// one name that it was taken for.
func FuzzParseList(f *testing.F) {
	for _, seed := range []string{data("a", "b"), `[{"id":"a\u0000","created":1e999,"created_at":"2025-01-01T00:00:00Z"}]`, `{"data":[{"x":{"id":"b"},"id":"\ud800"} ]}`} {
		f.Add([]byte(seed), "alias\xff\"")
	}
	f.Fuzz(func(t *testing.T, body []byte, alias string) {
		all, err := parseList(body, "up")
		if err != nil {
			return
		}
		for i := range all {
			all = append(all, all[i].named(alias))
		}
		for _, list := range [][]byte{appendOpenAIList(nil, all), appendAnthropicList(nil, all)} {
			var got struct {
				Data []map[string]json.RawMessage
			}
			if err := json.Unmarshal(list, &got); err != nil || len(got.Data) != len(all) {
				t.Fatalf("%q: %v, %d models, want %d", list, err, len(got.Data), len(all))
			}
			for i, m := range got.Data {
				var got, want string
				if err := errors.Join(json.Unmarshal(m["id"], &got), json.Unmarshal(quoted(all[i].id), &want)); err != nil || got != want {
					t.Errorf("%q: model %d is %q, want %q", list, i, got, want)
				}
			}
		}
	})
}
