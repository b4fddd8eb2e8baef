package canon

import (
	"crypto/sha256"
	"encoding/json"
	"strings"
	"testing"
)

// chat returns a request of about 16 KiB, as the SDKs write it.
func chat() []byte {
	var b strings.Builder
	b.WriteString(`{"model":"gpt-4.1-mini","temperature":0,"messages":[`)
	for range 20 {
		b.WriteString(`{"role":"user","content":"` + strings.Repeat(`Tell me \"more\" of the sheep.\n`, 25) + `"},`)
	}
	b.WriteString(`{"role":"user","content":"Thanks."}]}`)
	return []byte(b.String())
}

// BenchmarkHash is the price of a key's body, and BenchmarkValidAndHash that
// of reading and hashing the same bytes without any order, to compare it with.
func BenchmarkHash(b *testing.B) {
	text := chat()
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		if err := hash(text); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkValidAndHash(b *testing.B) {
	text := chat()
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		if !json.Valid(text) {
			b.Fatal("not valid")
		}
		h := sha256.New()
		_, _ = h.Write(text)
		_ = h.Sum(nil)
	}
}
