package tree_test

import (
	"errors"
	"math"
	"net/netip"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/holysheep/relay/internal/tree"
)

// sample has one field of every kind.
type sample struct {
	Int     int8           `koanf:"int"`
	Uint    uint8          `koanf:"uint"`
	Float   float64        `koanf:"float"`
	Text    string         `koanf:"text"`
	Flag    *bool          `koanf:"flag"`
	Wait    time.Duration  `koanf:"wait"`
	Address netip.Addr     `koanf:"address"`
	Any     any            `koanf:"any"`
	Func    func()         `koanf:"func"`
	List    []string       `koanf:"list"`
	Table   map[string]int `koanf:"table"`
	Ignored string
	Hidden  string `koanf:"-"`
}

func TestCheckTellsWhatDoesNotFit(t *testing.T) {
	long := strings.Repeat("x", 30)
	tests := []struct {
		key  string
		v    any
		want string
	}{
		{"int", 127, ""},
		{"int", 128, "the number is out of range"},
		{"int", uint64(math.MaxUint64), "the number is out of range"},
		{"int", 1.5, "a fraction stands where a whole number is expected"},
		{"int", "1", "a text stands where a whole number is expected"},
		{"uint", 255, ""},
		{"uint", -1, "the number is out of range"},
		{"uint", uint64(256), "the number is out of range"},
		{"float", 1, ""},
		{"float", true, "true or false stands where a number is expected"},
		{"text", []any{}, "a list stands where a text is expected"},
		{"text", 1.5, "a number stands where a text is expected: put it in quotes"},
		{"flag", true, ""},
		{"flag", 1, "a number stands where true or false is expected"},
		{"wait", 0, ""},
		{"wait", "0", ""},
		{"wait", 5, `"5" has no unit, such as 30s`},
		{"wait", "1d", `"1d" is not a duration: write hours, 24h`},
		{"wait", "2w", `"2w" is not a duration: write hours, 336h`},
		{"wait", "d", `"d" is not a duration such as 300ms, 30s or 5m`},
		{"wait", "", `"" is not a duration such as 300ms, 30s or 5m`},
		{"wait", map[string]any{}, "a map stands where a duration such as 30s is expected"},
		{"wait", "0.1ns", `"0.1ns" is below a nanosecond, and would count as 0`},
		{"wait", "0h0m", ""},
		{"text", nil, "is empty: leave it out, or give it a value"},
		{"list", nil, "is empty: leave it out, or give it a value"},
		{"any", nil, "is empty: leave it out, or give it a value"},
		{"wait", long, "a text of 30 bytes is not a duration such as 300ms, 30s or 5m"},
		{"address", "::1", ""},
		{"address", 0, `ParseAddr("0"): unable to parse IP`},
		{"address", long, "ParseAddr(a text of 30 bytes): unable to parse IP"},
		{"address", true, "true or false stands where a text is expected"},
		{"any", []any{1}, ""},
		{"func", "x", "cannot be set: its type is func()"},
		{"list", "a", "a text stands where a list is expected"},
		{"table", "a", "a text stands where a map is expected"},
		{"Ignored", "a", "unknown key"},
		{"-", "a", "unknown key"},
	}
	shape := tree.ShapeOf(reflect.TypeFor[*sample]())
	for _, tt := range tests {
		p := tree.NewProblems()
		fit, _ := p.Check("", shape, map[string]any{tt.key: tt.v})
		got := ""
		if err := p.Err(); err != nil {
			got = strings.TrimPrefix(err.Error(), tt.key+": ")
		}
		if got != tt.want {
			t.Errorf("%s: %v: problem = %q, want %q", tt.key, tt.v, got, tt.want)
		}
		if _, kept := fit.(map[string]any)[tt.key]; kept != (tt.want == "") {
			t.Errorf("%s: %v: kept = %t", tt.key, tt.v, kept)
		}
	}
}

func TestParse(t *testing.T) {
	shape := tree.ShapeOf(reflect.TypeFor[sample]())
	tests := []struct {
		key, text string
		want      any
	}{
		{"int", " 5 ", int64(5)},
		{"int", "five", "five"},
		{"uint", "5", uint64(5)},
		{"float", "0.5", 0.5},
		{"flag", "true", true},
		{"flag", "yes", "yes"},
		{"text", "5", "5"},
		{"wait", "5s", "5s"},
		{"any", "[1]", []any{1}},
	}
	for _, tt := range tests {
		if got := shape.Find(tt.key).Parse(tt.text); !cmp.Equal(got, tt.want) {
			t.Errorf("%s: Parse(%q) = %#v, want %#v", tt.key, tt.text, got, tt.want)
		}
	}
}

func TestNearest(t *testing.T) {
	names := []string{"attempts", "wait", "max_wait", "ttl"}
	for name, want := range map[string]string{
		"atempts": "attempts", "wiat": "wait", "maxwait": "max_wait", "tll": "ttl",
		"x": "", "timeout": "", "": "", strings.Repeat("attempts", 9): "",
	} {
		if got := tree.Nearest(name, names); got != want {
			t.Errorf("Nearest(%q) = %q, want %q", name, got, want)
		}
	}
}

func TestSecretsAreHidden(t *testing.T) {
	tests := []struct {
		name, key, text string
		hidden          bool
	}{
		{"a key of an API", "listen", "sk-live", true},
		{"a long word of letters and digits", "listen", "0123456789abcdef0123", true},
		{"inside other text", "base_url", "https://u:0123456789abcdef0123@a.example", true},
		{"anything under a secret's name", "password", "correct horse", true},
		{"with quotes", "password", `correct "horse"`, true},
		{"a UUID", "listen", "550e8400-e29b-41d4-a716-446655440000", true},
		{"a word", "listen", "localhost", false},
		{"the name of a model", "models", "claude-3-5-sonnet-20241022", false},
		{"a long name", "upstreams", "holysheep_backup_eu_west_1", false},
		{"the name of a variable", "api_key_env", "UPSTREAM_API_KEY_NUMBER_2", false},
		{"a path", "api_key_file", "/etc/relay/keys/upstream-number-2-of-9", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := tree.NewProblems()
			p.Learn(tt.key, tt.text)
			p.Add("x", "%q is bad", tt.text)
			if got := strings.Contains(p.Err().Error(), tree.Hidden); got != tt.hidden {
				t.Errorf("%v: hidden = %t, want %t", p.Err(), got, tt.hidden)
			}
		})
	}
}

func TestLinesAreFlat(t *testing.T) {
	err := errors.Join(errors.New("a"), errors.Join(nil, errors.New("b"), errors.Join(errors.New("c"))))
	var got []string
	for _, e := range tree.Lines(err) {
		got = append(got, e.Error())
	}
	if diff := cmp.Diff([]string{"a", "b", "c"}, got); diff != "" {
		t.Errorf("lines (-want +got):\n%s", diff)
	}
	if got := tree.Lines(nil); got != nil {
		t.Errorf("Lines(nil) = %v, want none", got)
	}
}
