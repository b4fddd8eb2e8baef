package replicas

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/holysheep/relay/internal/demo"
)

// BenchmarkCache is what a request costs one relay, a process of its own with
// every plugin on, in CPU time: relayed to the demo upstream, answered from
// memory, and answered from Redis by one that keeps nothing in memory. Compare
// cpu-µs/op within one run.
func BenchmarkCache(b *testing.B) {
	for _, form := range []string{"unary", "streamed"} {
		for _, c := range []struct{ name, settings string }{
			{"miss", ""}, {"miss shared by Redis", ""}, {"hit in memory", ""}, {"hit in Redis", "max_bytes: 0B"},
		} {
			b.Run(form+"/"+c.name, func(b *testing.B) {
				up := httptest.NewServer(demo.New(demo.Options{}))
				defer up.Close()
				at := ""
				if strings.HasSuffix(c.name, "Redis") {
					at = aRedis(b)
				}
				r := spawnOne(b, caching(b, at, up.URL, c.settings))
				streamed := form == "streamed"
				var asked atomic.Int64
				body := func() string {
					i := asked.Add(1)
					if strings.HasPrefix(c.name, "hit") {
						i = 0
					}
					return strings.Replace(told("Tell me of the sheep, number "+strconv.FormatInt(i, 10), streamed), `"m"`, `"demo"`, 1)
				}
				transport := connections(b)
				warm(b, transport, r, body)
				measure(b, transport, r, body, "200 "+strings.ToUpper(c.name[:strings.IndexByte(c.name+" ", ' ')]))
			})
		}
	}
}

// warm has the relay begin its connections and store what is asked for again.
func warm(b *testing.B, transport http.RoundTripper, r *relay, body func() string) {
	b.Helper()
	for i := range 200 {
		if h := tell(context.Background(), transport, r, "ada", body()); h.status != http.StatusOK {
			b.Fatalf("%d %s, %v", h.status, h.body, h.err)
		}
		if i < 3 {
			time.Sleep(50 * time.Millisecond) // until it has come to Redis
		}
	}
}

// measure asks b.N times over 8 connections, and wants each answer to be of that
// status and result.
func measure(b *testing.B, transport http.RoundTripper, r *relay, body func() string, want string) {
	b.Helper()
	var next atomic.Int64
	var mu sync.Mutex
	counts := map[string]int{}
	before := r.cpu(b)
	b.ResetTimer()
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for i := next.Add(1); i <= int64(b.N); i = next.Add(1) {
				h := tell(context.Background(), transport, r, "ada", body())
				mu.Lock()
				counts[fmt.Sprint(h.status, " ", h.cache)]++
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	b.StopTimer()
	b.ReportMetric(float64((r.cpu(b)-before).Microseconds())/float64(b.N), "cpu-µs/op")
	for result, n := range counts {
		if result != want {
			b.Errorf("%d answers are %s, want %s", n, result, want)
		}
	}
}

// cpu returns the CPU time of the relay's process, of which Linux tells
// hundredths of a second (proc(5), stat: utime and stime).
func (r *relay) cpu(b *testing.B) time.Duration {
	b.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", r.process.Pid))
	if err != nil {
		b.Fatal(err)
	}
	fields := strings.Fields(string(text[strings.LastIndexByte(string(text), ')')+1:]))
	user, err := strconv.Atoi(fields[11])
	if err != nil {
		b.Fatal(err)
	}
	system, err := strconv.Atoi(fields[12])
	if err != nil {
		b.Fatal(err)
	}
	return time.Duration(user+system) * 10 * time.Millisecond
}
