package redistest

import (
	"bytes"
	"strconv"
)

// reader counts the values that pass one way of a connection, by the protocol
// of Redis (RESP 2 and 3). Pieces may end anywhere.
type reader struct {
	line    []byte // the beginning of a line that has not ended
	skip    int    // bytes of a text that are still to come, its line's end included
	missing int    // values that complete the one that has begun
	whole   func(first string)

	kind    byte // of the value that has begun
	first   []byte
	isFirst bool // the text that comes is the first of its array
	lost    bool // what passes is something else: TLS, or telnet's way of asking
}

// pass takes a piece. It calls whole at the end of each value but of those that
// a server pushes by itself, with the first text in it: a command's name.
func (r *reader) pass(piece []byte) {
	for len(piece) > 0 && !r.lost {
		if r.skip > 0 {
			piece = r.text(piece)
			continue
		}
		i := bytes.IndexByte(piece, '\n')
		if i < 0 {
			r.line = append(r.line, piece...)
			return
		}
		line := append(r.line, piece[:i]...)
		r.line, piece = r.line[:0], piece[i+1:]
		r.header(bytes.TrimSuffix(line, []byte("\r")))
	}
}

// text passes over what comes of a text.
func (r *reader) text(piece []byte) (rest []byte) {
	n := min(r.skip, len(piece))
	if r.isFirst {
		r.first = append(r.first, piece[:n]...)
	}
	if r.skip -= n; r.skip == 0 {
		r.isFirst = false
		r.done()
	}
	return piece[n:]
}

// header takes the first line of a value.
func (r *reader) header(line []byte) {
	if len(line) == 0 {
		r.lost = true
		return
	}
	if r.missing == 0 {
		r.missing, r.kind, r.first = 1, line[0], r.first[:0]
	}
	n, _ := strconv.Atoi(string(line[1:])) // of what has no number it is not used
	switch line[0] {
	case '*', '~', '>':
		r.missing += max(n, 0)
	case '%':
		r.missing += 2 * n
	case '|': // stands in front of a value and counts for none
		r.missing += 2*n + 1
	case '$', '=', '!':
		if n >= 0 {
			r.skip, r.isFirst = n+2, len(r.first) == 0
			return
		}
	case '+', '-', ':', '_', ',', '#', '(':
	default:
		r.lost = true
		return
	}
	r.done()
}

// done notes the end of one value.
func (r *reader) done() {
	if r.missing--; r.missing == 0 && r.kind != '>' {
		r.whole(string(bytes.TrimSpace(r.first)))
	}
}
