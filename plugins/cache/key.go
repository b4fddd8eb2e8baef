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
const layout = 2

// A key is the SHA-256 of everything on which an answer depends.
type key = answer.Key

// A scope is who may share an answer: one client, or everybody whom nobody
// identified.
type scope struct {
	client string
	known  bool
}

// key returns the key of a request. Every part but the last has its length
// before it, and the body is the last, so that no two requests hash the same
// bytes.
func (r *rules) key(req *http.Request, s scope, doc *canon.Doc) key {
	head := make([]byte, 0, 512)
	head = append(head, layout, 0)
	if s.known {
		head[1] = 1
	}
	for _, part := range [...]string{r.version, s.client, req.Method, req.URL.EscapedPath(), req.URL.RawQuery} {
		head = appendPart(head, part)
	}
	for _, name := range r.headers {
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
	return key(h.Sum(nil))
}

func appendPart(b []byte, part string) []byte {
	b = binary.BigEndian.AppendUint64(b, uint64(len(part)))
	return append(b, part...)
}

// keyHeaders returns the request headers that are part of the key: those that
// are known to change an answer, and more.
func keyHeaders(more []string) []string {
	names := []string{
		"Accept", "Accept-Language", "Content-Type",
		"Openai-Beta", "Anthropic-Beta", "Anthropic-Version",
	}
	for _, name := range more {
		names = append(names, http.CanonicalHeaderKey(name))
	}
	slices.Sort(names)
	return slices.Compact(names)
}
