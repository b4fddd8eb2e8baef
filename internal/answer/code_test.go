package answer

import (
	"bytes"
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// example returns an answer with every field set.
func example(body string) *Answer {
	return &Answer{
		Key: Key{1, 2, 3}, Form: Usage, Type: "text/event-stream", Language: "de", Body: []byte(body),
		Since: time.Unix(1_790_000_000, 123_456_789), Most: math.MaxInt64, Model: "gpt-4.1",
		Tokens: Tokens{Input: 1, Output: 2, Cached: 3, Written: 4, Reasoning: 5, Known: true, Estimated: true, Counted: true},
	}
}

func TestAnswersComeBack(t *testing.T) {
	c := NewCodec()
	tests := []struct {
		name   string
		answer *Answer
		most   int // bytes that it is encoded in
	}{
		{"every field", example("data: a\n\n"), 140},
		{"a body that can be packed", example(strings.Repeat("data: {\"a\":1}\n\n", 10_000)), 1000},
		{"a body that cannot", example(string(noise(2000))), 2150},
		{"nothing", &Answer{Since: time.Unix(0, 0), Body: []byte{}}, 80},
		{"another form", &Answer{Since: time.Unix(0, -1), Form: Stream, Body: []byte("x"), Most: -1}, 80},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := c.Encode(tt.answer)
			got, err := c.Decode(tt.answer.Key, b, len(tt.answer.Body))
			if diff := cmp.Diff(tt.answer, got); diff != "" || err != nil {
				t.Errorf("%v, answer (-want +got):\n%s", err, diff)
			}
			if len(b) > tt.most {
				t.Errorf("it takes %d bytes, want %d at most", len(b), tt.most)
			}
		})
	}
}

// noise returns bytes that cannot be packed.
func noise(n int) []byte {
	b, x := make([]byte, n), uint64(88172645463325252)
	for i := range b {
		x ^= x << 13
		x ^= x >> 7
		x ^= x << 17
		b[i] = byte(x)
	}
	return b
}

func TestWhatIsNoAnswer(t *testing.T) {
	c := NewCodec()
	whole := c.Encode(example("body"))
	newer := bytes.Clone(whole)
	newer[len(mark)]++
	tests := []struct {
		name  string
		key   Key
		value []byte
		most  int
		want  error
	}{
		{"that of another question", Key{1, 2}, whole, 100, ErrForeign},
		{"that of another version", Key{1, 2, 3}, newer, 100, ErrVersion},
		{"one that is too long", Key{1, 2, 3}, whole, 3, ErrTooLong},
		{"nothing", Key{}, nil, 100, ErrDamaged},
		{"text", Key{}, []byte(strings.Repeat("hello ", 20)), 100, ErrDamaged},
		{"more than an answer", Key{1, 2, 3}, append(bytes.Clone(whole), 0), 100, ErrDamaged},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if a, err := c.Decode(tt.key, tt.value, tt.most); !errors.Is(err, tt.want) || a != nil {
				t.Errorf("Decode = %v, %v, want %v", a, err, tt.want)
			}
		})
	}
}

// A bomb is a value whose body announces less than it unpacks to.
func TestABombIsNotUnpacked(t *testing.T) {
	c := NewCodec()
	a := example(strings.Repeat("x", 10_000_000))
	got, err := c.Decode(a.Key, c.Encode(a), 1<<20)
	if !errors.Is(err, ErrTooLong) || got != nil {
		t.Errorf("Decode = %v, want %v", err, ErrTooLong)
	}
	if _, err := c.body(c.pack.EncodeAll(a.Body, nil), 1000, true); !errors.Is(err, ErrDamaged) {
		t.Errorf("a body that is longer than it says is %v, want %v", err, ErrDamaged)
	}
}

// Whatever is changed in a value or left out of it, it is no answer any more.
func TestDamageIsSeen(t *testing.T) {
	c := NewCodec()
	for _, body := range []string{"data: a\n\n", strings.Repeat("data: a\n\n", 200)} {
		a := example(body)
		b := c.Encode(a)
		for i := range b {
			for bit := range 8 {
				b[i] ^= 1 << bit
				if got, err := c.Decode(a.Key, b, 1<<20); err == nil || got != nil {
					t.Fatalf("bit %d of byte %d does not matter", bit, i)
				}
				b[i] ^= 1 << bit
			}
			if got, err := c.Decode(a.Key, b[:i], 1<<20); err == nil || got != nil {
				t.Fatalf("%d bytes are enough", i)
			}
		}
	}
}

// FuzzDecode: what is an answer comes back from its own bytes, and takes no more
// than it may.
func FuzzDecode(f *testing.F) {
	c := NewCodec()
	for _, a := range []*Answer{example("x"), example(strings.Repeat("data: a\n\n", 200)), {Since: time.Unix(0, 0)}} {
		f.Add(a.Key[:], c.Encode(a))
	}
	f.Fuzz(func(t *testing.T, key, value []byte) {
		var k Key
		copy(k[:], key)
		a, err := c.Decode(k, value, 1000)
		if err != nil {
			return
		}
		if a.Key != k || len(a.Body) > 1000 || a.Form > Usage {
			t.Errorf("an answer of %d bytes in form %d", len(a.Body), a.Form)
		}
		if again, err := c.Decode(k, c.Encode(a), 1000); err != nil || !cmp.Equal(a, again) {
			t.Errorf("it does not come back: %v", err)
		}
	})
}

func TestNames(t *testing.T) {
	n := Name{Tenant: [8]byte{1}, Model: [4]byte{0xab}, ID: [8]byte{0xcd}}
	got, ok := ReadShort(n.Tenant, n.Short())
	if got != n || !ok {
		t.Errorf("%s is read as %v", n.Short(), got)
	}
	for _, text := range []string{"", "abc", n.Short()[2:], n.Short() + "00", "zz" + n.Short()[2:]} {
		if _, ok := ReadShort(n.Tenant, text); ok {
			t.Errorf("%q is a name", text)
		}
	}
}

func BenchmarkCodec(b *testing.B) {
	c := NewCodec()
	a := example(strings.Repeat(`{"id":"chatcmpl-1","choices":[{"message":{"content":"Sheep are `+"useful"+`"}}]}`, 40))
	value := c.Encode(a)
	b.Run("encode", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			_ = c.Encode(a)
		}
	})
	b.Run("decode", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := c.Decode(a.Key, value, 1<<20); err != nil {
				b.Fatal(err)
			}
		}
	})
}
