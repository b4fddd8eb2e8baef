package upstream

import (
	"bytes"
	"compress/gzip"
	"io"
	"net/http"
	"strconv"
	"strings"

	"github.com/andybalholm/brotli"
)

// errorBytes is how much of an error's body is searched for the key: the
// errors of the known upstreams have a few hundred bytes.
const errorBytes = 64 << 10

// conceal keeps the upstream's key from the client: some upstreams repeat it
// in a header, or in the text of an error. A header that holds it is removed;
// in an error's body it is overwritten with stars, so that lengths stay. An
// encoded error that holds it is passed on decoded.
func conceal(res *http.Response, key string) {
	for k, values := range res.Header {
		for _, v := range values {
			if strings.Contains(v, key) {
				delete(res.Header, k)
				break
			}
		}
	}
	if res.StatusCode < 400 || res.Body == nil {
		return
	}
	head, err := io.ReadAll(io.LimitReader(res.Body, errorBytes))
	if plain := decode(head, res.Header.Get("Content-Encoding")); bytes.Contains(plain, []byte(key)) {
		head = plain
		res.Header.Del("Content-Encoding")
		res.Header.Set("Content-Length", strconv.Itoa(len(plain)))
		res.ContentLength = int64(len(plain))
	}
	stars := bytes.Repeat([]byte("*"), len(key))
	head = bytes.ReplaceAll(head, []byte(key), stars)
	res.Body = &prefixed{head: head, err: err, ReadCloser: res.Body}
}

// decode returns an encoded body in plain, nil if it is not whole or not in an
// encoding that upstreams use for errors.
func decode(body []byte, encoding string) []byte {
	var r io.Reader
	switch encoding {
	case "gzip":
		zip, err := gzip.NewReader(bytes.NewReader(body))
		if err != nil {
			return nil
		}
		r = zip
	case "br":
		r = brotli.NewReader(bytes.NewReader(body))
	default:
		return nil
	}
	plain, err := io.ReadAll(io.LimitReader(r, 16*errorBytes)) // a bomb is no error
	if err != nil {
		return nil
	}
	return plain
}

// prefixed is a body of which the beginning has been read.
type prefixed struct {
	head []byte
	err  error // of reading the beginning
	io.ReadCloser
}

func (p *prefixed) Read(b []byte) (int, error) {
	if len(p.head) > 0 {
		n := copy(b, p.head)
		p.head = p.head[n:]
		return n, nil
	}
	if p.err != nil {
		return 0, p.err
	}
	return p.ReadCloser.Read(b)
}
