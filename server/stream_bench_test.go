package server

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// chunk is an event of a chat of about the usual size.
const chunk = `data: {"id":"chatcmpl-1","object":"chat.completion.chunk","created":1700000000,"model":"demo",` +
	`"choices":[{"index":0,"delta":{"content":" word"},"logprobs":null,"finish_reason":null}]}` + "\n\n"

// generator is an upstream whose streams cost no memory of their own: X-Events
// tells their length, X-First how long the first event takes.
type generator struct {
	half chan struct{} // if set, every stream waits in its middle until it is closed
	at   sync.WaitGroup
}

func (g *generator) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body)
	n, _ := strconv.Atoi(r.Header.Get("X-Events"))
	first, _ := time.ParseDuration(r.Header.Get("X-First"))
	w.Header().Set("Content-Type", "text/event-stream")
	c := http.NewResponseController(w)
	_ = c.Flush()
	time.Sleep(first)
	for i := range n {
		if i == n/2 && g.half != nil {
			g.at.Done()
			<-g.half
		}
		_, _ = io.WriteString(w, chunk)
		if c.Flush() != nil {
			return
		}
	}
	_, _ = io.WriteString(w, "data: [DONE]\n\n")
}

// openStream asks for a stream of n events at the base URL.
func openStream(b testing.TB, client *http.Client, base string, n int, first time.Duration) *http.Response {
	b.Helper()
	req, err := http.NewRequestWithContext(b.Context(), http.MethodPost, base+"/v1/chat/completions",
		strings.NewReader(`{"model":"demo","stream":true,"messages":[]}`))
	if err != nil {
		b.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+clientKey)
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("X-Events", strconv.Itoa(n))
	req.Header.Set("X-First", first.String())
	res, err := client.Do(req)
	if err != nil || res.StatusCode != http.StatusOK {
		b.Fatalf("got %v, %v", res, err)
	}
	return res
}

// heap returns what is reachable, in bytes, stacks included.
func heap() int64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc + m.StackInuse)
}

// BenchmarkStreams holds 1,000 streams in their middle and measures what each
// takes there: the whole process, that is client, upstream and relay. What the
// length of a stream adds is the difference between the cases.
func BenchmarkStreams(b *testing.B) {
	const streams = 1000
	for _, events := range []int{1000, 2000, 4000} {
		b.Run(fmt.Sprintf("%dx%d", streams, events), func(b *testing.B) {
			for b.Loop() {
				b.ReportMetric(float64(holdStreams(b, streams, events))/streams, "heap-B/stream")
			}
		})
	}
}

// holdStreams runs so many streams of so many events to their end and returns
// what all of them took in their middle.
func holdStreams(b *testing.B, streams, events int) (bytes int64) {
	b.Helper()
	g := &generator{half: make(chan struct{})}
	g.at.Add(streams)
	up := httptest.NewServer(g)
	defer up.Close()
	address, stop := benchRelay(b, up.URL, oneRule, "")
	defer stop()
	client := &http.Client{Transport: &http.Transport{}}
	defer client.CloseIdleConnections()
	before := heap()
	var all sync.WaitGroup
	for range streams {
		all.Go(func() {
			res := openStream(b, client, "http://"+address, events, 0)
			n, err := io.Copy(io.Discard, res.Body)
			if want := int64(events*len(chunk) + len("data: [DONE]\n\n")); err != nil || n != want {
				b.Errorf("read %d bytes, %v, want %d", n, err, want)
			}
			_ = res.Body.Close()
		})
	}
	g.at.Wait()
	bytes = heap() - before
	close(g.half)
	all.Wait()
	return bytes
}

// BenchmarkFirstToken measures the time from a request to the first event with
// a word in it, which the upstream sends after 2 ms, direct and through the
// relay with every plugin on, and tells both medians.
func BenchmarkFirstToken(b *testing.B) {
	up := httptest.NewServer(&generator{})
	defer up.Close()
	address, stop := benchRelay(b, up.URL, oneRule, "")
	defer stop()
	client := &http.Client{Transport: &http.Transport{}}
	defer client.CloseIdleConnections()
	var direct, relayed []time.Duration
	for b.Loop() {
		direct = append(direct, firstToken(b, client, up.URL))
		relayed = append(relayed, firstToken(b, client, "http://"+address))
	}
	b.ReportMetric(median(direct).Seconds()*1e3, "direct-ms")
	b.ReportMetric(median(relayed).Seconds()*1e3, "relay-ms")
	b.ReportMetric((median(relayed)-median(direct)).Seconds()*1e3, "added-ms")
}

func firstToken(b *testing.B, client *http.Client, base string) time.Duration {
	b.Helper()
	start := time.Now()
	res := openStream(b, client, base, 3, 2*time.Millisecond)
	defer func() { _ = res.Body.Close() }()
	r := bufio.NewReader(res.Body)
	for {
		line, err := r.ReadBytes('\n')
		if err != nil {
			b.Fatal(err)
		}
		if bytes.Contains(line, []byte(`"content":" word"`)) {
			took := time.Since(start)
			_, _ = io.Copy(io.Discard, r)
			return took
		}
	}
}

func median(d []time.Duration) time.Duration {
	slices.Sort(d)
	return d[len(d)/2]
}
