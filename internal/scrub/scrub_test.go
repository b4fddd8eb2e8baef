package scrub

import (
	"errors"
	"fmt"
	"io"
	"net/textproto"
	"strings"
	"testing"
)

func TestError(t *testing.T) {
	tests := []struct {
		name string
		err  error
		want string
	}{
		{"nothing", nil, ""},
		{"words of a library stay", errors.New("dial tcp 127.0.0.1:1: connect: connection refused"), "dial tcp 127.0.0.1:1: connect: connection refused"},
		{"what was quoted goes", fmt.Errorf("malformed HTTP status code %q", `{"secret":1}`), `malformed HTTP status code "…"`},
		{"two of them", errors.New(`a "x" b "y\"z" c`), `a "…" b "…" c`},
		{"one that is not closed", errors.New(`a "secret`), `a "…"`},
		{"a bare header line", fmt.Errorf("up: %w", textproto.ProtocolError("malformed MIME header line: Set-Cookie=secret")), "up: malformed header"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := Error(tt.err); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestWrapKeepsTheTree(t *testing.T) {
	err := Wrap("upstream a: ", fmt.Errorf("read %q: %w", "secret", io.ErrUnexpectedEOF))
	if !errors.Is(err, io.ErrUnexpectedEOF) || err.Error() != `upstream a: read "…": unexpected EOF` {
		t.Errorf("got %v", err)
	}
}

func FuzzError(f *testing.F) {
	f.Add(`a "b" c`, "s")
	f.Fuzz(func(t *testing.T, before, secret string) {
		if strings.ContainsRune(before, '"') || secret == "" || strings.Contains(before+`"…" after`, secret) {
			return // the secret stands outside as well
		}
		if got := Error(fmt.Errorf("%s%q after", before, secret)); strings.Contains(got, secret) {
			t.Errorf("%q shows %q", got, secret)
		}
	})
}
