package relay

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/iotest"
	"time"

	"github.com/holysheep/relay/plugins"
)

func newBody(t *testing.T, src io.Reader, size int64, most, replay plugins.Size) *Body {
	t.Helper()
	b, err := NewBody(io.NopCloser(src), size, most, replay)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestABodyUpToTheLimitIsReadAgain(t *testing.T) {
	tests := []struct {
		name   string
		length int
		replay plugins.Size
		again  error
	}{
		{"an empty body", 0, 10, nil},
		{"a body of one byte", 1, 10, nil},
		{"a body just at the limit", 10, 10, nil},
		{"a body above the limit passes once", 11, 10, plugins.ErrBodyGone},
		{"a long body passes once", 100_000, 10, plugins.ErrBodyGone},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			want := strings.Repeat("x", tt.length)
			b := newBody(t, iotest.HalfReader(strings.NewReader(want)), -1, plugins.MiB, tt.replay)
			got, err := io.ReadAll(b.Reader())
			if string(got) != want || err != nil {
				t.Fatalf("first reading: %d bytes, %v, want %d", len(got), err, len(want))
			}
			r, err := b.Again()
			if !errors.Is(err, tt.again) {
				t.Fatalf("again: %v, want %v", err, tt.again)
			}
			if err != nil {
				return
			}
			if got, err = io.ReadAll(r); string(got) != want || err != nil {
				t.Errorf("second reading: %d bytes, %v, want %d", len(got), err, len(want))
			}
		})
	}
}

func TestABodyAboveTheMostIsRefused(t *testing.T) {
	if _, err := NewBody(http.NoBody, 11, 10, 5); !errors.Is(err, ErrTooLarge) {
		t.Errorf("declared too large: %v, want %v", err, ErrTooLarge)
	}
	for _, replay := range []plugins.Size{1, 10, 20} {
		b := newBody(t, strings.NewReader(strings.Repeat("x", 11)), -1, 10, replay)
		got, err := io.ReadAll(b.Reader())
		if !errors.Is(err, ErrTooLarge) || len(got) > 10 {
			t.Errorf("replay %d: %d bytes, %v, want at most 10 and %v", replay, len(got), err, ErrTooLarge)
		}
		if !errors.Is(b.Err(), ErrTooLarge) {
			t.Errorf("replay %d: Err = %v, want %v", replay, b.Err(), ErrTooLarge)
		}
	}
	b := newBody(t, strings.NewReader(strings.Repeat("x", 10)), -1, 10, 5)
	if got, err := io.ReadAll(b.Reader()); len(got) != 10 || err != nil {
		t.Errorf("just at the most: %d bytes, %v, want 10", len(got), err)
	}
}

func TestPeekTakesNothingAway(t *testing.T) {
	tests := []struct {
		name   string
		length int
		whole  bool
	}{
		{"a short body is seen whole", 9000, true},
		{"a body at the limit", 10_000, true},
		{"a long body is seen in part", 50_000, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			want := strings.Repeat("x", tt.length)
			b := newBody(t, strings.NewReader(want), int64(tt.length), plugins.MiB, 10_000)
			head, whole := b.Peek()
			if whole != tt.whole || len(head) != min(tt.length, 10_000) {
				t.Errorf("peek: %d bytes, whole %t, want %t", len(head), whole, tt.whole)
			}
			if got, err := io.ReadAll(b.Reader()); string(got) != want || err != nil {
				t.Errorf("after peek: %d bytes, %v, want %d", len(got), err, len(want))
			}
		})
	}
}

func TestARefusedRequestReadsNothing(t *testing.T) {
	src := iotest.ErrReader(errors.New("read"))
	b := newBody(t, src, 5, 10, 10)
	b.Seal()
	if head, whole := b.Peek(); len(head) > 0 || whole {
		t.Errorf("peek after seal: %q, %t, want nothing", head, whole)
	}
	if b.Err() != nil {
		t.Errorf("Err = %v: the client was asked for its body", b.Err())
	}
}

func TestAReaderLeftBehindTakesNothingFromTheNext(t *testing.T) {
	pr, pw := io.Pipe()
	b := newBody(t, pr, -1, plugins.MiB, plugins.MiB)
	old := b.Reader()
	var waits sync.WaitGroup
	waits.Go(func() { _, _ = old.Read(make([]byte, 3)) }) // of an attempt that was given up
	waits.Go(func() {
		_, _ = pw.Write([]byte("abcdef"))
		_ = pw.Close()
	})
	got, err := io.ReadAll(b.Reader())
	waits.Wait()
	if string(got) != "abcdef" || err != nil {
		t.Errorf("got %q, %v, want abcdef", got, err)
	}
	_ = old.Close()
	if _, err := old.Read(make([]byte, 1)); !errors.Is(err, http.ErrBodyReadAfterClose) {
		t.Errorf("read after close: %v, want %v", err, http.ErrBodyReadAfterClose)
	}
}

func TestManyReadersSeeTheSameBytes(t *testing.T) {
	want := bytes.Repeat([]byte("0123456789"), 1000)
	b := newBody(t, iotest.OneByteReader(bytes.NewReader(want)), -1, plugins.MiB, plugins.MiB)
	var waits sync.WaitGroup
	for range 8 {
		waits.Go(func() {
			if head, whole := b.Peek(); !bytes.Equal(head, want) || !whole {
				t.Errorf("peek: %d bytes, whole %t, want %d", len(head), whole, len(want))
			}
		})
		waits.Go(func() {
			if got, err := io.ReadAll(b.Reader()); !bytes.Equal(got, want) || err != nil {
				t.Errorf("got %d bytes, %v, want %d", len(got), err, len(want))
			}
		})
	}
	waits.Wait()
}

func TestEveryReadFromTheClientIsBounded(t *testing.T) {
	b := newBody(t, strings.NewReader("abc"), 3, 10, 10)
	var bounds []bool
	b.Deadline = func(until time.Time) error {
		bounds = append(bounds, !until.IsZero())
		return nil
	}
	_, _ = io.ReadAll(b.Reader())
	for i, bounded := range bounds {
		if bounded != (i%2 == 0) {
			t.Fatalf("deadlines set and lifted in turn: %v", bounds)
		}
	}
	if len(bounds) == 0 || len(bounds)%2 != 0 {
		t.Errorf("%d calls, want pairs", len(bounds))
	}
}

func TestABrokenBodyIsNotReadAgain(t *testing.T) {
	broken := errors.New("the client left")
	b := newBody(t, io.MultiReader(strings.NewReader("half"), iotest.ErrReader(broken)), -1, 10, 10)
	_, _ = io.ReadAll(b.Reader())
	if _, err := b.Again(); !errors.Is(err, broken) {
		t.Errorf("again: %v, want %v", err, broken)
	}
}
