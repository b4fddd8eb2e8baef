package plugins

import (
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestMatch(t *testing.T) {
	tests := []struct {
		glob, text string
		want       bool
	}{
		{"gpt-4", "gpt-4", true},
		{"gpt-4", "gpt-4.1", false},
		{"gpt-*", "gpt-", true},
		{"gpt-*", "xgpt-4", false},
		{"*", "", true},
		{"*", "openai/gpt-4.1", true},
		{"*-mini", "gpt-4-mini-mini", true},
		{"*-mini", "gpt-4-mini-max", false},
		{"ab*ba", "aba", false},
		{"ab*ba", "abba", true},
		{"a*b*c", "a-b-b-c", true},
		{"a*b*c", "acb", false},
		{"**", "x", true},
	}
	for _, tt := range tests {
		if got := MatchModel(tt.glob, tt.text); got != tt.want {
			t.Errorf("MatchModel(%q, %q) = %t, want %t", tt.glob, tt.text, got, tt.want)
		}
	}
}

// FuzzMatch holds match to a regular expression, and to the promise on which
// validateWithin rests: what a glob matches as text, it matches filled in.
func FuzzMatch(f *testing.F) {
	f.Add("gpt-*", "gpt-4*", "x")
	f.Add("a*b*", "a*c*b", "*")
	f.Add("*a", "*a*a", "a")
	f.Fuzz(func(t *testing.T, glob, text, fill string) {
		pattern := strings.ReplaceAll(regexp.QuoteMeta(glob), `\*`, `[\s\S]*`)
		if utf8.ValidString(glob) && utf8.ValidString(text) {
			if got, want := MatchModel(glob, text), regexp.MustCompile("^(?:"+pattern+")$").MatchString(text); got != want {
				t.Errorf("MatchModel(%q, %q) = %t, want %t", glob, text, got, want)
			}
		}
		if filled := strings.ReplaceAll(text, "*", fill); MatchModel(glob, text) && !MatchModel(glob, filled) {
			t.Errorf("%q matches %q but not %q", glob, text, filled)
		}
	})
}

func TestGlobsMeetWhereAModelFitsBoth(t *testing.T) {
	names, globs := words("ab", 6), words("ab*", 3)
	for _, a := range globs {
		for _, b := range globs {
			want := ""
			for _, name := range names {
				if MatchModel(a, name) && MatchModel(b, name) {
					want = "yes"
					break
				}
			}
			if got := GlobsMeet(a, b); got != (want != "") {
				t.Errorf("GlobsMeet(%q, %q) = %t", a, b, got)
			}
		}
	}
}

// words returns every word of at most n of the letters.
func words(letters string, n int) []string {
	all := []string{""}
	for from := 0; n > 0; n-- {
		to := len(all)
		for _, word := range all[from:to] {
			for _, letter := range letters {
				all = append(all, word+string(letter))
			}
		}
		from = to
	}
	return all
}

func TestGlobsMeetDoesNotTakeForEver(t *testing.T) {
	if a := strings.Repeat("*a", 500); GlobsMeet(a+"x", a+"y") {
		t.Error("they meet, though no name ends with x and y")
	}
}
