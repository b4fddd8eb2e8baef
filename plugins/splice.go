package plugins

import (
	"errors"
	"io"
)

// A patch puts a text in the place of the bytes from from to to of a body.
type patch struct {
	from, to int64
	text     string
}

// A splice is what is done to a body each time that it is read: its patches
// are in order and do not meet.
type splice struct {
	patches []patch
	again   func() (io.ReadCloser, error) // reads the body again; may be nil
}

// grows returns by how much the body gets longer.
func (s *splice) grows() (n int64) {
	for _, p := range s.patches {
		n += int64(len(p.text)) - (p.to - p.from)
	}
	return n
}

// GetBody returns the body from its beginning, patched.
func (s *splice) GetBody() (io.ReadCloser, error) {
	body, err := s.again()
	if err != nil {
		return nil, err
	}
	return s.wrap(body), nil
}

// wrap returns the body patched.
func (s *splice) wrap(body io.ReadCloser) io.ReadCloser {
	return &spliced{ReadCloser: body, left: s.patches}
}

// spliced is a body with other bytes in some places. It holds none of it.
type spliced struct {
	io.ReadCloser

	at   int64 // how much of the body has been read
	left []patch
	text string // what comes next, before more of the body
}

// Read implements [io.Reader].
func (s *spliced) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	if err := s.skip(p); err != nil {
		return 0, err
	}
	if s.text != "" {
		n := copy(p, s.text)
		s.text = s.text[n:]
		return n, nil
	}
	if len(s.left) > 0 {
		p = p[:min(int64(len(p)), s.left[0].from-s.at)]
	}
	n, err := s.ReadCloser.Read(p)
	s.at += int64(n)
	return n, s.early(err)
}

// skip reads away what a patch replaces, if one is next, by way of p.
func (s *spliced) skip(p []byte) error {
	for s.text == "" && len(s.left) > 0 && s.at >= s.left[0].from {
		next := s.left[0]
		for s.at < next.to {
			n, err := s.ReadCloser.Read(p[:min(int64(len(p)), next.to-s.at)])
			s.at += int64(n)
			if err != nil && (s.at < next.to || !errors.Is(err, io.EOF)) {
				return s.early(err)
			}
		}
		s.text, s.left = next.text, s.left[1:]
	}
	return nil
}

// early returns err, of the body, and for an end that comes before the last
// patch that it is too early: the body is not the one that was seen.
func (s *spliced) early(err error) error {
	if errors.Is(err, io.EOF) && len(s.left) > 0 {
		return io.ErrUnexpectedEOF
	}
	return err
}

// Replayable reports whether the body can be read again whole, as far as it
// knows; see [Detach].
func (s *spliced) Replayable() bool {
	r, ok := s.ReadCloser.(replayer)
	return !ok || r.Replayable()
}
