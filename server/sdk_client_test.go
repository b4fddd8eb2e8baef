package server

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"hash"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"

	"github.com/holysheep/relay/internal/demo"
)

// An sdk is the official client, unmodified, in front of a relay with every
// plugin. What goes over the wire is seen on both sides of the relay.
type sdk struct {
	openai.Client
	*running
	sent   *tape   // what the SDK sent and got
	served *ledger // what the upstream sent
}

// newSDK starts a relay with the configuration and a client of it.
func newSDK(t testing.TB, config string, more ...option.RequestOption) *sdk {
	t.Helper()
	r := &running{Demo: demo.New(demo.Options{}), Log: &logs{}}
	s := &sdk{running: r, sent: &tape{}, served: &ledger{next: r.Demo}}
	up := httptest.NewServer(s.served)
	t.Cleanup(up.Close)
	r.start(t, config, up.URL+"/v1")
	client := &http.Client{Transport: &http.Transport{}}
	t.Cleanup(client.CloseIdleConnections)
	s.Client = openai.NewClient(append([]option.RequestOption{
		option.WithBaseURL(r.URL + "/v1"), option.WithAPIKey(clientKey),
		option.WithHTTPClient(client), option.WithMiddleware(s.sent.record),
	}, more...)...)
	return s
}

// plan has the demo upstream shape its answers to all requests.
func (s *sdk) plan(header http.Header) {
	s.Demo.Script(func(*http.Request) http.Header { return header })
}

// unchanged checks that every request reached the upstream, and every answer
// the SDK, byte for byte. Each request must have been passed on exactly once.
func (s *sdk) unchanged(t *testing.T) {
	t.Helper()
	var sent, got []string // digests of bodies, a request's before its answer's
	for _, x := range s.sent.all() {
		sent, got = append(sent, x.request), append(got, hex.EncodeToString(x.answer.Sum(nil)))
	}
	var received []string
	for _, rec := range s.Demo.Books().Records() {
		received = append(received, rec.BodySHA256)
	}
	if diff := cmp.Diff(received, sent); diff != "" {
		t.Errorf("digests of requests (-upstream +SDK):\n%s", diff)
	}
	if diff := cmp.Diff(got, s.served.all()); diff != "" {
		t.Errorf("digests of answers (-SDK +upstream):\n%s", diff)
	}
}

// An exchanged is one request of the SDK with its answer.
type exchanged struct {
	at      time.Time
	request string // digest of the body, in hex
	status  int
	header  http.Header
	answer  hash.Hash // digest of the body, as far as it was read
}

// A tape is a middleware of the SDK that notes each attempt it makes.
type tape struct {
	mu   sync.Mutex
	list []exchanged

	forget   string           // a header that the SDK is not to see; "" is none
	answered func(status int) // hears of each answer before the SDK; may be nil
}

func (p *tape) record(req *http.Request, next option.MiddlewareNext) (*http.Response, error) {
	x := exchanged{at: time.Now(), answer: sha256.New()}
	var body []byte
	if req.Body != nil {
		body, _ = io.ReadAll(req.Body)
		req.Body = io.NopCloser(bytes.NewReader(body))
	}
	sum := sha256.Sum256(body)
	x.request = hex.EncodeToString(sum[:])
	res, err := next(req)
	if err != nil {
		return res, err
	}
	x.status, x.header = res.StatusCode, res.Header.Clone()
	res.Body = &hashed{ReadCloser: res.Body, sum: x.answer}
	res.Header.Del(p.forget)
	p.mu.Lock()
	p.list = append(p.list, x)
	p.mu.Unlock()
	if p.answered != nil {
		p.answered(x.status)
	}
	return res, nil
}

func (p *tape) all() []exchanged {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]exchanged(nil), p.list...)
}

// hashed is a body whose digest is taken while it is read.
type hashed struct {
	io.ReadCloser
	sum hash.Hash
}

func (h *hashed) Read(p []byte) (int, error) {
	n, err := h.ReadCloser.Read(p)
	h.sum.Write(p[:n])
	return n, err
}

// A ledger keeps the digest of every answer of the upstream next, in the order
// of the requests.
type ledger struct {
	next http.Handler

	mu   sync.Mutex
	sums []hash.Hash
}

// ServeHTTP implements [http.Handler].
func (l *ledger) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	sum := sha256.New()
	l.mu.Lock()
	l.sums = append(l.sums, sum)
	l.mu.Unlock()
	l.next.ServeHTTP(&noted{ResponseWriter: w, sum: sum}, r)
}

// all returns the digests in hex. No request may be in flight.
func (l *ledger) all() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	var all []string
	for _, s := range l.sums {
		all = append(all, hex.EncodeToString(s.Sum(nil)))
	}
	return all
}

// noted is a response whose body's digest is taken.
type noted struct {
	http.ResponseWriter
	sum hash.Hash
}

func (n *noted) Write(p []byte) (int, error) {
	n.sum.Write(p)
	return n.ResponseWriter.Write(p)
}

// Unwrap lets [http.ResponseController] flush.
func (n *noted) Unwrap() http.ResponseWriter { return n.ResponseWriter }
