package tape

import (
	"bytes"
	"errors"
	"io"
	"testing"
	"testing/synctest"
	"time"
)

// numbered returns n bytes of which each tells where it stands.
func numbered(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i * 7)
	}
	return b
}

func reader(t *testing.T, tp *Tape) *Reader {
	t.Helper()
	r, ok := tp.Reader()
	if !ok {
		t.Fatal("the recording cannot be joined")
	}
	return r
}

func TestEachReaderGetsAllOfIt(t *testing.T) {
	room := NewRoom(1 << 20)
	tp := New(Options{Keep: 1 << 20, Room: room})
	text := numbered(100_000)
	first := reader(t, tp)
	if err := tp.Write(text[:300]); err != nil {
		t.Fatal(err)
	}
	second := reader(t, tp)
	if err := tp.Write(text[300:]); err != nil {
		t.Fatal(err)
	}
	tp.End(nil)
	third := reader(t, tp)
	for i, r := range []*Reader{first, second, third} {
		if got, err := io.ReadAll(r); !bytes.Equal(got, text) || err != nil {
			t.Errorf("reader %d got %d bytes, %v, want all %d", i, len(got), err, len(text))
		}
	}
	if !bytes.Equal(tp.Bytes(), text) || tp.Len() != int64(len(text)) || !tp.Whole() {
		t.Error("it is not whole")
	}
	if tp.Release(); room.Used() != 0 {
		t.Errorf("%d bytes are still taken", room.Used())
	}
}

func TestAnErrorComesBehindTheLastByte(t *testing.T) {
	broken := errors.New("broken")
	tp := New(Options{Keep: 100})
	r := reader(t, tp)
	_ = tp.Write([]byte("abc"))
	tp.End(broken)
	tp.End(nil)
	if got, err := io.ReadAll(r); string(got) != "abc" || !errors.Is(err, broken) {
		t.Errorf("it read %q, %v, want abc and then the error", got, err)
	}
}

func TestACloseEndsARead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tp := New(Options{Keep: 100})
		r := reader(t, tp)
		done := make(chan error)
		go func() {
			_, err := r.Read(make([]byte, 1))
			done <- err
		}()
		synctest.Wait()
		_ = r.Close()
		if err := <-done; !errors.Is(err, io.ErrClosedPipe) {
			t.Errorf("Read = %v, want %v", err, io.ErrClosedPipe)
		}
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	})
}

func TestItCannotBeJoinedOnceItIsLong(t *testing.T) {
	for name, long := range map[string]func(tp *Tape){
		"longer than it is kept": func(tp *Tape) { _ = tp.Write(numbered(6000)) },
		"stopped":                func(tp *Tape) { tp.Stop() },
	} {
		tp := New(Options{Keep: 5000, Ahead: 8000})
		r := reader(t, tp)
		_ = tp.Write(numbered(10))
		long(tp)
		if _, ok := tp.Reader(); ok || tp.Whole() || tp.Bytes() != nil {
			t.Errorf("%s: it can be joined", name)
		}
		tp.End(nil)
		if got, err := io.ReadAll(r); int64(len(got)) != tp.Len() || err != nil {
			t.Errorf("%s: who had joined got %d bytes, %v, want all %d", name, len(got), err, tp.Len())
		}
	}
}

// One reader alone slows the writer down and never loses anything.
func TestOneReaderAloneIsWaitedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		room := NewRoom(1 << 20)
		tp := New(Options{Keep: 10_000, Ahead: 20_000, Room: room})
		r := reader(t, tp)
		text := numbered(500_000)
		go func() {
			for p := text; len(p) > 0; p = p[min(300, len(p)):] {
				if err := tp.Write(p[:min(300, len(p))]); err != nil {
					t.Error(err)
				}
			}
			tp.End(nil)
			tp.Release()
		}()
		var got []byte
		buf := make([]byte, 1000)
		for {
			time.Sleep(time.Second)
			synctest.Wait()
			if used := room.Used(); used > 20_000+2*largest {
				t.Fatalf("%d bytes are taken, want about 20000 at most", used)
			}
			n, err := r.Read(buf)
			got = append(got, buf[:n]...)
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		if !bytes.Equal(got, text) || room.Used() != 0 {
			t.Errorf("it got %d bytes of %d, and %d are taken", len(got), len(text), room.Used())
		}
	})
}

// Of two readers the slow one does not slow the fast one, and is told.
func TestASlowReaderIsLeftBehind(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tp := New(Options{Keep: 10_000, Ahead: 10_000})
		fast, slow := reader(t, tp), reader(t, tp)
		text := numbered(100_000)
		begin := time.Now()
		got := make(chan []byte)
		go func() {
			b, _ := io.ReadAll(fast)
			got <- b
		}()
		for i := 0; i < len(text); i += 100 {
			time.Sleep(time.Millisecond)
			if err := tp.Write(text[i : i+100]); err != nil {
				t.Fatal(err)
			}
		}
		tp.End(nil)
		if b := <-got; !bytes.Equal(b, text) || time.Since(begin) != time.Second {
			t.Errorf("the fast one got %d bytes in %s, want all in a second", len(b), time.Since(begin))
		}
		if _, err := slow.Read(make([]byte, 1)); !errors.Is(err, ErrBehind) {
			t.Errorf("the slow one got %v, want %v", err, ErrBehind)
		}
	})
}

func TestNobodyReadsIt(t *testing.T) {
	tp := New(Options{Keep: 1000})
	if err := tp.Write(numbered(1000)); err != nil {
		t.Errorf("a recording that is kept has the error %v", err)
	}
	if err := tp.Write([]byte{1}); !errors.Is(err, ErrNobody) {
		t.Errorf("err = %v, want %v", err, ErrNobody)
	}
}

// A room that is full stops no stream and takes nothing from a reader alone.
func TestAFullRoomStopsNobody(t *testing.T) {
	room := NewRoom(50_000)
	kept := New(Options{Keep: 1 << 20, Room: room})
	_ = kept.Write(numbered(30_000))
	tp := New(Options{Keep: 1 << 20, Ahead: 1 << 20, Room: room})
	r := reader(t, tp)
	text := numbered(200_000)
	go func() {
		_ = tp.Write(text)
		tp.End(nil)
		tp.Release()
	}()
	if got, err := io.ReadAll(r); !bytes.Equal(got, text) || err != nil || tp.Whole() {
		t.Errorf("it got %d bytes, %v, whole %t, want all of one that is not whole", len(got), err, tp.Whole())
	}
	kept.End(nil)
	kept.Release()
	if room.Used() != 0 {
		t.Errorf("%d bytes are still taken", room.Used())
	}
}
