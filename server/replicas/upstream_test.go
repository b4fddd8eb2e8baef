package replicas

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"
)

// An upstream answers every request, after a while, with a usage of its own
// choice, and keeps the books.
type upstream struct {
	*httptest.Server
	hold time.Duration // at most until the answer, where no gate is shut; each takes another part of it

	output int64 // tokens of every answer; 0 is a number below 100 for each

	leaves *leavers

	mu       sync.Mutex
	gate     chan struct{}            // closed when answers may come; nil is at once
	inFlight map[*http.Request]string // requests that are being answered, with their bodies
	most     int                      // of them at one time
	worst    int                      // of them at one time whose clients had not left
	left     int                      // whose client left before the answer
	answers  int
	tokens   int64 // of questions and answers
	cost     int64 // nanodollars, by its prices
}

// prices is what the upstream takes, for the configuration: 500
// nanodollars for a token of a question and 420.5 for one of an answer, so that
// costs have to be rounded up.
const prices = "prices: {m: {input: 0.5, output: 0.4205}}\n"

// costOf is the price of an answer in nanodollars, rounded up.
func costOf(input, output int64) int64 { return (input*5000 + output*4205 + 9) / 10 }

// serve starts an upstream.
func serve(t testing.TB, hold time.Duration) *upstream {
	t.Helper()
	u := &upstream{hold: hold, inFlight: map[*http.Request]string{}}
	u.Server = httptest.NewServer(u)
	t.Cleanup(u.Close)
	return u
}

// ServeHTTP implements [http.Handler].
func (u *upstream) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	body, _ := io.ReadAll(req.Body)
	u.enter(req, string(body))
	defer u.leave(req)
	if !u.wait(req.Context(), u.leaves.came(string(body))) {
		u.mu.Lock()
		defer u.mu.Unlock()
		u.left++
		return
	}
	const input = 10
	output := u.output
	if output == 0 {
		output = rand.Int64N(100)
	}
	u.mu.Lock()
	u.answers++
	u.tokens += input + output
	u.cost += costOf(input, output)
	u.mu.Unlock()
	w.Header().Set("Content-Type", "application/json")
	_, _ = fmt.Fprintf(w, `{"id":"x","object":"chat.completion","model":"m","choices":[{"index":0,"message":{"role":"assistant","content":"baa"},"finish_reason":"stop"}],`+
		`"usage":{"prompt_tokens":%d,"completion_tokens":%d,"total_tokens":%d}}`, input, output, input+output)
}

// wait waits until the answer may come. It returns false if the client leaves
// before; a client that does for sure is given the time for it.
func (u *upstream) wait(ctx context.Context, leaves bool) bool {
	u.mu.Lock()
	gate := u.gate
	u.mu.Unlock()
	var after <-chan time.Time
	switch {
	case leaves:
		after = time.After(30 * time.Second)
	case u.hold > 0 && gate == nil:
		after = time.After(rand.N(u.hold))
	}
	if gate == nil && after == nil {
		return true
	}
	select {
	case <-gate:
	case <-after:
	case <-ctx.Done():
		return false
	}
	return true
}

// shut has answers wait from now on, until the test opens the gate.
func (u *upstream) shut() (open func()) {
	gate := make(chan struct{})
	u.mu.Lock()
	defer u.mu.Unlock()
	u.gate = gate
	return sync.OnceFunc(func() { close(gate) })
}

// now returns how many requests are being answered.
func (u *upstream) now() int {
	u.mu.Lock()
	defer u.mu.Unlock()
	return len(u.inFlight)
}

// books returns what the upstream has answered.
func (u *upstream) books() (answers int, tokens, cost int64) {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.answers, u.tokens, u.cost
}

func (u *upstream) enter(req *http.Request, body string) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.inFlight[req] = body
	u.most = max(u.most, len(u.inFlight))
	there := 0
	for _, body := range u.inFlight {
		if !u.leaves.left(body) {
			there++
		}
	}
	u.worst = max(u.worst, there)
}

func (u *upstream) leave(req *http.Request) {
	u.mu.Lock()
	defer u.mu.Unlock()
	delete(u.inFlight, req)
}
