package cache

import (
	"crypto/sha256"
	"encoding/binary"
	"net/http"
	"slices"

	"github.com/holysheep/relay/internal/answer"
	"github.com/holysheep/relay/internal/canon"
)

// layout is the first byte of what a key hashes. It changes when the rest
// means something else.
const layout = 3

// A key is the SHA-256 of everything on which an answer depends.
type key = answer.Key

// The forms of an answer as a key knows them.
const (
	inOnePiece = iota
	streamed
	inAnyForm // one can be made of the other
)

// keyOf returns the key of q, asked by req, as if its body were this one. Every
// part but the last has its length before it, and the body is the last, so that
// no two questions hash the same bytes. It returns what canon.Parse does.
func (r *rules) keyOf(q *question, req *http.Request, body []byte) (k key, err error) {
	doc, err := canon.Parse(q.unformed(body))
	if err != nil {
		return k, err
	}
	head := make([]byte, 0, 512)
	head = append(head, layout, q.keyForm())
	for _, part := range [...]string{q.tenant.kind, q.tenant.name, r.version, req.Method, req.URL.EscapedPath(), req.URL.RawQuery} {
		head = appendPart(head, part)
	}
	for _, name := range r.headers {
		if name == "Accept-Encoding" && q.route.Inspected() {
			continue // the upstream is asked for none
		}
		values := req.Header[name]
		if len(values) == 0 {
			continue
		}
		head = appendPart(head, name)
		head = binary.BigEndian.AppendUint32(head, uint32(len(values)))
		for _, v := range values {
			head = appendPart(head, v)
		}
	}
	head = appendPart(head, "") // no header has an empty name: here is the body
	h := sha256.New()
	_, _ = h.Write(head)
	_, _ = doc.WriteTo(h)
	h.Sum(k[:0])
	return k, nil
}

// keyForm returns the form of the answer as the key knows it.
func (q *question) keyForm() byte {
	switch {
	case q.chat:
		return inAnyForm
	case q.form.Streamed():
		return streamed
	}
	return inOnePiece
}

func appendPart(b []byte, part string) []byte {
	b = binary.BigEndian.AppendUint64(b, uint64(len(part)))
	return append(b, part...)
}

// keyHeaders returns the request headers that are part of the key: those that
// are known to change an answer, and more.
func keyHeaders(more []string) []string {
	names := []string{
		"Accept", "Accept-Encoding", "Accept-Language", "Content-Type",
		"Openai-Beta", "Anthropic-Beta", "Anthropic-Version",
	}
	for _, name := range more {
		names = append(names, http.CanonicalHeaderKey(name))
	}
	slices.Sort(names)
	return slices.Compact(names)
}
