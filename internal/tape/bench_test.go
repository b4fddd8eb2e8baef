package tape

import (
	"strconv"
	"testing"
)

// BenchmarkEvent is what an event of a chat costs to write and to be read, by
// how many read it.
func BenchmarkEvent(b *testing.B) {
	for _, readers := range []int{1, 3, 100} {
		b.Run(strconv.Itoa(readers), func(b *testing.B) {
			tape := New(Options{Keep: 1 << 20, Ahead: 256 << 10, Room: NewRoom(1 << 30)})
			var all []*Reader
			for range readers {
				r, _ := tape.Reader()
				all = append(all, r)
			}
			event, buf := make([]byte, 300), make([]byte, 32<<10)
			b.ReportAllocs()
			for b.Loop() {
				if err := tape.Write(event); err != nil {
					b.Fatal(err)
				}
				for _, r := range all {
					if n, err := r.Read(buf); n != len(event) || err != nil {
						b.Fatal(n, err)
					}
				}
			}
		})
	}
}

// BenchmarkAnswer is what a short answer costs that one reads.
func BenchmarkAnswer(b *testing.B) {
	room := NewRoom(1 << 30)
	answer, buf := make([]byte, 300), make([]byte, 32<<10)
	b.ReportAllocs()
	for b.Loop() {
		tape := New(Options{Keep: 1 << 20, Ahead: 256 << 10, Room: room})
		r, _ := tape.Reader()
		if err := tape.Write(answer); err != nil {
			b.Fatal(err)
		}
		tape.End(nil)
		if n, err := r.Read(buf); n != len(answer) || err != nil {
			b.Fatal(n, err)
		}
		_ = r.Close()
		tape.Release()
	}
}

// TestAnEventTakesNoMemoryOfItsOwn writes events that are read at once: the
// chunks are used again.
func TestAnEventTakesNoMemoryOfItsOwn(t *testing.T) {
	tape := New(Options{Ahead: 64 << 10})
	r := join(t, tape)
	event, buf := make([]byte, 300), make([]byte, 4096)
	got := testing.AllocsPerRun(1000, func() {
		if err := tape.Write(event); err != nil {
			t.Fatal(err)
		}
		if _, err := r.Read(buf); err != nil {
			t.Fatal(err)
		}
	})
	if got > 0 {
		t.Errorf("%v allocations for each event", got)
	}
}
