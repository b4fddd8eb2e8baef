package server

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/holysheep/relay/internal/demo"
)

func TestAClientThatLeavesInABackoffIsTheLastAttempt(t *testing.T) {
	for _, protocol := range protocols() {
		t.Run(protocol, func(t *testing.T) {
			tidy(t)
			r := start(t, whole+"  retry: {attempts: 5, max_retry_after: 1h}\nlog: {level: debug}\n")
			c := r.call(t, speaks(t, protocol), "/v1/chat/completions", strings.NewReader(unary), http.Header{
				"X-Demo-Status": {"503"}, "X-Demo-Retry-After": {"60"},
			})
			r.Log.Wait(t, func(line map[string]any) bool { return line["msg"] == "asking again" })
			r.holds(t, 1)
			c.leave()
			if diff := cmp.Diff(r.line(t), told{499, "client_gone", 1}); diff != "" {
				t.Errorf("access line (-got +want):\n%s", diff)
			}
			if err := r.Stop(); err != nil {
				t.Error(err)
			}
			if n := r.Demo.Books().Len(); n != 1 {
				t.Errorf("the upstream was asked %d times, want once", n)
			}
		})
	}
}

func TestAClientThatLeavesInItsUploadEndsTheUpstreamsWork(t *testing.T) {
	for _, protocol := range protocols() {
		t.Run(protocol, func(t *testing.T) {
			tidy(t)
			r := start(t, whole)
			body, upload := io.Pipe()
			c := r.call(t, speaks(t, protocol), "/v1/echo", body, nil)
			write(t, upload, "half")
			r.await(t, func(rec demo.Record) bool { return rec.BodyBytes == 4 })
			r.holds(t, 1)
			c.leave()
			if rec := r.await(t, ended); rec.State != demo.Cancelled {
				t.Errorf("at the upstream the request is %q, want cancelled", rec.State)
			}
			if diff := cmp.Diff(r.line(t), told{499, "client_gone", 1}); diff != "" {
				t.Errorf("access line (-got +want):\n%s", diff)
			}
			_ = upload.Close()
		})
	}
}

func TestAnUploadThatGrowsTooLargeEndsTheUpstreamsWork(t *testing.T) {
	for _, protocol := range protocols() {
		t.Run(protocol, func(t *testing.T) {
			tidy(t)
			r := start(t, whole+"max_body: 64KiB\nmax_replay: 1KiB\n")
			body, upload := io.Pipe()
			c := r.call(t, speaks(t, protocol), "/v1/echo", body, nil)
			write(t, upload, strings.Repeat("x", 60<<10))
			r.await(t, func(rec demo.Record) bool { return rec.BodyBytes == 60<<10 })
			r.holds(t, 1)
			write(t, upload, strings.Repeat("x", 5<<10))
			got, err := c.rest()
			if err != nil || c.res.StatusCode != 413 || errorCode(string(got)) != "request_too_large" {
				t.Errorf("answer %q, %v, want 413 request_too_large", got, err)
			}
			if rec := r.await(t, ended); rec.State != demo.Cancelled || rec.BodyBytes > 64<<10 {
				t.Errorf("at the upstream the request is %q after %d bytes, want cancelled", rec.State, rec.BodyBytes)
			}
			if diff := cmp.Diff(r.line(t), told{413, nil, 1}); diff != "" {
				t.Errorf("access line (-got +want):\n%s", diff)
			}
			_ = upload.Close()
		})
	}
}

// write sends a piece of a body. It returns when the client's transport has
// taken all of it, or has given up.
func write(t testing.TB, upload *io.PipeWriter, piece string) {
	t.Helper()
	if _, err := io.WriteString(upload, piece); err != nil && !errors.Is(err, io.ErrClosedPipe) {
		t.Fatal(err)
	}
}

func TestWhatAClientThatLeftMayHaveUsedIsPartial(t *testing.T) {
	tidy(t)
	r := start(t, whole)
	c := r.call(t, speaks(t, "HTTP/1.1"), "/v1/chat/completions", strings.NewReader(unary), http.Header{"X-Demo-Latency": {"1h"}})
	r.await(t, func(rec demo.Record) bool { return rec.BodyBytes == int64(len(unary)) })
	c.leave()
	line := r.Log.access(t, "leaver")
	if want := float64((len(unary) + 3) / 4); line["usage"] != "partial" || line["input_tokens"] != want {
		t.Errorf("access line %v, want partial use with %v tokens of input", line, want)
	}
	if got := r.metric(t, "relay_upstream_tokens_total", "kind", "input", "source", "partial"); got != float64((len(unary)+3)/4) {
		t.Errorf("%v tokens of input were counted", got)
	}
}
