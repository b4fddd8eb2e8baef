package tree_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/holysheep/relay/internal/tree"
)

func TestNumbersThatBeginWith0AreRefused(t *testing.T) {
	for text, good := range map[string]bool{
		"0": true, "-0": true, "0.5": true, "0o100": true, "0x40": true, "1_000": true, "'0100'": true, "2027-01-01": true, "0100s": true,
		"0100": false, "-0100": false, "+01": false, "0_1": false, "089": false, "00": false, "00.5": false,
	} {
		p := tree.NewProblems()
		p.Read("file", "", []byte("a: "+text))
		err := p.Err()
		if (err == nil) != good || err != nil && err.Error() != "a: a number begins with 0: write it without, or in quotes if it is a text" {
			t.Errorf("%s: error %v, want good = %t", text, err, good)
		}
	}
}

func TestProblemsAreToldUpTo100(t *testing.T) {
	p := tree.NewProblems()
	for i := range 250 {
		p.Add(fmt.Sprintf("a.k%d[0]", i%200), "bad")
	}
	lines := tree.Lines(p.Err())
	if len(lines) != 101 || lines[99].Error() != "a.k99[0]: bad" || lines[100].Error() != "and 100 more problems" {
		t.Errorf("%d lines, the last %v, want 100 and one that says how many more", len(lines), lines[len(lines)-1])
	}
	for key, want := range map[string]bool{"a": true, "a.k199": true, "a.k199[0]": true, "a.k1990": false, "a.k": false, "b": false, "": false} {
		if got := p.Under(key); got != want {
			t.Errorf("Under(%q) = %t, want %t", key, got, want)
		}
	}
}

func TestSpoils(t *testing.T) {
	p := tree.NewProblems()
	p.Add("a.b[1]", "bad")
	p.Mark("c")
	for key, want := range map[string]bool{
		"a": true, "a.b": true, "a.b[1]": true, "a.b[1].c": true, "c": true, "c.d.e": true, "a.c": false, "a.b[2]": false, "cd": false,
	} {
		if got := p.Spoils(key); got != want {
			t.Errorf("Spoils(%q) = %t, want %t", key, got, want)
		}
	}
}

// TestManyProblemsWithManySecrets is done at once, not in minutes: neither is
// compared with each of the other.
func TestManyProblemsWithManySecrets(t *testing.T) {
	p := tree.NewProblems()
	for i := range 50_000 {
		key := fmt.Sprintf("sk-%d-0123456789abcdef", i)
		p.Learn("", key)
		p.Add(key, "unknown key")
	}
	if text := p.Err().Error(); strings.Contains(text, "sk-") || !strings.HasSuffix(text, "\nand 49900 more problems") {
		t.Errorf("problems = %.200q", text)
	}
}

func TestHide(t *testing.T) {
	tests := []struct {
		name, key, text, want string
	}{
		{"a key in a URL's path", "base_url", "https://a.example/sk-live-canary123456/v1", "https://a.example/(hidden)/v1"},
		{"a key without a form of its own", "base_url", "https://a.example/AKIAIOSFODNN7EXAMPLE", "https://a.example/(hidden)"},
		{"a host like a key", "base_url", "https://k8s-relay-0123456789abcdef.elb.example/v1", "https://k8s-relay-0123456789abcdef.elb.example/v1"},
		{"a key as a host", "base_url", "https://sk-live-canary123456/v1", "https://(hidden)/v1"},
		{"a path", "cert_file", "/run/550e8400-e29b-41d4-a716-446655440000", "/run/550e8400-e29b-41d4-a716-446655440000"},
		{"a key in place of a path", "cert_file", "550e8400-e29b-41d4-a716-446655440000", "(hidden)"},
		{"a model", "", "claude-3-5-sonnet-20241022", "claude-3-5-sonnet-20241022"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := tree.Hide(tt.key, tt.text); got != tt.want {
				t.Errorf("Hide(%q) = %q, want %q", tt.text, got, tt.want)
			}
		})
	}
}
