package auth

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// canary is a key in plain, which no problem may show.
const canary = "sk-hs-" + "CANARYCANARYCANARYCANARYCANARYCANARYCANARYC"

const (
	hash  = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
	other = "fcde2b2edba56bf408601fb721fe9b5c338d10ee429ea04fae5511b68fbf8fb9"
)

func TestSourceReportsEveryProblem(t *testing.T) {
	name := ": a name has 1 to 63 letters, digits and . _ @ - and begins with a letter or digit"
	noHash := `.sha256: not 64 hexadecimal digits: "relay key a" makes a key and prints its hash`
	tests := []struct {
		name, yaml string
		want       []string
	}{
		{"nothing", "", []string{"clients: there is none"}},
		{"no clients", "clients: {}", []string{"clients: there is none"}},
		{"a key in plain", canary, []string{"the document: is not a map of clients"}},
		{"two documents", "clients: {}\n---\nclients: {}", []string{"the document: holds more than one document"}},
		{"no YAML", "clients: {a", []string{"the document: line 1: did not find expected ',' or '}'"}},
		{"a client twice", "clients:\n  a: {}\n  a: {}", []string{
			"clients.a: stands twice, in line 2 and in line 3", `clients.a.keys: there is none: "relay key a" makes one`,
		}},
		{
			"a list of models and an expiry that were left empty", "clients: {a: {models: , keys: {k: {sha256: " + hash + ", models: , expires: }}}}",
			[]string{
				"clients.a.keys.k.expires: is empty: leave it out, or give it a value",
				"clients.a.keys.k.models: is empty: leave it out, or give it a value",
				"clients.a.models: is empty: leave it out, or give it a value",
			},
		},
		{
			"an expiry that would be none", "clients: {a: {keys: {k: {sha256: " + hash + ", expires: 0001-01-01T00:00:00Z}}}}",
			[]string{"clients.a.keys.k.expires: the beginning of time: leave it out for a key that is good for ever, or set disabled"},
		},
		{
			"unknown keys", "cleints: {}\nclients: {a: {Group: g, keys: {k: {sha256: " + hash + ", expire: 1}}}}",
			[]string{
				"cleints: unknown key, did you mean clients?", "clients.a.Group: unknown key, did you mean group?",
				"clients.a.keys.k.expire: unknown key, did you mean expires?",
			},
		},
		{
			"a key in plain as an unknown key", "clients: {a: {keys: {k: {sha256: " + hash + "}}, " + canary + ": 1}}",
			[]string{"clients.a.(hidden): unknown key"},
		},
		{"a key in plain as a hash", "clients: {a: {keys: {k: {sha256: " + canary + "}}}}", []string{"clients.a.keys.k" + noHash}},
		{"63 digits", "clients: {a: {keys: {k: {sha256: " + hash[1:] + "}}}}", []string{"clients.a.keys.k" + noHash}},
		{
			"a key in plain as a key", "clients: {a: {keys: {k: " + canary + "}}}",
			[]string{"clients.a.keys.k: a text stands where a map is expected"},
		},
		{
			"a key in plain as a name", "clients: {a: {keys: {" + canary + ": {sha256: " + hash + "}}}}",
			[]string{"clients.a.keys.***: begins with sk-, as a key does: keys stand nowhere in plain"},
		},
		{
			"a key in plain as an expiry", "clients: {a: {keys: {k: {sha256: " + hash + ", expires: " + canary + "}}}}",
			[]string{`clients.a.keys.k.expires: a text of 49 bytes is not a moment such as 2027-01-01T00:00:00Z`},
		},
		{
			"an expiry of another form", "clients: {a: {keys: {k: {sha256: " + hash + ", expires: 2027-01-01}}}}",
			[]string{`clients.a.keys.k.expires: "2027-01-01" is not a moment such as 2027-01-01T00:00:00Z`},
		},
		{"no key", "clients: {a: {group: g}}", []string{`clients.a.keys: there is none: "relay key a" makes one`}},
		{
			"odd names", "clients: {a b: {group: \"\\n\", keys: {-k: {sha256: " + hash + "}}}}",
			[]string{"clients.a b" + name, "clients.a b.group" + name, "clients.a b.keys.-k" + name},
		},
		{"models that are none", `clients: {a: {models: [], keys: {k: {sha256: ` + hash + `, models: ["", "gpt-?"]}}}}`, []string{
			"clients.a.models: empty: leave it out to allow every model",
			`clients.a.keys.k.models: "" is not a glob such as "gpt-*", where only * is special`,
		}},
		{
			"a key wider than its client", `clients: {a: {models: [gpt-*], keys: {k: {sha256: ` + hash + `, models: [gpt-4*, "*"]}}}}`,
			[]string{`clients.a.keys.k.models: "*" lies outside the client's models`},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, problems := source{text: []byte(tt.yaml)}.clients()
			var got []string
			for _, p := range problems {
				got = append(got, p.Error())
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("problems (-want +got):\n%s", diff)
			}
		})
	}
}

func TestParseReadsEverySetting(t *testing.T) {
	text := `
clients:
  a:
    group: g
    models: [gpt-*]
    disabled: true
    keys:
      2026-11-23: {sha256: ` + other + `, expires: 2027-01-01T00:00:00Z, disabled: true, models: [gpt-4]}
      7: {sha256: ` + hash + `, expires: "2027-01-01T00:00:00Z"}
`
	expires := time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC)
	want := map[string]client{"a": {
		Group: "g", Models: []string{"gpt-*"}, Disabled: true,
		Keys: map[string]key{
			"2026-11-23": {SHA256: other, Expires: &expires, Disabled: true, Models: []string{"gpt-4"}},
			"7":          {SHA256: hash, Expires: &expires},
		},
	}}
	got, problems := parse([]byte(text))
	if len(problems) > 0 {
		t.Fatal(errors.Join(problems...))
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("clients (-want +got):\n%s", diff)
	}
}

// FuzzSource holds that whatever stands in a source makes clients or problems,
// and that no problem shows a key.
func FuzzSource(f *testing.F) {
	f.Add("clients: {a: {keys: {k: {sha256: ", "}}}}")
	f.Add("clients: {a: {keys: {k: {expires: ", "}}}}")
	f.Add("clients: {", ": [&x, *x]")
	f.Add("0: {0, {0, {0, {0,0", "}}}}")
	f.Add("? ", "\n: !!float ")
	f.Fuzz(func(t *testing.T, before, after string) {
		clients, problems := source{text: []byte(before + canary + after)}.clients()
		if len(clients) == 0 && len(problems) == 0 {
			t.Error("neither clients nor problems")
		}
		if err := errors.Join(problems...); err != nil && strings.Contains(err.Error(), canary[len(canary)-10:]) {
			t.Errorf("a problem shows a key: %v", err)
		}
	})
}
