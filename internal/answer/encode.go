package answer

import (
	"encoding/binary"
	"errors"

	"github.com/cespare/xxhash/v2"
	"github.com/klauspost/compress/zstd"
)

// mark and version begin every value. Whatever changes the layout, or what a
// field of it means, changes the version: a value of another one is a miss.
const (
	mark    = "HSA"
	version = 1
)

const (
	head = len(mark) + 1 + len(Key{}) // what every value has at the same place
	tail = 8                          // the checksum

	// worth is the shortest body that is compressed: below it zstd saves less
	// than the head takes.
	worth = 512

	// margin is which part of a body compressing has to save, or else it is stored
	// as it is: reading it back costs time for each hit.
	margin = 8
)

// The bits of a value's flags.
const (
	flagPacked = 1 << iota
	flagKnown
	flagEstimated
	flagCounted
)

// A Codec makes bytes of answers and answers of bytes. Make one with [NewCodec].
// It is safe for concurrent use, and works on the caller's goroutine.
type Codec struct {
	pack   *zstd.Encoder
	unpack *zstd.Decoder
}

// NewCodec returns a codec.
func NewCodec() *Codec {
	pack, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(2), zstd.WithEncoderLevel(zstd.SpeedFastest),
		zstd.WithWindowSize(1<<20), zstd.WithEncoderCRC(false)) // there is a checksum over all of it
	unpack, err2 := zstd.NewReader(nil, zstd.WithDecoderConcurrency(2), zstd.WithDecodeAllCapLimit(true), zstd.IgnoreChecksum(true))
	if err := errors.Join(err, err2); err != nil {
		panic(err) // the options are constants
	}
	return &Codec{pack, unpack}
}

// Encode returns a as bytes: a head with its key, what is known of it, its body,
// compressed where that saves an eighth of it at least, and a checksum.
func (c *Codec) Encode(a *Answer) []byte {
	body, flags := a.Body, tokenFlags(a.Tokens)
	if len(body) >= worth {
		if packed := c.pack.EncodeAll(body, nil); len(packed) <= len(body)-len(body)/margin {
			body, flags = packed, flags|flagPacked
		}
	}
	b := make([]byte, 0, head+len(body)+len(a.Type)+len(a.Language)+len(a.Model)+128)
	b = append(b, mark...)
	b = append(b, version)
	b = append(b, a.Key[:]...)
	b = append(b, flags, byte(a.Form))
	for _, n := range [...]int64{
		a.Since.UnixNano(), int64(a.Most), a.Tokens.Input, a.Tokens.Output, a.Tokens.Cached, a.Tokens.Written, a.Tokens.Reasoning,
	} {
		b = binary.AppendVarint(b, n)
	}
	for _, text := range [...]string{a.Type, a.Language, a.Model} {
		b = binary.AppendUvarint(b, uint64(len(text)))
		b = append(b, text...)
	}
	b = binary.AppendUvarint(b, uint64(len(a.Body)))
	b = append(b, body...)
	return binary.BigEndian.AppendUint64(b, xxhash.Sum64(b))
}

func tokenFlags(t Tokens) (flags byte) {
	if t.Known {
		flags |= flagKnown
	}
	if t.Estimated {
		flags |= flagEstimated
	}
	if t.Counted {
		flags |= flagCounted
	}
	return flags
}

// overhead is what it takes to keep an answer in memory besides its bytes: the
// place, the node, its place in the table and in the queues, and the answer
// itself. It was measured, and a test of the memory tier holds it.
const overhead = 384

// Weight returns the memory that a takes where it is kept, in bytes.
func (a *Answer) Weight() uint32 {
	return uint32(overhead + cap(a.Body) + len(a.Type) + len(a.Language) + len(a.Model))
}
