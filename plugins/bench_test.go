package plugins_test

import (
	"encoding/json"
	"strconv"
	"strings"
	"testing"

	"github.com/holysheep/relay/plugins"
)

// chat is a chat request of about size bytes, with a history of messages.
func chat(size int) []byte {
	const message = `{"role":"user","content":"Explain, in two short paragraphs, why the sky is blue at noon and red at dusk.\nUse \"plain\" words."},`
	history := strings.Repeat(message, size/len(message))
	return []byte(`{"messages":[` + strings.TrimSuffix(history, ",") + `],"temperature":0.2,"model":"gpt-4.1-mini","stream":true,"max_tokens":512}`)
}

func BenchmarkReadAsk(b *testing.B) {
	req := post("application/json")
	for _, size := range []int{1 << 10, 16 << 10} {
		body := chat(size)
		b.Run(strconv.Itoa(size>>10)+"KiB", func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(body)))
			for b.Loop() {
				if a := plugins.ReadAsk(req, body, true); a.Model == "" {
					b.Fatal("no model")
				}
			}
		})
		b.Run(strconv.Itoa(size>>10)+"KiB-json.Valid", func(b *testing.B) {
			b.SetBytes(int64(len(body)))
			for b.Loop() {
				if !json.Valid(body) {
					b.Fatal("not valid")
				}
			}
		})
	}
}

// Reading a body allocates the model's name and nothing else.
func TestReadAskAllocates(t *testing.T) {
	req, body := post("application/json"), chat(16<<10)
	got := testing.AllocsPerRun(100, func() { plugins.ReadAsk(req, body, true) })
	if got != 1 {
		t.Errorf("%v allocations, want 1", got)
	}
}
