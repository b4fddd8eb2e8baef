package upstream

import (
	"bytes"
	"compress/gzip"
	"context"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/textproto"
	"slices"
	"strconv"
	"strings"

	"github.com/andybalholm/brotli"
)

// errorBytes is how much of an error's body is searched for the key: the
// errors of the known upstreams have a few hundred bytes.
const errorBytes = 64 << 10

// conceal keeps the upstream's key, in any of the given forms, from the client:
// some upstreams repeat it in a header, or in the text of an error. A header or a trailer that holds it
// is removed; in an error's body it is overwritten with stars, so that lengths
// stay. An encoded error that holds it is passed on decoded. For informational
// answers see [unseen].
//
// It does not look into the body of an answer below 400 or of an upgraded
// connection, nor into an error beyond its first 64 KiB, in an encoding other
// than gzip and br, or encoded and longer than that. These pass as they come: to
// search every answer would hold back streams and undo encodings, for a fault
// that no known upstream has.
func conceal(res *http.Response, forms []string) {
	drop(res.Header, forms)
	if res.StatusCode == http.StatusSwitchingProtocols || res.Body == nil || res.Body == http.NoBody {
		return
	}
	res.Body = &trailing{ReadCloser: res.Body, res: res, forms: forms}
	if res.StatusCode >= 400 {
		concealError(res, forms)
	}
}

func concealError(res *http.Response, forms []string) {
	head, err := io.ReadAll(io.LimitReader(res.Body, errorBytes))
	if plain := decode(head, res.Header.Get("Content-Encoding")); holds([]string{string(plain)}, forms) {
		head = plain
		res.Header.Del("Content-Encoding")
		res.Header.Set("Content-Length", strconv.Itoa(len(plain)))
		res.ContentLength = int64(len(plain))
	}
	for _, key := range forms {
		head = bytes.ReplaceAll(head, []byte(key), bytes.Repeat([]byte("*"), len(key)))
	}
	res.Body = &prefixed{head: head, err: err, ReadCloser: res.Body}
}

// drop removes what holds the key.
func drop(h map[string][]string, forms []string) {
	for name, values := range h {
		if holds(values, forms) {
			delete(h, name)
		}
	}
}

func holds(values, forms []string) bool {
	return slices.ContainsFunc(values, func(v string) bool {
		return slices.ContainsFunc(forms, func(key string) bool { return strings.Contains(v, key) })
	})
}

// unseen returns ctx for a request to an upstream whose informational answers
// (1xx) may repeat the key. Who listens for them there sees them without: hooks
// of one context are called newest first, with the same header.
func (k *key) unseen(ctx context.Context) context.Context {
	if k.secret == "" || httptrace.ContextClientTrace(ctx) == nil {
		return ctx
	}
	return httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		Got1xxResponse: func(_ int, header textproto.MIMEHeader) error {
			drop(header, k.forms)
			return nil
		},
	})
}

// trailing is a body whose trailers, which come with its end, are cleaned of
// the key. Their names stay, without a value: [net/http/httputil.ReverseProxy]
// counts them to find out whether there are any that were not announced.
type trailing struct {
	io.ReadCloser
	res   *http.Response
	forms []string
}

func (t *trailing) Read(b []byte) (int, error) {
	n, err := t.ReadCloser.Read(b)
	if err == nil {
		return n, nil
	}
	for name, values := range t.res.Trailer {
		if holds(values, t.forms) {
			t.res.Trailer[name] = nil
		}
	}
	return n, err
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
