package demo

import (
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"slices"
	"time"
)

// keptBody is how much of a request's body its record keeps.
const keptBody = 1 << 20

// A State is how far a request has come, or how it ended.
type State string

// The states of a request. The first two are in flight, the rest are ends.
const (
	Reading   State = "reading"   // its body is not yet read to the end
	Answering State = "answering" // its body is read, the answer is on its way
	Done      State = "done"      // the answer went out whole
	Cancelled State = "cancelled" // the client left before the answer was whole
	Aborted   State = "aborted"   // the server broke the connection off, as asked
)

// Ended reports whether a request in this state is no longer in flight.
func (s State) Ended() bool { return s == Done || s == Cancelled || s == Aborted }

// A Record is one request and its answer, as far as they have come. Its maps
// and slices belong to the books: read them only.
type Record struct {
	ID               int         // 1 for the first request, 2 for the second
	State            State       // how far it has come
	Started          time.Time   // by the server's clock
	Ended            time.Time   // the same; zero in flight
	Proto            string      // "HTTP/1.1" or "HTTP/2.0"
	Method           string      // as received
	Host             string      // as received
	RequestURI       string      // path and query as received, byte for byte
	Header           http.Header // as received, without Host
	Trailer          http.Header // as received after the body; nil without
	ContentLength    int64       // as announced; -1 if unknown
	TransferEncoding []string    // such as "chunked"; nil without

	BodyBytes  int64  // bytes of the body read so far
	BodySHA256 string // hex digest of all that was read, "" while reading
	Body       []byte // the first MiB of it; the books drop old ones above 64 MiB in all

	KeyBy  string // where keys came: "bearer", "x-api-key", "api-key", "x-goog-api-key" or "query", joined with spaces; "" if nowhere
	Model  string // the model that is asked for, "" if none or not readable
	Stream bool   // whether a stream is asked for

	Status   int   // of the answer, 0 before its headers went out
	BytesOut int64 // bytes of the answer's body that went out
	Events   int   // events, pieces of audio or WebSocket messages that went out whole; 1 for any other body
}

func newRecord(r *http.Request, now time.Time) *Record {
	return &Record{
		State:            Reading,
		Started:          now,
		Proto:            r.Proto,
		Method:           r.Method,
		Host:             r.Host,
		RequestURI:       r.RequestURI,
		Header:           r.Header.Clone(),
		ContentLength:    r.ContentLength,
		TransferEncoding: slices.Clone(r.TransferEncoding),
		KeyBy:            keyBy(r),
	}
}

// received notes on the record what came after the headers.
func (b *Books) received(rec *Record, r *http.Request, body []byte) {
	sum := sha256.Sum256(body)
	kept := slices.Clone(body[:min(len(body), keptBody)])
	b.edit(func() {
		rec.BodyBytes = int64(len(body))
		rec.BodySHA256 = hex.EncodeToString(sum[:])
		rec.Trailer = r.Trailer.Clone()
		rec.State = Answering
		b.keepBody(rec, kept)
	})
}
