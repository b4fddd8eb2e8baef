package gcra

import (
	"fmt"
	"runtime"
	"testing"
	"time"
)

func BenchmarkTakeOfFive(b *testing.B) {
	m, claims := NewMemory(time.Now()), fiveClaims(b)
	b.ReportAllocs()
	for b.Loop() {
		m.Take(time.Now(), claims)
	}
}

func BenchmarkTakeOfFiveInParallel(b *testing.B) {
	m, shared := NewMemory(time.Now()), fiveClaims(b)
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		claims := append([]Claim(nil), shared...)
		for pb.Next() {
			m.Take(time.Now(), claims)
		}
	})
}

// BenchmarkMemoryPerKey reports the bytes that a bucket costs where 100,000
// are in use, in both generations at worst.
func BenchmarkMemoryPerKey(b *testing.B) {
	const keys = 100_000
	names := make([]string, keys)
	for i := range names {
		names[i] = fmt.Sprintf("client-%06d", i)
	}
	rate := rateOf(b, 60, time.Minute, 60)
	for b.Loop() {
		before := heap()
		now := time.Now()
		m, buckets := NewMemory(now), NewBuckets(rate)
		for _, at := range []time.Duration{0, time.Minute} {
			for _, name := range names {
				m.Take(now.Add(at), []Claim{{Buckets: buckets, Key: name, N: 1}})
			}
		}
		b.ReportMetric(float64(heap()-before)/keys, "bytes/key")
		runtime.KeepAlive(buckets)
	}
}

func heap() uint64 {
	runtime.GC()
	var s runtime.MemStats
	runtime.ReadMemStats(&s)
	return s.HeapAlloc
}

func fiveClaims(tb testing.TB) []Claim {
	tb.Helper()
	claims := make([]Claim, 5)
	for i := range claims {
		claims[i] = Claim{Buckets: NewBuckets(rateOf(tb, 1_000_000, time.Second, 1000)), Key: "client-000001", N: 1}
	}
	return claims
}
