package server

import (
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/holysheep/relay/internal/demo"
)

// TestTimeStandsStillInMemory holds the network in memory to its purpose: what
// a request waits for is all the time that passes.
func TestTimeStandsStillInMemory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, stop := inMemory(t, "chain: [retry]\nallow_anonymous: true\nplugins: {retry: {wait: 0s, max_wait: 0s}}\n",
			map[string]http.Handler{"one": demo.New(demo.Options{})})
		defer stop()
		start := time.Now()
		res, _, err := b.ask(t, "/v1/embeddings", `{"model":"demo","input":"hi"}`, "X-Demo-Fail", "x=2:503", "X-Demo-Retry-After", "2")
		if err != nil || res.StatusCode != http.StatusOK || time.Since(start) != 4*time.Second {
			t.Errorf("got %v, %v after %s, want 200 after 4s", res, err, time.Since(start))
		}
	})
}
