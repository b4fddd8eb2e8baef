package demo

import (
	"bytes"
	"compress/gzip"
	"io"
	"math"
	"slices"

	"github.com/andybalholm/brotli"
)

// A wire is the body of an answer as it goes out: all its bytes, and where
// they are cut.
type wire struct {
	bytes []byte
	ends  []int // where each event ends
	cuts  []int // where each packet ends; the last is where sending stops
	first int   // where the first token begins that was asked to be late; -1 without
}

// shape returns what goes out for a.
func (p *plan) shape(a answer) wire {
	pieces := a.pieces
	if p.empty {
		pieces = nil
	}
	silent := a.silent
	if a.failure != nil && p.errorAt >= 0 {
		pieces, silent = p.fails(a, pieces)
	}
	if a.stream {
		pieces = p.dress(pieces)
	}
	pieces = encode(p.encoding, pieces)
	w := wire{ends: make([]int, 0, len(pieces)), first: -1}
	total := 0
	for _, piece := range pieces {
		total += len(piece)
		w.ends = append(w.ends, total)
	}
	if len(pieces) == 1 {
		w.bytes = pieces[0] // perhaps large: not copied
	} else {
		w.bytes = bytes.Join(pieces, nil)
	}
	if p.firstToken > 0 && a.failure != nil && total > 0 {
		w.first = w.offset(measure{"events", []int{silent}})
	}
	w.cut(p)
	return w
}

// fails puts an error in place of the events from X-Demo-Error-Event on, and
// returns how many silent events are left before it. The end of a list is no
// event that an error could follow.
func (p *plan) fails(a answer, events [][]byte) (failed [][]byte, silent int) {
	most := len(events)
	if !a.stream {
		most = max(0, most-1)
	}
	n := min(p.errorAt, most)
	return append(slices.Clip(events[:n]), a.failure(n, p.code)), min(a.silent, n)
}

// dress puts into a stream what the plan wants there.
func (p *plan) dress(events [][]byte) [][]byte {
	end := map[string]string{"lf": "\n", "crlf": "\r\n", "cr": "\r"}[p.newline]
	if p.comment == "" && end == "\n" {
		return events
	}
	dressed := make([][]byte, 0, len(events))
	for _, e := range events {
		if p.comment != "" {
			e = slices.Concat([]byte(": "+p.comment+"\n\n"), e)
		}
		dressed = append(dressed, bytes.ReplaceAll(e, []byte("\n"), []byte(end)))
	}
	return dressed
}

// cut says where the packets of w end.
func (w *wire) cut(p *plan) {
	stop := min(w.offset(p.breakAt), w.offset(p.stallAt))
	switch p.packets.unit {
	case "bytes":
		for at := p.packets.numbers[0]; at < stop; at += p.packets.numbers[0] {
			w.cuts = append(w.cuts, at)
		}
	case "at":
		w.cuts = slices.Clone(p.packets.numbers)
	case "events":
		for i := p.packets.numbers[0]; i < len(w.ends); i += p.packets.numbers[0] {
			w.cuts = append(w.cuts, w.ends[i-1])
		}
	default:
		w.cuts = slices.Clone(w.ends)
	}
	if w.first > 0 {
		w.cuts = append(w.cuts, w.first)
		slices.Sort(w.cuts)
		w.cuts = slices.Compact(w.cuts)
	}
	w.cuts = slices.DeleteFunc(w.cuts, func(at int) bool { return at >= stop })
	w.cuts = append(w.cuts, stop)
}

// offset returns how many bytes m is, at most all.
func (w *wire) offset(m measure) int {
	n := math.MaxInt
	if m.unit != "" {
		n = m.numbers[0]
	}
	switch {
	case m.unit == "events" && n == 0:
		return 0
	case m.unit == "events" && n <= len(w.ends):
		return w.ends[n-1]
	case m.unit == "events":
		n = len(w.bytes)
	}
	return min(n, len(w.bytes))
}

// flushWriter is what gzip and brotli writers have in common.
type flushWriter interface {
	io.WriteCloser
	Flush() error
}

// encode returns the pieces in a content encoding, each of them flushed, so
// that a reader can decode it when it comes.
func encode(encoding string, pieces [][]byte) [][]byte {
	var b bytes.Buffer
	var w flushWriter
	switch encoding {
	case "gzip":
		w = gzip.NewWriter(&b)
	case "br":
		w = brotli.NewWriter(&b)
	default:
		return pieces // for bad-gzip too: it is bad because it is none
	}
	encoded := make([][]byte, 0, len(pieces)+1)
	for i, piece := range pieces {
		_, _ = w.Write(piece) // a buffer takes everything
		_ = w.Flush()
		if i == len(pieces)-1 {
			_ = w.Close()
		}
		encoded = append(encoded, bytes.Clone(b.Bytes()))
		b.Reset()
	}
	return encoded
}
