package demo

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// A stopwatch notes when each packet went out, and the headers.
type stopwatch struct {
	*httptest.ResponseRecorder
	begin time.Time
	sent  int
	times map[string]time.Duration // by how many bytes of the body went out
}

func (w *stopwatch) Flush() {
	text := w.Body.String()[w.sent:]
	w.sent += len(text)
	if w.times == nil {
		w.times = map[string]time.Duration{}
	}
	if _, seen := w.times[text]; !seen {
		w.times[text] = time.Since(w.begin)
	}
}

func TestTheFirstTokenIsLate(t *testing.T) {
	const wait = 3 * time.Second
	responseBody := `{"model":"m","stream":true,"input":"hello"}`
	completionBody := `{"model":"m","stream":true,"prompt":"hello"}`
	messageStream := strings.Replace(messageBody, "{", `{"stream":true,`, 1)
	tests := []struct {
		name, path, body string
		headers          []string
		silent           []string      // what each event before the wait has in it
		total            time.Duration // until the end
	}{
		{"chat", "/v1/chat/completions", streamBody, nil, []string{`"role":"assistant"`}, wait},
		{"completions", "/v1/completions", completionBody, nil, nil, wait},
		{"responses", "/v1/responses", responseBody, nil, []string{"response.created", "response.in_progress", "response.output_item.added", "response.content_part.added"}, wait},
		{"Anthropic's", "/v1/messages", messageStream, nil, []string{"message_start", "content_block_start", "ping"}, wait},
		{"Gemini's", "/v1beta/models/m:streamGenerateContent?alt=sse", geminiBody, nil, nil, wait},
		{"Gemini's list", "/v1beta/models/m:streamGenerateContent", geminiBody, nil, nil, wait},
		{"an error as the first token", "/v1/messages", messageStream, []string{"X-Demo-Error-Event: 1"}, []string{"message_start"}, wait},
		{"an error first", "/v1/messages", messageStream, []string{"X-Demo-Error-Event: 0"}, nil, wait},
		{"all in few packets", "/v1/messages", messageStream, []string{"X-Demo-Packets: events=99"}, []string{"message_start"}, wait},
		{"of a fixed length", "/v1/chat/completions", streamBody, []string{"X-Demo-Length: fixed"}, []string{`"role":"assistant"`}, wait},
		{"then at a pace", "/v1/chat/completions", streamBody, []string{"X-Demo-Pace: 10ms"}, []string{`"role":"assistant"`}, wait + 60*time.Millisecond},
		{"broken off before", "/v1/messages", messageStream, []string{"X-Demo-Break: events=2"}, []string{"message_start", "content_block_start"}, 0},
		{"no stream", "/v1/chat/completions", chatBody, nil, nil, 0},
		{"nothing", "/v1/chat/completions", streamBody, []string{"X-Demo-Empty: true"}, nil, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := &stopwatch{ResponseRecorder: httptest.NewRecorder(), begin: time.Now()}
				req := request(t, "http://demo"+tt.path, tt.body, append(tt.headers, "X-Demo-First-Token: 3s")...)
				func() {
					defer func() { _ = recover() }() // it may break off
					New(Options{}).ServeHTTP(w, req)
				}()
				var early []string
				for text, at := range w.times {
					if at == 0 && text != "" {
						early = append(early, text)
					}
				}
				for _, part := range tt.silent {
					if !strings.Contains(strings.Join(early, ""), part) {
						t.Errorf("%q is not among what went out at once: %q", part, early)
					}
				}
				if tt.total > 0 && strings.Contains(strings.Join(early, ""), "You") {
					t.Errorf("the first token went out at once: %q", early)
				}
				if _, head := w.times[""]; tt.total > 0 && !head {
					t.Error("the headers waited for the body")
				}
				if got := time.Since(w.begin); got != tt.total {
					t.Errorf("time = %s, want %s", got, tt.total)
				}
			})
		})
	}
}

func TestAClientThatLeavesBeforeTheFirstToken(t *testing.T) {
	s, url := start(t, Options{})
	ctx, cancel := context.WithCancel(patient(t))
	res := do(t, request(t, url+"/chat/completions", streamBody, "X-Demo-First-Token: 1h").WithContext(ctx))
	if res.StatusCode != http.StatusOK {
		t.Errorf("status = %d, want 200 at once", res.StatusCode)
	}
	if _, err := s.Books().Await(patient(t), 1, func(r Record) bool { return r.Events == 1 }); err != nil {
		t.Error(err)
	}
	cancel()
	rec, err := s.Books().Await(patient(t), 1, func(r Record) bool { return r.State.Ended() })
	if err != nil || rec.State != Cancelled {
		t.Errorf("state = %q, %v, want cancelled", rec.State, err)
	}
}
