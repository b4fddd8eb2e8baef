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

	leaves *leavers

	mu       sync.Mutex
	inFlight map[*http.Request]string // requests that are being answered, with their bodies
	most     int                      // of them at one time
	worst    int                      // of them at one time whose clients had not left
	left     int                      // whose client left before the answer
	output   int64
	answers  int
}

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
