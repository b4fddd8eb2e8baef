package plugins_test

import (
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/holysheep/relay/plugins"
)

// once is a body that passes once, and knows it.
type once struct {
	io.Reader
	closed int
}

func (o *once) Close() error     { o.closed++; return nil }
func (o *once) Replayable() bool { return false }

// spliced returns src as the body of a request whose model is changed from a to
// long; the body was seen to be a whole.
func spliced(t *testing.T, src io.ReadCloser) io.ReadCloser {
	t.Helper()
	req, ask := asking(t, chatLine, jsonType, `{"model":"a","b":1}`)
	req.Body, req.GetBody = src, func() (io.ReadCloser, error) { return src, nil }
	out, err := ask.Rewrite(req, plugins.Edit{Model: "long"})
	if err != nil {
		t.Fatal(err)
	}
	again, err := out.GetBody()
	if err != nil {
		t.Fatal(err)
	}
	return again
}

func TestASplicedBodyIsAsItsSource(t *testing.T) {
	broken := errors.New("the client left")
	tests := []struct {
		name string
		src  io.Reader
		want string
		err  error
	}{
		{"whole", strings.NewReader(`{"model":"a","b":1}`), `{"model":"long","b":1}`, nil},
		{"an end with the last bytes", iotest.DataErrReader(strings.NewReader(`{"model":"a","b":1}`)), `{"model":"long","b":1}`, nil},
		{"broken behind the model", io.MultiReader(strings.NewReader(`{"model":"a",`), iotest.ErrReader(broken)), `{"model":"long",`, broken},
		{"broken in front of the model", io.MultiReader(strings.NewReader(`{"mod`), iotest.ErrReader(broken)), `{"mod`, broken},
		{"broken inside of the model", io.MultiReader(strings.NewReader(`{"model":"`), iotest.ErrReader(broken)), `{"model":`, broken},
		{"another body, which ends early", strings.NewReader(`{}`), `{}`, io.ErrUnexpectedEOF},
		{"another body, which ends inside of the model", strings.NewReader(`{"model":"`), `{"model":`, io.ErrUnexpectedEOF},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			src := &once{Reader: tt.src}
			body := spliced(t, src)
			got, err := io.ReadAll(body)
			if string(got) != tt.want || !errors.Is(err, tt.err) {
				t.Errorf("read %s, %v, want %s, %v", got, err, tt.want, tt.err)
			}
			if _ = body.Close(); src.closed != 1 {
				t.Errorf("the source was closed %d times, want once", src.closed)
			}
		})
	}
}

func TestASplicedBodyTellsWhetherItPassesOnce(t *testing.T) {
	replayable := func(body io.ReadCloser) bool {
		r, ok := body.(interface{ Replayable() bool })
		return ok && r.Replayable()
	}
	if body := spliced(t, &once{Reader: strings.NewReader("{}")}); replayable(body) {
		t.Error("a body that passes once can be read again")
	}
	if body := spliced(t, io.NopCloser(strings.NewReader("{}"))); !replayable(body) {
		t.Error("a body that says nothing cannot be read again")
	}
	req, ask := asking(t, chatLine, jsonType, `{"model":"a"}`)
	req.GetBody = func() (io.ReadCloser, error) { return nil, plugins.ErrBodyGone }
	out, err := ask.Rewrite(req, plugins.Edit{Model: "b"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := out.GetBody(); !errors.Is(err, plugins.ErrBodyGone) {
		t.Errorf("GetBody: %v, want %v", err, plugins.ErrBodyGone)
	}
	req.GetBody = nil
	if out, err = ask.Rewrite(req, plugins.Edit{Model: "b"}); err != nil || out.GetBody != nil {
		t.Errorf("a body that cannot be had again can: %v", err)
	}
}

// A long body is not copied: a rewriting takes as much for it as for a short one.
func TestRewriteAllocates(t *testing.T) {
	cost := func(size int) float64 {
		req, ask := asking(t, chatLine, jsonType, string(chat(size)))
		return testing.AllocsPerRun(100, func() {
			out, err := ask.Rewrite(req, plugins.Edit{Model: "b", IncludeUsage: true})
			if err != nil || out == req {
				t.Fatal(err)
			}
		})
	}
	// encoding/json may lose a buffer to the garbage collector in between.
	if short, long := cost(1<<10), cost(1<<20); long > short+2 || long > 10 {
		t.Errorf("%v allocations for a short body, %v for a long one, want no more and at most 10", short, long)
	}
}

func BenchmarkRewrite(b *testing.B) {
	req, ask := asking(b, chatLine, jsonType, string(chat(16<<10)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := ask.Rewrite(req, plugins.Edit{Model: "b", IncludeUsage: true}); err != nil {
			b.Fatal(err)
		}
	}
}
