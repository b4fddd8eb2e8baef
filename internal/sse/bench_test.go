package sse

import (
	"errors"
	"io"
	"strings"
	"testing"
)

// BenchmarkNext is the price of an event of a chat, in ns, of a stream of 1,000.
func BenchmarkNext(b *testing.B) {
	event := `data: {"id":"chatcmpl-1","object":"chat.completion.chunk","created":1,"model":"gpt-4.1","choices":[{"index":0,"delta":{"content":" sheep"},"finish_reason":null}]}` + "\n\n"
	text := strings.Repeat(event, 1000)
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		r := NewReader(strings.NewReader(text))
		for {
			if _, err := r.Next(); errors.Is(err, io.EOF) {
				break
			}
		}
		r.Release()
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/1000, "ns/event")
}
