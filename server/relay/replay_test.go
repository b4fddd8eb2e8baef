package relay

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/holysheep/relay/plugins"
)

func TestABodyAboveMaxReplayIsNotDetached(t *testing.T) {
	const replay = 10
	broken := iotest.ErrReader(io.ErrUnexpectedEOF)
	tests := []struct {
		name string
		src  io.Reader
		size int64
		want error
	}{
		{"declared, at the limit", strings.NewReader("0123456789"), 10, nil},
		{"declared, above the limit", strings.NewReader("0123456789a"), 11, plugins.ErrBodyGone},
		{"undeclared, below the limit", strings.NewReader("012345678"), -1, nil},
		{"undeclared and empty", strings.NewReader(""), -1, nil},
		{"undeclared, just above the limit", strings.NewReader("0123456789a"), -1, plugins.ErrBodyGone},
		{"undeclared, far above the limit", strings.NewReader(strings.Repeat("x", 100_000)), -1, plugins.ErrBodyGone},
		{"undeclared, broken", io.MultiReader(strings.NewReader("01"), broken), -1, plugins.ErrBodyGone},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var sent strings.Builder
			b := newBody(t, iotest.HalfReader(io.TeeReader(tt.src, &sent)), tt.size, plugins.MiB, replay)
			req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "/v1/chat/completions", b.Reader())
			if err != nil {
				t.Fatal(err)
			}
			req.GetBody = b.Again
			out, cancel, err := plugins.Detach(req)
			if err == nil {
				defer cancel()
			}
			if !errors.Is(err, tt.want) {
				t.Fatalf("Detach: %v, want %v", err, tt.want)
			}
			if sent.Len() > replay {
				t.Errorf("read %d bytes from the client, want %d at most", sent.Len(), replay)
			}
			// Whatever came of it, the request itself can still be sent.
			got, err := io.ReadAll(req.Body)
			if want := sent.String(); string(got) != want || err != nil && !errors.Is(err, io.ErrUnexpectedEOF) {
				t.Errorf("the body = %d bytes, %v, want %d", len(got), err, len(want))
			}
			if out == nil {
				return
			}
			if held, err := io.ReadAll(out.Body); string(held) != string(got) || err != nil {
				t.Errorf("detached: %q, %v, want %q", held, err, got)
			}
		})
	}
}
