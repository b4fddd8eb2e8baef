package plugins

import (
	"bytes"
	"sync"
)

const (
	// minRun is how long a run of base64 is, at the least, that is taken for an
	// image or another file: 384 bytes of it. A longer word of any language, a
	// hash, or a part of a signed URL is rare.
	minRun = 512

	// escapeBytes is how long an escape such as \u4e2d is.
	escapeBytes = 6

	// escapeExtra is how much longer that is than what it stands for: most of
	// what is escaped has 3 bytes in UTF-8.
	escapeExtra = 3
)

// meters are meters to be used again: each has a buffer.
var meters = sync.Pool{New: func() any { return new(meter) }} //nolint:gochecknoglobals // a pool is there to be shared

// A meter looks for runs of base64 in a text that it gets in pieces. It looks at
// few of the bytes: where each byte at a distance of minRun is in no run, no
// run is that long.
type meter struct {
	buf [8192]byte

	run     int64 // how long the run is that the last piece ended in
	text    bool  // the run holds escapes of characters: it is words of another language
	media   int64 // runs that have ended
	files   int64 // bytes of them
	escapes int64 // in the form \u4e2d, but for those that two pieces share
}

func (s *meter) reset() {
	s.run, s.text, s.media, s.files, s.escapes = 0, false, 0, 0, 0
}

// scan takes the next piece.
func (s *meter) scan(p []byte) {
	s.count(p)
	at := 0
	if s.run > 0 {
		at = s.extend(p, 0)
	}
	for at+minRun <= len(p) {
		at = s.probe(p, at)
	}
	if s.run == 0 { // or the last run goes on to the end
		from := len(p)
		for from > at && inRun(p[from-1]) {
			from--
		}
		s.extend(p, from)
	}
}

// count counts the escapes in p. Each takes up its 6 bytes, so that they are
// never more than there is room for.
func (s *meter) count(p []byte) {
	for len(p) >= escapeBytes {
		i := bytes.Index(p, []byte(`\u`))
		if i < 0 || i+escapeBytes > len(p) {
			return
		}
		s.escapes++
		p = p[i+escapeBytes:]
	}
}

// probe looks whether a run of minRun bytes begins at p[at], before which there
// is none, and returns where the next may begin.
func (s *meter) probe(p []byte, at int) int {
	for i := at + minRun - 1; i >= at; i-- {
		if !inRun(p[i]) {
			return i + 1
		}
	}
	return s.extend(p, at)
}

// extend goes on with the run at p[from:] and returns where it ends. If that is
// within p, the run is counted.
func (s *meter) extend(p []byte, from int) int {
	to := from
	for to < len(p) && inRun(p[to]) {
		to++
	}
	s.run += int64(to - from)
	s.text = s.text || bytes.Contains(p[from:to], []byte(`\u`))
	if to == len(p) {
		return to
	}
	if s.run >= minRun && !s.text {
		s.media, s.files = s.media+1, s.files+s.run
	}
	s.run, s.text = 0, false
	return to
}

// inRun reports whether base64, in the alphabets of RFC 4648, can hold c in a
// JSON string: some writers escape its slashes, and lines that it is broken into.
func inRun(c byte) bool { return runBytes[c] }

// runBytes are those that inRun reports.
var runBytes = func() (all [256]bool) { //nolint:gochecknoglobals // a table that nobody changes
	for _, c := range []byte(`ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/-_=\`) {
		all[c] = true
	}
	return all
}()
