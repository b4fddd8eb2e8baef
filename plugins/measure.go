package plugins

import (
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"strings"
)

// A Measure is how much is in the body of a request, by what an estimate of its
// tokens needs to tell apart. Together its bytes are never more than the body's.
type Measure struct {
	Text   int64 // bytes of text, with what is around it; of \u0041 as many as of a character
	Packed int64 // bytes of a body that is compressed
	Media  int64 // how many images, recordings and other files there are
	Files  int64 // bytes of those, as they are sent
}

// Tokens returns about how many tokens that is. A medium is so many, but not
// more than it has bytes. What is compressed is taken for a token a byte, since
// compression leaves about a quarter of a text. The result is not negative, and
// not more than the body has bytes, where bytesPerToken is at least 1 and
// media not negative.
func (m Measure) Tokens(bytesPerToken, media int64) int64 {
	each := min(media, m.Files) // so that the product fits
	return (m.Text+bytesPerToken-1)/bytesPerToken + m.Packed + min(m.Media*each, m.Files)
}

// Measure returns how much is in the body of req, which is this call's request.
// It looks at what [Call.Ask] has seen of the body and waits for nothing else:
// of a longer body the rest is taken for more of what was there last, as far as
// its length is known. It looks once, and then knows.
func (c *Call) Measure(req *http.Request) Measure {
	c.measuring.Do(func() { c.measure = measureBody(req, c.Ask()) })
	return c.measure
}

// measureBody measures the body of req, of which so much was seen as ask says.
func measureBody(req *http.Request, ask Ask) Measure {
	size := max(req.ContentLength, ask.peeked)
	if size == 0 {
		return Measure{}
	}
	if Encoded(req.Header) {
		return Measure{Packed: size}
	}
	kind := req.Header.Get("Content-Type")
	if kind == "application/json" { // as nearly all are: it needs no parsing
		return measureText(seenOf(req, ask), ask.peeked, size)
	}
	media, params, _ := mime.ParseMediaType(kind)
	if binary(media) {
		return Measure{Media: 1, Files: size}
	}
	body := seenOf(req, ask)
	if body != nil && strings.HasPrefix(media, "multipart/") && params["boundary"] != "" {
		return measureForm(body, params["boundary"], ask.peeked, size)
	}
	return measureText(body, ask.peeked, size)
}

// seenOf returns the body of req, nil if what was seen of it is not held.
func seenOf(req *http.Request, ask Ask) io.ReadCloser {
	if req.GetBody == nil || ask.peeked == 0 {
		return nil
	}
	body, err := req.GetBody()
	if err != nil {
		return nil
	}
	return body
}

// binary reports whether a body of that type is one file.
func binary(media string) bool {
	kind, _, _ := strings.Cut(media, "/")
	return kind == "image" || kind == "audio" || kind == "video" ||
		media == "application/octet-stream" || media == "application/pdf"
}

// measureText measures a body of so many bytes that is text, JSON above all. Of
// it so many are seen, and read from src, which it closes; nil is one of which
// nothing is left to see.
func measureText(src io.ReadCloser, seen, size int64) Measure {
	if src == nil {
		return Measure{Text: size}
	}
	defer func() { _ = src.Close() }()
	s := meters.Get().(*meter) //nolint:forcetypeassert // there is nothing else in it
	defer meters.Put(s)
	s.reset()
	for left := seen; left > 0; {
		n, err := src.Read(s.buf[:min(left, int64(len(s.buf)))])
		s.scan(s.buf[:n])
		if left -= int64(n); err != nil || n == 0 {
			break
		}
	}
	m := Measure{Media: s.media, Files: s.files}
	if s.run >= minRun && !s.text { // and it may go on
		m.Media, m.Files = m.Media+1, m.Files+s.run+size-seen
	}
	m.Text = max(size-m.Files-s.escapes*escapeExtra, 0)
	return m
}

// measureForm is measureText for a multipart form: what has the name of a file
// is one.
func measureForm(src io.ReadCloser, boundary string, seen, size int64) (m Measure) {
	defer func() { _ = src.Close() }()
	defer func() { m.Text = size - m.Files }()
	form := multipart.NewReader(io.LimitReader(src, seen), boundary)
	for {
		part, err := form.NextRawPart()
		if err != nil {
			return m // the end, or bytes that are no form
		}
		if part.FileName() == "" {
			continue
		}
		n, err := io.Copy(io.Discard, part)
		m.Media, m.Files = m.Media+1, m.Files+n
		if errors.Is(err, io.ErrUnexpectedEOF) { // it may go on
			m.Files += size - seen
		}
	}
}
