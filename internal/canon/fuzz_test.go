package canon

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"testing"
)

func seeds() []string {
	return []string{
		``, `null`, `[1,1.0,-0,1e5,12345678901234567890]`, `{"b":{"d":1,"c":[{}]},"a":"\u0061\ud83d\ude00\ud800"}`,
		`{"a":1,"\u0061":2}`, "\"\xff\xed\xa0\x80\\\"\"", `[{"z":{"y":1,"x":{"w":1,"v":[2]}}},{"b":1,"a":2}]`,
		`{"model":"m","messages":[{"role":"user","content":"hi"}],"temperature":0}`, `{"\ud800":1,"\ufffd":1}`,
	}
}

// FuzzParse holds Parse against the plain implementation: it takes the same
// texts, and another spelling of the same tree has the same form.
func FuzzParse(f *testing.F) {
	for i, text := range seeds() {
		f.Add([]byte(text), uint64(i))
	}
	f.Fuzz(func(t *testing.T, text []byte, seed uint64) {
		want, tree, plainErr := plain(text)
		_, err := Parse(text)
		if err == nil && plainErr != nil && certain(text) {
			t.Fatalf("Parse(%q) takes what the plain one does not: %v", text, plainErr)
		}
		if err != nil && plainErr == nil && !errors.Is(err, ErrMembers) {
			t.Fatalf("Parse(%q) = %v, want nil", text, err)
		}
		if err != nil || plainErr != nil || !exact(want) {
			return
		}
		other := respell(tree, rand.New(rand.NewPCG(seed, 0)))
		if form(t, string(text)) != form(t, other) {
			t.Errorf("forms of %q and %q differ, want equal", text, other)
		}
	})
}

// FuzzPairs checks that two texts have equal forms if and only if the plain
// implementation writes them alike.
func FuzzPairs(f *testing.F) {
	for _, a := range seeds() {
		for _, b := range seeds() {
			f.Add([]byte(a), []byte(b))
		}
	}
	f.Fuzz(func(t *testing.T, a, b []byte) {
		plainA, _, errA := plain(a)
		plainB, _, errB := plain(b)
		if errA != nil || errB != nil {
			return
		}
		equal := form(t, string(a)) == form(t, string(b))
		if equal && plainA != plainB {
			t.Errorf("forms of %q and %q are equal, want different", a, b)
		}
		if !equal && plainA == plainB && exact(plainA) {
			t.Errorf("forms of %q and %q differ, want equal", a, b)
		}
	})
}

// certain reports whether every string of text, which is UTF-8, is characters
// alone, so that encoding/json does not take two different names for one.
func certain(text []byte) bool { return !bytes.Contains(bytes.ToLower(text), []byte(`\ud`)) }
