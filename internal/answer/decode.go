package answer

import (
	"encoding/binary"
	"errors"
	"math"
	"time"

	"github.com/cespare/xxhash/v2"
)

// Why bytes are no answer to a question.
var (
	ErrDamaged = errors.New("the value is damaged")
	ErrForeign = errors.New("the value is the answer to another question")
	ErrVersion = errors.New("the value is of another version")
	ErrTooLong = errors.New("the value's body is too long")
)

// Decode returns the answer to the question k that b holds, with a body of at
// most so many bytes. It returns [ErrVersion] for what another version has
// written, or something else altogether, [ErrForeign] for the answer to another
// question, [ErrTooLong], and [ErrDamaged] for all else that is no answer. The
// answer keeps nothing of b.
func (c *Codec) Decode(k Key, b []byte, most int) (*Answer, error) {
	if len(b) < head+2+tail || string(b[:len(mark)]) != mark {
		return nil, ErrDamaged
	}
	if b[len(mark)] != version {
		return nil, ErrVersion
	}
	sum := binary.BigEndian.Uint64(b[len(b)-tail:])
	if b = b[:len(b)-tail]; xxhash.Sum64(b) != sum {
		return nil, ErrDamaged
	}
	if Key(b[len(mark)+1:head]) != k {
		return nil, ErrForeign
	}
	s := scanner{rest: b[head:]}
	flags, form := s.byte(), Form(s.byte())
	a := &Answer{Key: k, Form: form, Since: time.Unix(0, s.number()), Most: time.Duration(s.number())}
	a.Tokens = Tokens{
		Input: s.number(), Output: s.number(), Cached: s.number(), Written: s.number(), Reasoning: s.number(),
		Known: flags&flagKnown != 0, Estimated: flags&flagEstimated != 0, Counted: flags&flagCounted != 0,
	}
	a.Type, a.Language, a.Model = s.text(), s.text(), s.text()
	length := s.length()
	if s.bad || form > Usage {
		return nil, ErrDamaged
	}
	if length > uint64(most) {
		return nil, ErrTooLong
	}
	body, err := c.body(s.rest, int(length), flags&flagPacked != 0)
	if err != nil {
		return nil, err
	}
	a.Body = body
	return a, nil
}

// body returns a body of that length, which may be packed. It allocates no more
// than the length.
func (c *Codec) body(b []byte, length int, packed bool) ([]byte, error) {
	body := make([]byte, 0, length)
	if packed {
		var err error
		if body, err = c.unpack.DecodeAll(b, body); err != nil {
			return nil, ErrDamaged
		}
	} else {
		if len(b) != length {
			return nil, ErrDamaged
		}
		body = append(body, b...)
	}
	if len(body) != length {
		return nil, ErrDamaged
	}
	return body, nil
}

// A scanner reads the fields of a value.
type scanner struct {
	rest []byte
	bad  bool // there was less than a field
}

func (s *scanner) byte() byte {
	if len(s.rest) == 0 {
		s.bad = true
		return 0
	}
	b := s.rest[0]
	s.rest = s.rest[1:]
	return b
}

func (s *scanner) number() int64 {
	v, n := binary.Varint(s.rest)
	if n <= 0 {
		s.bad = true
		return 0
	}
	s.rest = s.rest[n:]
	return v
}

func (s *scanner) length() uint64 {
	v, n := binary.Uvarint(s.rest)
	if n <= 0 || v > math.MaxInt32 {
		s.bad = true
		return 0
	}
	s.rest = s.rest[n:]
	return v
}

func (s *scanner) text() string {
	n := s.length()
	if n > uint64(len(s.rest)) {
		s.bad = true
		return ""
	}
	text := string(s.rest[:n])
	s.rest = s.rest[n:]
	return text
}
