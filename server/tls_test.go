package server

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// A pair is the files of a certificate for 127.0.0.1 and of its key.
type pair struct{ cert, key string }

func newPair(t *testing.T) pair {
	t.Helper()
	dir := t.TempDir()
	return pair{filepath.Join(dir, "tls.crt"), filepath.Join(dir, "tls.key")}
}

// renew writes a new certificate with the given serial number, its key first.
func (p pair) renew(t *testing.T, serial int64) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(serial), Subject: pkix.Name{CommonName: "relay"}, NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
	}
	cert, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	replaceFile(t, p.key, string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})))
	replaceFile(t, p.cert, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert})))
}

// encrypted is a configuration with the pair.
func (p pair) encrypted(more string) string {
	return whole + "\ntls: {cert_file: " + p.cert + ", key_file: " + p.key + more + "}\n"
}

// shown returns the serial number of the certificate that a new connection
// shows.
func (r *running) shown(t *testing.T) int64 {
	t.Helper()
	conn, err := tls.Dial("tcp", strings.TrimPrefix(r.URL, "http://"), &tls.Config{InsecureSkipVerify: true}) //nolint:gosec // a test's own
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	return conn.ConnectionState().PeerCertificates[0].SerialNumber.Int64()
}

func TestARenewedCertificateIsShownFromTheNextConnectionOn(t *testing.T) {
	p := newPair(t)
	p.renew(t, 1)
	r := start(t, p.encrypted(""))
	if got := r.shown(t); got != 1 {
		t.Fatalf("certificate %d is shown, want 1", got)
	}
	p.renew(t, 2)
	r.loaded(t, 1)
	if got := r.shown(t); got != 2 {
		t.Errorf("certificate %d is shown, want 2", got)
	}
	replaceFile(t, p.key, "no key")
	r.Log.count(t, "configuration refused", 1)
	if got := r.shown(t); got != 2 {
		t.Errorf("certificate %d is shown beside a broken key, want 2 as before", got)
	}
}

// asked sends a request over the given protocols and returns the protocol of
// the answer and what a stream of it says.
func (r *running) asked(t *testing.T, scheme string, set func(*http.Protocols)) (proto, body string) {
	t.Helper()
	p := new(http.Protocols)
	set(p)
	rt := &http.Transport{Protocols: p, TLSClientConfig: &tls.Config{InsecureSkipVerify: true}} //nolint:gosec // a test's own
	t.Cleanup(rt.CloseIdleConnections)
	req := r.request(t, http.MethodPost, "/v1/chat/completions", strings.Replace(chat, "{", `{"stream":true,`, 1))
	req.URL.Scheme = scheme
	res, err := (&http.Client{Transport: rt}).Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	var b strings.Builder
	if err := res.Write(&b); err != nil { // reads the whole stream
		t.Fatal(err)
	}
	return res.Proto, b.String()
}

func TestProtocols(t *testing.T) {
	p := newPair(t)
	p.renew(t, 1)
	plain, encrypted := start(t, whole), start(t, p.encrypted(""))
	tests := []struct {
		name   string
		relay  *running
		scheme string
		set    func(*http.Protocols)
		want   string
	}{
		{"HTTP/1.1", plain, "http", func(p *http.Protocols) { p.SetHTTP1(true) }, "HTTP/1.1"},
		{"HTTP/2 by prior knowledge", plain, "http", func(p *http.Protocols) { p.SetUnencryptedHTTP2(true) }, "HTTP/2.0"},
		{"HTTP/1.1 with TLS", encrypted, "https", func(p *http.Protocols) { p.SetHTTP1(true) }, "HTTP/1.1"},
		{"HTTP/2 with TLS", encrypted, "https", func(p *http.Protocols) { p.SetHTTP2(true) }, "HTTP/2.0"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			proto, body := tt.relay.asked(t, tt.scheme, tt.set)
			if proto != tt.want || !strings.Contains(body, "data: [DONE]") {
				t.Errorf("got %q by %s, want a whole stream by %s", body, proto, tt.want)
			}
		})
	}
}

func TestTheLowestVersionOfTLS(t *testing.T) {
	p := newPair(t)
	p.renew(t, 1)
	tests := []struct {
		name   string
		more   string
		most   uint16
		spoken bool
	}{
		{"1.2 by default", "", tls.VersionTLS12, true},
		{"never 1.1", "", tls.VersionTLS11, false},
		{"1.3 if it is asked for", ", min_version: \"1.3\"", tls.VersionTLS13, true},
		{"not 1.2 then", ", min_version: \"1.3\"", tls.VersionTLS12, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := start(t, p.encrypted(tt.more))
			d := tls.Dialer{Config: &tls.Config{InsecureSkipVerify: true, MinVersion: tls.VersionTLS10, MaxVersion: tt.most}} //nolint:gosec // a test's own
			conn, err := d.DialContext(context.WithoutCancel(t.Context()), "tcp", strings.TrimPrefix(r.URL, "http://"))
			if (err == nil) != tt.spoken {
				t.Errorf("handshake: %v, want success: %t", err, tt.spoken)
			}
			if err == nil {
				_ = conn.Close()
			}
		})
	}
}

func TestTheAdminListenerIsNotEncrypted(t *testing.T) {
	p := newPair(t)
	p.renew(t, 1)
	r := start(t, p.encrypted(""))
	expect(t, r.AdminURL+"/ready", 200, "")
}
