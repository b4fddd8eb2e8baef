package replicas

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"
)

// A parrot is an upstream that says what it was told, in either form, slowly, and
// counts how often it is asked what.
type parrot struct {
	*httptest.Server
	pause time.Duration // before an answer, and before each event

	mu    sync.Mutex
	asked map[string]int // by what it was told and "streamed" or "unary"
	left  int            // clients that left before the end
}

func newParrot(t testing.TB, pause time.Duration) *parrot {
	t.Helper()
	p := &parrot{pause: pause, asked: map[string]int{}}
	p.Server = httptest.NewServer(p)
	t.Cleanup(p.Close)
	return p
}

// words is how many words it needs to say something.
const words = 5

// ServeHTTP implements [http.Handler].
func (p *parrot) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	var in struct {
		Stream   bool
		Messages []struct{ Content string }
	}
	body, _ := io.ReadAll(req.Body)
	if err := json.Unmarshal(body, &in); err != nil || len(in.Messages) == 0 {
		http.Error(w, "no question", http.StatusBadRequest)
		return
	}
	text := in.Messages[len(in.Messages)-1].Content
	form := map[bool]string{true: "streamed", false: "unary"}[in.Stream]
	p.mu.Lock()
	p.asked[text+" "+form]++
	p.mu.Unlock()
	if !in.Stream {
		if p.waits(req) {
			w.Header().Set("Content-Type", "application/json")
			_, _ = fmt.Fprintf(w, `{"id":"x","object":"chat.completion","created":1,"model":"m","choices":[{"index":0,"message":{"role":"assistant","content":%q},"finish_reason":"stop"}],`+
				`"usage":{"prompt_tokens":3,"completion_tokens":5,"total_tokens":8}}`, strings.Repeat(text, words))
		}
		return
	}
	w.Header().Set("Content-Type", "text/event-stream")
	chunk := func(choices, usage string) bool {
		_, _ = fmt.Fprintf(w, `data: {"id":"x","object":"chat.completion.chunk","created":1,"model":"m","choices":[%s],"usage":%s}`+"\n\n", choices, usage)
		w.(http.Flusher).Flush()
		return p.waits(req)
	}
	for range words {
		if !chunk(fmt.Sprintf(`{"index":0,"delta":{"role":"assistant","content":%q},"finish_reason":null}`, text), "null") {
			return
		}
	}
	if chunk(`{"index":0,"delta":{},"finish_reason":"stop"}`, "null") && chunk("", `{"prompt_tokens":3,"completion_tokens":5,"total_tokens":8}`) {
		_, _ = io.WriteString(w, "data: [DONE]\n\n")
	}
}

// waits reports whether the client is still there after a pause.
func (p *parrot) waits(req *http.Request) bool {
	select {
	case <-time.After(p.pause):
		return true
	case <-req.Context().Done():
		p.mu.Lock()
		defer p.mu.Unlock()
		p.left++
		return false
	}
}

// calls returns how often it was asked in all.
func (p *parrot) calls() (n int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, times := range p.asked {
		n += times
	}
	return n
}

// told returns a question that tells it text.
func told(text string, streamed bool) string {
	return fmt.Sprintf(`{"model":"m","temperature":0,"stream":%t,"messages":[{"role":"user","content":%q}]}`, streamed, text)
}

// says fails unless body is the whole answer to text.
func says(t *testing.T, body, text string, streamed bool) {
	t.Helper()
	if !streamed {
		if !strings.Contains(body, strings.Repeat(text, words)) || !strings.HasSuffix(body, "}") {
			t.Errorf("the answer to %q is %q", text, body)
		}
		return
	}
	// In one delta, if the stream was made of an answer in one piece.
	if strings.Count(body, text) != words || !strings.HasSuffix(body, "data: [DONE]\n\n") || !strings.Contains(body, `"finish_reason":"stop"`) {
		t.Errorf("the answer to %q is %q", text, body)
	}
}
