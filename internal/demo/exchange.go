package demo

import (
	"bytes"
	"errors"
	"io"
	"mime/multipart"
	"net/http"
	"strconv"
)

// maxBody is the longest request body that is accepted; it is held in memory.
const maxBody = 256 << 20

// An exchange is one request on its way to its answer.
type exchange struct {
	server *Server
	w      http.ResponseWriter
	r      *http.Request
	rec    *Record
	state  State

	dialect dialect
	plan    plan
	body    []byte
	ask     ask
	gemini  geminiAsk       // in place of most of ask
	form    *multipart.Form // of a multipart body
}

func (x *exchange) serve() State {
	plan, planErr := parsePlan(x.server.headers(x.r))
	x.plan = plan
	bodyErr := x.read()
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(bodyErr, &tooLarge):
		return x.send(x.refuse(http.StatusRequestEntityTooLarge, "", bodyErr.Error()))
	case bodyErr != nil: // the client left in the middle of its body
		return Cancelled
	case planErr != nil:
		x.plan = noPlan()
		return x.send(x.refuse(http.StatusBadRequest, "bad_demo_header", planErr.Error()))
	case !x.allowed():
		return x.send(x.badKey())
	}
	return x.route()
}

// read reads the body to its end, or as far as the plan says. Only after its
// end does net/http notice that a client leaves.
func (x *exchange) read() error {
	from := http.MaxBytesReader(nil, x.r.Body, maxBody)
	var r io.Reader = tally{x, from}
	if x.plan.read >= 0 {
		r = io.LimitReader(r, x.plan.read)
		// Otherwise net/http reads on before it sends the answer. HTTP/2 does
		// not, and needs no leave.
		_ = http.NewResponseController(x.w).EnableFullDuplex()
	}
	var b bytes.Buffer
	b.Grow(int(min(max(x.r.ContentLength, 0), keptBody)) + bytes.MinRead)
	if _, err := b.ReadFrom(r); err != nil {
		return err
	}
	x.body = b.Bytes()
	x.server.books.received(x.rec, x.r, x.body)
	return nil
}

// A tally notes in the books how much of a body was read.
type tally struct {
	x    *exchange
	from io.Reader
}

func (t tally) Read(p []byte) (int, error) {
	n, err := t.from.Read(p)
	if n > 0 {
		t.x.server.books.edit(func() { t.x.rec.BodyBytes += int64(n) })
	}
	return n, err
}

// id returns an id that holds the number of the request's record.
func (x *exchange) id(prefix string) string { return prefix + "-demo-" + strconv.Itoa(x.rec.ID) }

// now returns the server's time in seconds since 1970.
func (x *exchange) now() int64 { return x.server.options.Now().Unix() }
