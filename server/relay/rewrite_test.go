package relay

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/iotest"

	"github.com/holysheep/relay/plugins"
)

// rewritten returns a request to url whose body, which replay bytes of can be
// held, is rewritten on its way; size is what the client declared.
func rewritten(t *testing.T, url, text string, size int64, replay plugins.Size) (*http.Request, *Body) {
	t.Helper()
	body := newBody(t, iotest.HalfReader(strings.NewReader(text)), size, plugins.MiB, replay)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url+"/v1/chat/completions", body.Reader())
	if err != nil {
		t.Fatal(err)
	}
	req.ContentLength, req.GetBody = size, body.Again
	req.Header.Set("Content-Type", "application/json")
	head, whole := body.Peek()
	req, err = plugins.ReadAsk(req, head, whole).Rewrite(req, plugins.Edit{Model: "team/model-b", IncludeUsage: true})
	if err != nil {
		t.Fatal(err)
	}
	return req, body
}

// bodies returns a server that keeps what it is sent, and the lengths declared.
func bodies(t *testing.T, status int) (url string, got *[]string, lengths *[]int64) {
	t.Helper()
	got, lengths = new([]string), new([]int64)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		*got, *lengths = append(*got, string(b)), append(*lengths, r.ContentLength)
		w.WriteHeader(status)
	}))
	t.Cleanup(server.Close)
	return server.URL, got, lengths
}

func TestARewrittenBodyIsSent(t *testing.T) {
	filler := strings.Repeat("x", 100_000)
	short := `{"model":"model-a","stream":true,"messages":["` + filler + `"]}`
	shortWant := `{"stream_options":{"include_usage":true},"model":"team/model-b","stream":true,"messages":["` + filler + `"]}`
	longWant := `{"model":"team/model-b","stream":true,"messages":["` + filler + `"]}` // more may come for all one knows
	tests := []struct {
		name    string
		declare bool
		replay  plugins.Size
		want    string
		again   error
	}{
		{"held", true, plugins.MiB, shortWant, nil},
		{"held, of unknown length", false, plugins.MiB, shortWant, nil},
		{"too long to be held", true, 1000, longWant, plugins.ErrBodyGone},
		{"too long to be held, of unknown length", false, 1000, longWant, plugins.ErrBodyGone},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			url, got, lengths := bodies(t, http.StatusOK)
			size, wantLength := int64(-1), int64(-1)
			if tt.declare {
				size, wantLength = int64(len(short)), int64(len(tt.want))
			}
			req, _ := rewritten(t, url, short, size, tt.replay)
			res, err := http.DefaultTransport.RoundTrip(req)
			if err != nil {
				t.Fatal(err)
			}
			_ = res.Body.Close()
			if len(*got) != 1 || (*got)[0] != tt.want || (*lengths)[0] != wantLength {
				t.Errorf("the upstream got %d bodies of lengths %d, want one of %d (%d bytes)", len(*got), *lengths, wantLength, len(tt.want))
			}
			again, err := req.GetBody()
			if !errors.Is(err, tt.again) {
				t.Fatalf("again: %v, want %v", err, tt.again)
			}
			if err == nil {
				b, err := io.ReadAll(again)
				if string(b) != tt.want || err != nil {
					t.Errorf("read again: %d bytes, %v, want %d", len(b), err, len(tt.want))
				}
			}
		})
	}
}

// A connection that the upstream closed while it was idle has net/http send the
// request again by itself, from GetBody.
func TestTheTransportSendsARewrittenBodyAgain(t *testing.T) {
	var mu sync.Mutex // the handlers of two connections write
	var got [][]byte
	server := httptest.NewUnstartedServer(nil)
	server.Config.Handler = http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		mu.Lock()
		defer mu.Unlock()
		if got = append(got, b); len(got) == 2 {
			panic(http.ErrAbortHandler) // after the body, without a byte of an answer
		}
	})
	server.Start()
	defer server.Close()
	transport := &http.Transport{}
	defer transport.CloseIdleConnections()
	const text = `{"model":"model-a","stream":true}`
	for range 2 {
		req, _ := rewritten(t, server.URL, text, int64(len(text)), plugins.MiB)
		req.Header.Set("Idempotency-Key", "x") // or a POST is not sent again
		res, err := transport.RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		_ = res.Body.Close()
	}
	mu.Lock()
	defer mu.Unlock()
	if len(got) != 3 || !bytes.Equal(got[1], got[2]) || !bytes.Contains(got[2], []byte(`"team/model-b"`)) {
		t.Errorf("the upstream got %q, want the rewritten body three times", got)
	}
}

// Whether a body can be had again whole is known through the rewriting.
func TestARewrittenBodyIsDetached(t *testing.T) {
	text := `{"model":"model-a","x":"` + strings.Repeat("x", 5000) + `"}`
	for _, replay := range []plugins.Size{1000, plugins.MiB} {
		req, _ := rewritten(t, "", text, int64(len(text)), replay)
		out, cancel, err := plugins.Detach(req)
		if held := replay == plugins.MiB; held != (err == nil) || !held && !errors.Is(err, plugins.ErrBodyGone) {
			t.Errorf("replay %d: %v", replay, err)
		}
		if err == nil {
			cancel()
			b, _ := io.ReadAll(out.Body)
			if want := strings.Replace(text, "model-a", "team/model-b", 1); string(b) != want || out.ContentLength != int64(len(want)) {
				t.Errorf("detached: %d bytes of %d, want %d", len(b), out.ContentLength, len(want))
			}
		}
	}
}

func TestARewrittenBodyBreaksAsItsSource(t *testing.T) {
	body := newBody(t, strings.NewReader(`{"model":"model-a","x":"`+strings.Repeat("x", 5000)), -1, 2000, 1000)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "/v1/chat/completions", body.Reader())
	if err != nil {
		t.Fatal(err)
	}
	head, whole := body.Peek()
	out, err := plugins.ReadAsk(req, head, whole).Rewrite(req, plugins.Edit{Model: "b"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadAll(out.Body); !errors.Is(err, ErrTooLarge) {
		t.Errorf("a body above the most: %v, want %v", err, ErrTooLarge)
	}
}
