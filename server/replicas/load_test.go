package replicas

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// An asked is one request as its client saw it.
type asked struct {
	client     string
	sent, done time.Time
	status     int
	header     http.Header
	body       string
	err        error
}

// A load asks relays from many connections at once, each again as soon as it
// has its answer.
type load struct {
	relays      []*relay
	connections int
	body        string
	leaves      *leavers      // who leaves before the answer; nil is nobody
	think       time.Duration // between an answer and the next request
}

// run asks for as long as told, or until ctx ends, and returns every request.
func (l load) run(ctx context.Context, t testing.TB, d time.Duration) []asked {
	t.Helper()
	transport := &http.Transport{MaxIdleConnsPerHost: l.connections}
	defer transport.CloseIdleConnections()
	ctx, cancel := context.WithTimeout(ctx, d)
	defer cancel()
	var wg sync.WaitGroup
	all := make([][]asked, l.connections)
	for i := range l.connections {
		wg.Go(func() {
			for ctx.Err() == nil {
				all[i] = append(all[i], l.ask(transport, i))
				if l.think > 0 {
					time.Sleep(rand.N(2 * l.think))
				}
			}
		})
	}
	wg.Wait()
	return slices.Concat(all...)
}

// ask sends one request: of the client and to the relay that connection i has.
func (l load) ask(transport http.RoundTripper, i int) asked {
	a := asked{client: clients[i%len(clients)], sent: time.Now()}
	url := l.relays[i/len(clients)%len(l.relays)].url
	ctx, body, end := l.leaves.begin(l.body)
	defer end()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url+"/v1/chat/completions", strings.NewReader(body))
	if err != nil {
		panic(err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Authorization", "Bearer "+key(a.client))
	res, err := transport.RoundTrip(req)
	if err == nil {
		var body []byte
		body, err = io.ReadAll(res.Body)
		_ = res.Body.Close()
		a.status, a.header, a.body = res.StatusCode, res.Header, string(body)
	}
	a.done, a.err = time.Now(), err
	return a
}

// of returns the requests of one client, or all if that is "".
func of(all []asked, client string) []asked {
	return slices.DeleteFunc(slices.Clone(all), func(a asked) bool { return client != "" && a.client != client })
}

// passed returns those that were let through, of one client or of all.
func passed(all []asked, client string) []asked {
	return slices.DeleteFunc(of(all, client), func(a asked) bool { return a.status != http.StatusOK })
}

// tally counts the answers by status and code.
func tally(all []asked) map[string]int {
	counts := map[string]int{}
	for _, a := range all {
		code := ""
		if a.status != http.StatusOK {
			if _, rest, ok := strings.Cut(a.body, `"code":"`); ok {
				code, _, _ = strings.Cut(rest, `"`)
			}
		}
		if a.err != nil {
			code = a.err.Error()
		}
		counts[strings.TrimSpace(fmt.Sprintf("%d %s", a.status, code))]++
	}
	return counts
}

// statuses counts the answers by status, 0 being none.
func statuses(all []asked) map[int]int {
	counts := map[int]int{}
	for _, a := range all {
		counts[a.status]++
	}
	return counts
}

// exact fails if more passed in any window of time than a bucket lets through
// that holds burst and gets one back every interval. When a relay decided is not seen from outside, but it was between the
// sending and the answer: so those count that were sent and answered within a
// window.
func exact(t *testing.T, what string, passed []asked, burst int, interval time.Duration) {
	t.Helper()
	if len(passed) == 0 {
		t.Errorf("%s: nothing passed", what)
		return
	}
	slices.SortFunc(passed, func(a, b asked) int { return a.done.Compare(b.done) })
	for _, first := range passed {
		n := 0
		for _, last := range passed {
			if last.sent.Before(first.sent) {
				continue
			}
			n++
			w := last.done.Sub(first.sent)
			if most := burst + int(w/interval); n > most {
				t.Errorf("%s: %d passed within %s, more than %d", what, n, w, most)
				return
			}
		}
	}
}

// abreast runs a subtest for each of all, so many at a time whatever the number
// of processors: they wait more than they work.
func abreast[T any](t *testing.T, n int, all []T, name func(T) string, test func(*testing.T, T)) {
	t.Helper()
	free := make(chan struct{}, n)
	var wg sync.WaitGroup
	for _, one := range all {
		free <- struct{}{}
		wg.Go(func() {
			defer func() { <-free }()
			t.Run(name(one), func(t *testing.T) { test(t, one) })
		})
	}
	wg.Wait()
}
