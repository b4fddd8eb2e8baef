package tape

import (
	"bytes"
	"errors"
	"io"
	"testing"
	"testing/synctest"
	"time"
)

// write writes what tapes hold from here on.
func write(t *testing.T, tape *Tape, n int64) {
	t.Helper()
	if err := tape.Write(content(tape.Len(), tape.Len()+n)); err != nil {
		t.Fatalf("Write = %v", err)
	}
}

// join returns a reader that is closed at the end of the test.
func join(t *testing.T, tape *Tape) *Reader {
	t.Helper()
	r, ok := tape.Reader()
	if !ok {
		t.Fatal("there is no reader")
	}
	t.Cleanup(func() { _ = r.Close() })
	return r
}

// read reads n bytes and not more.
func read(t *testing.T, r *Reader, n int64) {
	t.Helper()
	got, err := io.ReadAll(io.LimitReader(r, n))
	if err != nil || int64(len(got)) != n {
		t.Fatalf("read %d bytes, %v, want %d", len(got), err, n)
	}
}

func TestAReaderHearsHowTheTapeEnded(t *testing.T) {
	tests := []struct {
		name string
		end  func(*Tape)
		want error
	}{
		{"no error is a good end", func(a *Tape) { a.End(nil) }, nil},
		{"so is the end of what it is a copy of", func(a *Tape) { a.End(io.EOF) }, nil},
		{"an error comes after all bytes", func(a *Tape) { a.End(errBroken) }, errBroken},
		{"the first end counts", func(a *Tape) { a.End(errBroken); a.End(nil); a.Release() }, errBroken},
		{"an owner that leaves early breaks it off", func(a *Tape) { a.Release(); a.End(nil) }, io.ErrUnexpectedEOF},
		{"an owner that leaves afterwards does not", func(a *Tape) { a.End(nil); a.Release(); a.Release() }, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			room := NewRoom(1 << 20)
			tape := New(Options{Keep: 1 << 20, Room: room})
			early := join(t, tape)
			write(t, tape, 10_000)
			late := join(t, tape)
			tt.end(tape)
			for _, r := range []*Reader{early, late} {
				if got, err := io.ReadAll(r); !bytes.Equal(got, content(0, 10_000)) || !errors.Is(err, tt.want) {
					t.Errorf("read %d bytes and %v, want all and %v", len(got), err, tt.want)
				}
			}
			if err := tape.Write([]byte("x")); !errors.Is(err, io.ErrClosedPipe) {
				t.Errorf("Write after the end = %v, want %v", err, io.ErrClosedPipe)
			}
			tape.Release()
			if got := room.Used(); got != 0 {
				t.Errorf("%d bytes are used, though all readers have ended", got)
			}
		})
	}
}

func TestAWholeTapeNeedsNoReader(t *testing.T) {
	tape := New(Options{Keep: 1000})
	write(t, tape, 1000)
	if got := tape.Bytes(); !bytes.Equal(got, content(0, 1000)) || cap(got) != 1000 {
		t.Errorf("%d bytes in %d, want all 1000", len(got), cap(got))
	}
	if err := tape.Write([]byte("x")); !errors.Is(err, ErrNobody) || tape.Whole() || tape.Bytes() != nil {
		t.Errorf("a byte too many: %v, whole %t, want %v", err, tape.Whole(), ErrNobody)
	}
	if r, ok := tape.Reader(); ok || r != nil {
		t.Error("a reader has joined a tape that is not whole")
	}
}

func TestAnEmptyTapeIsWholeToo(t *testing.T) {
	tape := New(Options{})
	r := join(t, tape)
	if tape.End(nil); tape.Bytes() == nil || len(tape.Bytes()) != 0 {
		t.Errorf("Bytes = %v, want none, but not nil", tape.Bytes())
	}
	if n, err := r.Read(make([]byte, 1)); n != 0 || !errors.Is(err, io.EOF) {
		t.Errorf("Read = %d, %v, want %v", n, err, io.EOF)
	}
}

func TestShortAnswersTakeLittle(t *testing.T) {
	for _, tt := range []struct{ write, want int64 }{{1, 512}, {300, 512}, {512, 512}, {513, 1024}, {1025, 2048}, {3000, 4096}, {9000, 12288}} {
		room := NewRoom(1 << 20)
		tape := New(Options{Keep: 1 << 20, Room: room})
		if write(t, tape, tt.write); room.Used() != tt.want {
			t.Errorf("%d bytes take %d, want %d", tt.write, room.Used(), tt.want)
		}
	}
}

func TestCloseEndsAReadThatWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tape := New(Options{Keep: 100})
		r, other := join(t, tape), join(t, tape)
		ends := make(chan error, 2)
		for _, r := range []*Reader{r, other} {
			go func() {
				_, err := r.Read(make([]byte, 1))
				ends <- err
			}()
		}
		synctest.Wait()
		for range 2 { // once is enough, and twice does no harm
			if err := r.Close(); err != nil {
				t.Errorf("Close = %v", err)
			}
		}
		synctest.Wait()
		if err := <-ends; !errors.Is(err, io.ErrClosedPipe) || len(ends) > 0 {
			t.Errorf("Read = %v, and %d others have ended, want %v and none", err, len(ends), io.ErrClosedPipe)
		}
		write(t, tape, 1)
		if err := <-ends; err != nil {
			t.Errorf("Read of the other = %v", err)
		}
		if _, err := r.Read(make([]byte, 1)); !errors.Is(err, io.ErrClosedPipe) {
			t.Errorf("Read afterwards = %v, want %v", err, io.ErrClosedPipe)
		}
	})
}

// TestOneReaderAloneHoldsTheWriterBack has a writer that could be done at once.
func TestOneReaderAloneHoldsTheWriterBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tape := New(Options{Ahead: 20_000})
		r := join(t, tape)
		go func() {
			write(t, tape, 100_000) // in one piece
			tape.End(nil)
		}()
		for at := int64(0); at < 100_000; at += 1000 {
			synctest.Wait()
			if got, want := tape.Len(), min(at+10_000, 100_000); got != want {
				t.Fatalf("%d bytes are written after %d were read, want %d", got, at, want)
			}
			time.Sleep(time.Hour)
			read(t, r, 1000)
		}
		if _, err := r.Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
			t.Errorf("Read = %v, want %v", err, io.EOF)
		}
	})
}

// TestTheWriterWaitsForTheNextFastest closes the reader that it has waited for,
// which is so far in front that the writer has to wait for the other as well.
func TestTheWriterWaitsForTheNextFastest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tape := New(Options{Ahead: 2000})
		fast, slow := join(t, tape), join(t, tape)
		ended := make(chan error, 1)
		go func() { ended <- tape.Write(content(0, 5000)) }()
		for _, step := range []struct {
			do   func()
			want int64
		}{
			{func() {}, 1000},
			{func() { read(t, slow, 100) }, 1100},
			{func() { read(t, fast, 1000) }, 2000},
			{func() { _ = fast.Close() }, 2000},
			{func() { read(t, slow, 899) }, 2000},
			{func() { read(t, slow, 2) }, 2001},
			{func() { _ = slow.Close() }, 2001},
		} {
			step.do()
			if synctest.Wait(); tape.Len() != step.want {
				t.Fatalf("%d bytes are written, want %d", tape.Len(), step.want)
			}
		}
		if err := <-ended; !errors.Is(err, ErrNobody) {
			t.Errorf("Write = %v, want %v", err, ErrNobody)
		}
	})
}
