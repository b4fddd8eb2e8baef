package replicas

import (
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
	hold time.Duration // at most until the answer; each takes another part of it

	mu       sync.Mutex
	inFlight int // requests that are being answered
	most     int // of them at one time
	left     int // whose client left before the answer
	output   int64
	answers  int
}

// serve starts an upstream.
func serve(t testing.TB, hold time.Duration) *upstream {
	t.Helper()
	u := &upstream{hold: hold}
	u.Server = httptest.NewServer(u)
	t.Cleanup(u.Close)
	return u
}

// ServeHTTP implements [http.Handler].
func (u *upstream) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	_, _ = io.Copy(io.Discard, req.Body)
	u.enter()
	defer u.leave()
	if u.hold > 0 {
		select {
		case <-time.After(rand.N(u.hold)):
		case <-req.Context().Done():
			u.mu.Lock()
			defer u.mu.Unlock()
			u.left++
			return
		}
	}
	output := rand.Int64N(100)
	u.mu.Lock()
	u.output += output
	u.answers++
	u.mu.Unlock()
	w.Header().Set("Content-Type", "application/json")
	_, _ = fmt.Fprintf(w, `{"id":"x","object":"chat.completion","model":"m","choices":[{"index":0,"message":{"role":"assistant","content":"baa"},"finish_reason":"stop"}],`+
		`"usage":{"prompt_tokens":10,"completion_tokens":%d,"total_tokens":%d}}`, output, 10+output)
}

func (u *upstream) enter() {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.inFlight++
	u.most = max(u.most, u.inFlight)
}

func (u *upstream) leave() {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.inFlight--
}
