package canon

import (
	"crypto/sha256"
	"encoding/json"
	"errors"
	"math/rand/v2"
	"runtime"
	"strconv"
	"strings"
	"testing"
)

// hostile returns texts of about n bytes that are as hard as can be.
func hostile(n int) map[string]string {
	// filled puts behind a text, in an array, what is missing in length.
	filled := func(text string) string {
		return "[" + text + `,"` + strings.Repeat("x", max(0, n-len(text))) + `"]`
	}
	deep := func(open, end string) string {
		fill := strings.Repeat(" ", max(0, n-MaxDepth*(len(open)+len(end))))
		return strings.Repeat(open, MaxDepth-1) + fill + "1" + strings.Repeat(end, MaxDepth-1)
	}
	named := func(prefix string, order []int) string {
		var b strings.Builder
		for _, i := range order[:min(len(order), n/(len(prefix)+10))] {
			b.WriteString(`"` + prefix + strconv.FormatInt(int64(1e6+i), 36) + `":1,`)
		}
		return filled("{" + b.String() + `"":1}`)
	}
	anyOrder := rand.New(rand.NewPCG(1, 2)).Perm(MaxMembers - 1)
	return map[string]string{
		"deep arrays":                     deep("[", "]"),
		"deep objects out of order":       deep(`{"b":1,"a":`, "}"),
		"deep objects around the rest":    deep(`{"b":`, `,"a":1}`),
		"empty objects":                   "[" + strings.Repeat("{},", n/3) + "{}]",
		"small objects out of order":      filled(strings.Repeat(`{"b":1,"a":1},`, MaxMembers/2-1) + "{}"),
		"names in any order":              named("", anyOrder),
		"long names alike at their start": named(strings.Repeat("x", 50), anyOrder),
		"names that may be too many":      "[" + strings.Repeat(`{"b":1,"a":1},`, n/14) + "{}]",
		"escapes":                         `"` + strings.Repeat(`\ud800`, n/6) + `"`,
		"numbers":                         "[" + strings.Repeat("1,", n/2) + "1]",
	}
}

// TestBounded parses hostile texts of 2 MB: what is allocated in all stays
// within a multiple of the text.
func TestBounded(t *testing.T) {
	const size, most = 2_000_000, 8 // the slices double as they grow
	for name, text := range hostile(size) {
		t.Run(name, func(t *testing.T) {
			if !json.Valid([]byte(text)) {
				t.Fatal("the text is not valid")
			}
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			err := hash([]byte(text))
			runtime.ReadMemStats(&after)
			if err != nil && !errors.Is(err, ErrMembers) {
				t.Error(err)
			}
			if got := (after.TotalAlloc - before.TotalAlloc) / uint64(len(text)); got > most {
				t.Errorf("allocated %d bytes for each byte of text, want at most %d", got, most)
			} else {
				t.Logf("allocated %d bytes for each byte of text", got)
			}
		})
	}
}

// hash does what a text is put in its form for.
func hash(text []byte) error {
	d, err := Parse(text)
	if err != nil {
		return err
	}
	_, err = d.WriteTo(sha256.New())
	return err
}

// BenchmarkWorst is the price of hostile texts of 1 MiB.
func BenchmarkWorst(b *testing.B) {
	for name, text := range hostile(1 << 20) {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if err := hash([]byte(text)); err != nil && !errors.Is(err, ErrMembers) {
					b.Fatal(err)
				}
			}
		})
	}
}
