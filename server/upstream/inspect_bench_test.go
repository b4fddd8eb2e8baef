package upstream

import (
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/holysheep/relay/plugins"
	"github.com/holysheep/relay/plugins/plugintest"
)

// eventwise is a source that gives one event at a time.
type eventwise struct {
	event string
	left  int
}

func (e *eventwise) Read(p []byte) (int, error) {
	if e.left == 0 {
		return 0, io.EOF
	}
	e.left--
	return copy(p, e.event), nil
}

func (e *eventwise) Close() error { return nil }

// BenchmarkStream is the price of passing a stream on, without HTTP. What it
// allocates does not depend on its length.
func BenchmarkStream(b *testing.B) {
	const chunk = `data: {"id":"chatcmpl-1","object":"chat.completion.chunk","created":1,"model":"gpt-4.1","choices":[{"index":0,"delta":{"content":" sheep"},"finish_reason":null}]`
	for _, bench := range []struct {
		name  string
		event string
		added bool
	}{{"plain", chunk + "}\n\n", false}, {"stripped", chunk + ",\"usage\":null}\n\n", true}} {
		for _, n := range []int{1000, 2000} {
			b.Run(bench.name+"-"+strconv.Itoa(n), func(b *testing.B) {
				x := newTrialAt(b, "http://one/v1", chatPath, chatAsk, nil)
				a := &asking{Pool: x.Pool, call: plugins.CallOf(x.req.Context()), attempt: x.attempt, added: bench.added}
				a.member, a.route, a.sent = x.members[0], routeOf(chatPath), time.Now()
				p := make([]byte, 32<<10)
				b.ReportAllocs()
				for b.Loop() {
					res := plugintest.Response(x.req, http.StatusOK, "")
					res.Header.Set("Content-Type", "text/event-stream")
					res.Body = &eventwise{bench.event, n}
					res, err := a.inspect(x.req, res)
					if err != nil {
						b.Fatal(err)
					}
					for err == nil {
						_, err = res.Body.Read(p)
					}
					_ = res.Body.Close()
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(n), "ns/event")
			})
		}
	}
}

// BenchmarkJSON is the price of a body of 16 KiB, without HTTP.
func BenchmarkJSON(b *testing.B) {
	body := `{"id":"x","choices":[{"message":{"content":"` + strings.Repeat("wool ", 3250) + `"}}],"usage":{"prompt_tokens":9,"completion_tokens":12}}`
	x := newTrialAt(b, "http://one/v1", chatPath, chatAsk, nil)
	a := &asking{Pool: x.Pool, call: plugins.CallOf(x.req.Context()), attempt: x.attempt, member: x.members[0], route: routeOf(chatPath)}
	p := make([]byte, 32<<10)
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		res, err := a.inspect(x.req, plugintest.Response(x.req, http.StatusOK, body))
		if err != nil {
			b.Fatal(err)
		}
		for err == nil {
			_, err = res.Body.Read(p)
		}
		_ = res.Body.Close()
	}
}

// TestAStreamsMemoryDoesNotGrowWithIt holds what BenchmarkStream shows.
func TestAStreamsMemoryDoesNotGrowWithIt(t *testing.T) {
	x := newTrialAt(t, "http://one/v1", chatPath, chatAsk, nil)
	a := &asking{Pool: x.Pool, call: plugins.CallOf(x.req.Context()), attempt: x.attempt, member: x.members[0], route: routeOf(chatPath)}
	p := make([]byte, 32<<10)
	allocs := func(n int) float64 {
		return testing.AllocsPerRun(10, func() {
			res := plugintest.Response(x.req, http.StatusOK, "")
			res.Header.Set("Content-Type", "text/event-stream")
			res.Body = &eventwise{"data: {\"model\":\"m\",\"choices\":[{\"delta\":{\"content\":\"a\"}}]}\n\n", n}
			res, err := a.inspect(x.req, res)
			for err == nil {
				_, err = res.Body.Read(p)
			}
		})
	}
	short, long := allocs(100), allocs(1000)
	if long > short+5 { // the pools may lose what they hold at any time
		t.Errorf("%v allocations for 100 events, %v for 1,000", short, long)
	}
}
