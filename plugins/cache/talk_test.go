package cache_test

import (
	"context"
	"fmt"
	"io"
	"maps"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/holysheep/relay/plugins"
	"github.com/holysheep/relay/plugins/plugintest"
)

// chunks returns the events of a chat that says so many words.
func chunks(words int) []string {
	var all []string
	chunk := func(choice string) {
		all = append(all, `data: {"id":"c","object":"chat.completion.chunk","created":1,"model":"m","choices":[`+choice+"]}\n\n")
	}
	chunk(`{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":null}`)
	for i := range words {
		chunk(fmt.Sprintf(`{"index":0,"delta":{"content":"word%d "},"finish_reason":null}`, i))
	}
	chunk(`{"index":0,"delta":{},"finish_reason":"stop"}`)
	return append(all, "data: [DONE]\n\n")
}

// talk is an upstream that streams events, or answers in one piece, slowly. It
// notes what is asked of it. Its body ends with its request, as net/http's does.
type talk struct {
	events []string
	pause  time.Duration // before each event, and before the answer in one piece
	linger time.Duration // between the last event and the end
	unary  string
	status int // 0 is 200
	header http.Header
	fail   error // in place of an answer

	mu     sync.Mutex
	asked  int
	open   int // bodies that are not closed
	cut    int // bodies that ended early
	oneAsk func(n int) (status int, fail error)
}

const whole = `{"id":"c","object":"chat.completion","created":1,"model":"m","choices":[{"index":0,"message":{"role":"assistant","content":"word"},"finish_reason":"stop"}]}`

func (u *talk) RoundTrip(req *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(req.Body)
	if err != nil {
		return nil, err
	}
	u.mu.Lock()
	u.asked++
	status, fail := u.status, u.fail
	if u.oneAsk != nil {
		status, fail = u.oneAsk(u.asked)
	}
	u.mu.Unlock()
	call, a := plugins.CallOf(req.Context()), &plugins.Attempt{}
	a.Begin("up", "", call.Ask().Model, 0)
	call.Trail.Begin(a)
	streamed := strings.Contains(string(body), `"stream":true`)
	if err := wait(req.Context(), u.pause); err != nil {
		return nil, err
	}
	if fail != nil {
		return nil, fail
	}
	res := plugintest.Response(req, max(status, 200), u.unary)
	if u.unary == "" {
		res = plugintest.Response(req, max(status, 200), whole)
	}
	if streamed && res.StatusCode == 200 {
		res.Header = http.Header{"Content-Type": {"text/event-stream"}}
		res.ContentLength = -1
		res.Body = &talking{talk: u, ctx: req.Context(), left: u.events}
	}
	maps.Copy(res.Header, u.header)
	u.mu.Lock()
	u.open++
	u.mu.Unlock()
	plugins.Watch(res, nil, func(whole bool) {
		usage := plugins.Usage{Input: 10, Output: 20, Source: plugins.UsageReported}
		u.mu.Lock()
		defer u.mu.Unlock()
		u.open--
		if !whole {
			u.cut++
			usage.Source = plugins.UsagePartial
		}
		a.SetUsage(usage)
	})
	return res, nil
}

// wait waits, unless ctx ends.
func wait(ctx context.Context, d time.Duration) error {
	if d == 0 {
		return ctx.Err()
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

// counts returns how often the upstream was asked, and how many bodies are open
// and were cut.
func (u *talk) counts() (asked, open, cut int) {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.asked, u.open, u.cut
}

// talking is a body of a stream.
type talking struct {
	*talk
	ctx  context.Context
	left []string
	rest string
}

func (b *talking) Read(p []byte) (int, error) {
	if b.rest == "" {
		if len(b.left) == 0 {
			if err := wait(b.ctx, b.linger); err != nil {
				return 0, err
			}
			return 0, io.EOF
		}
		if err := wait(b.ctx, b.pause); err != nil {
			return 0, err
		}
		b.rest, b.left = b.left[0], b.left[1:]
	}
	n := copy(p, b.rest)
	b.rest = b.rest[n:]
	return n, nil
}

func (b *talking) Close() error { return nil }
