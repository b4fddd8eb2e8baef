package canon

import (
	"crypto/sha256"
	"encoding/json"
	"runtime"
	"strconv"
	"strings"
	"testing"
)

// hostile returns texts of about n bytes that are as hard as can be.
func hostile(n int) map[string]string {
	deep := func(open, end string) string {
		fill := strings.Repeat(" ", max(0, n-MaxDepth*(len(open)+len(end))))
		return strings.Repeat(open, MaxDepth-1) + fill + "1" + strings.Repeat(end, MaxDepth-1)
	}
	reversed := func(prefix string) string {
		var b strings.Builder
		b.WriteByte('{')
		for i := n / (len(prefix) + 14); i > 0; i-- {
			b.WriteString(`"` + prefix + strconv.Itoa(1e7+i) + `":1,`)
		}
		return b.String() + `"":1}`
	}
	return map[string]string{
		"deep arrays":                     deep("[", "]"),
		"deep objects out of order":       deep(`{"b":1,"a":`, "}"),
		"deep objects around the rest":    deep(`{"b":`, `,"a":1}`),
		"empty objects":                   "[" + strings.Repeat("{},", n/3) + "{}]",
		"small objects out of order":      "[" + strings.Repeat(`{"b":1,"a":1},`, n/14) + "{}]",
		"names in reverse":                reversed(""),
		"long names alike at their start": reversed(strings.Repeat("x", 1000)),
		"escapes":                         `"` + strings.Repeat(`\ud800`, n/6) + `"`,
		"bytes that are no text":          `"` + strings.Repeat("\xff", n) + `"`,
	}
}

// TestBounded parses hostile texts of 2 MB: what is allocated in all stays
// within a multiple of the text.
func TestBounded(t *testing.T) {
	const size, most = 2_000_000, 60 // the slices double as they grow
	for name, text := range hostile(size) {
		t.Run(name, func(t *testing.T) {
			if !json.Valid([]byte(text)) {
				t.Fatal("the text is not valid")
			}
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			d, err := Parse([]byte(text))
			if err != nil {
				t.Fatal(err)
			}
			n, err := d.WriteTo(sha256.New())
			runtime.ReadMemStats(&after)
			if err != nil || n != int64(len(d.out)) {
				t.Errorf("WriteTo = %d, %v, want %d, nil", n, err, len(d.out))
			}
			if got := (after.TotalAlloc - before.TotalAlloc) / uint64(len(text)); got > most {
				t.Errorf("allocated %d bytes for each byte of text, want at most %d", got, most)
			} else {
				t.Logf("allocated %d bytes for each byte of text", got)
			}
		})
	}
}
