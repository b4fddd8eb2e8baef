package plugins_test

import (
	"encoding/json"
	"math"
	"testing"

	"github.com/holysheep/relay/plugins"
)

func TestParseSize(t *testing.T) {
	tests := []struct {
		text string
		want plugins.Size
		back string
	}{
		{text: "0", want: 0, back: "0B"},
		{text: "0B", want: 0, back: "0B"},
		{text: "0GiB", want: 0, back: "0B"},
		{text: "512B", want: 512, back: "512B"},
		{text: "1kB", want: 1000, back: "1000B"},
		{text: "64KiB", want: 64 * plugins.KiB, back: "64KiB"},
		{text: "1024KiB", want: plugins.MiB, back: "1MiB"},
		{text: "50MiB", want: 50 * plugins.MiB, back: "50MiB"},
		{text: "50 MiB", want: 50 * plugins.MiB, back: "50MiB"},
		{text: "1536MiB", want: 1536 * plugins.MiB, back: "1536MiB"},
		{text: "2GiB", want: 2 * plugins.GiB, back: "2GiB"},
		{text: "1MB", want: 1_000_000, back: "1000000B"},
		{text: "1GB", want: 1_000_000_000, back: "1000000000B"},
		{text: "9223372036854775807B", want: math.MaxInt64, back: "9223372036854775807B"},
		{text: "8589934591GiB", want: 8589934591 * plugins.GiB, back: "8589934591GiB"},
	}
	for _, tt := range tests {
		got, err := plugins.ParseSize(tt.text)
		if err != nil || got != tt.want {
			t.Errorf("ParseSize(%q) = %d, %v, want %d", tt.text, got, err, tt.want)
		}
		if got.String() != tt.back {
			t.Errorf("%d is %q, want %q", tt.want, got, tt.back)
		}
	}
}

func TestParseSizeRefuses(t *testing.T) {
	for _, text := range []string{
		"", "B", "5", "MiB", "-1B", "+1B", "1.5MiB", "1_000B", "0x1B", "1e3B", "5KB", "5mib", "5M", "5MiBs", "MiB5",
		"9223372036854775808B", "8589934592GiB", "9223372037GB", "99999999999999999999B",
	} {
		s := plugins.MiB
		if err := s.UnmarshalText([]byte(text)); err == nil {
			t.Errorf("%q is %d, want an error", text, s)
		}
		if s != plugins.MiB {
			t.Errorf("%q changed the size to %d although it is none", text, s)
		}
	}
	_, err := plugins.ParseSize("5KB")
	if want := `"5KB" is not a size such as 512KiB, 50MiB or 1GiB`; err == nil || err.Error() != want {
		t.Errorf("err = %v, want %s", err, want)
	}
}

func TestSizeIsText(t *testing.T) {
	got, err := json.Marshal(map[string]plugins.Size{"max_body": 50 * plugins.MiB})
	if want := `{"max_body":"50MiB"}`; err != nil || string(got) != want {
		t.Errorf("json.Marshal = %s, %v, want %s", got, err, want)
	}
}

// What a size prints is the same size.
func FuzzSize(f *testing.F) {
	for _, seed := range []string{"0", "1B", "50MiB", "1GB", "8589934591GiB", "-1B", "1 kB", "KiB"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		s, err := plugins.ParseSize(text)
		if err != nil {
			return
		}
		back, err := plugins.ParseSize(s.String())
		if err != nil || back != s || s < 0 {
			t.Errorf("ParseSize(%q) = %d, which prints %q, which is %d, %v", text, s, s, back, err)
		}
	})
}
