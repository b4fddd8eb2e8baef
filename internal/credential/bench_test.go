package credential_test

import (
	"testing"

	"github.com/holysheep/relay/internal/credential"
)

func BenchmarkFind(b *testing.B) {
	h := header("Authorization", "Bearer sk-hs-0123456789012345678901234567890123456789012")
	b.ReportAllocs()
	for b.Loop() {
		if _, err := credential.Find(h, "api-version=2026-01-01"); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkSum(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		credential.Sum("sk-hs-0123456789012345678901234567890123456789012")
	}
}
