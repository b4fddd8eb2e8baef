package upstream

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/holysheep/relay/plugins/plugintest"
)

// An authority signs certificates.
type authority struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	file string // with its certificate
}

func newAuthority(t *testing.T, dir, name string) *authority {
	t.Helper()
	a := &authority{file: filepath.Join(dir, name+".crt")}
	a.cert, a.key, _ = a.issue(t, dir, name)
	return a
}

// issue writes a certificate of the name, and its key, into dir. The authority
// signs its own.
func (a *authority) issue(t *testing.T, dir, name string) (*x509.Certificate, *ecdsa.PrivateKey, tls.Certificate) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: name},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: a.cert == nil, BasicConstraintsValid: true,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	parent, signer := a.cert, a.key
	if parent == nil {
		parent, signer = template, key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, &key.PublicKey, signer)
	if err != nil {
		t.Fatal(err)
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	certPEM := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	keyPEM := pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: keyDER})
	for file, text := range map[string][]byte{name + ".crt": certPEM, name + ".key": keyPEM} {
		if err := os.WriteFile(filepath.Join(dir, file), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	cert, _ := x509.ParseCertificate(der)
	pair, err := tls.X509KeyPair(certPEM, keyPEM)
	if err != nil {
		t.Fatal(err)
	}
	return cert, key, pair
}

// strict returns an upstream that shows a certificate of the authority, asks for
// one, and answers with the protocol and the name of whom it was shown.
func (a *authority) strict(t *testing.T, dir string) *httptest.Server {
	t.Helper()
	_, _, pair := a.issue(t, dir, "server")
	up := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, r.Proto+" "+r.TLS.PeerCertificates[0].Subject.CommonName)
	}))
	roots := x509.NewCertPool()
	roots.AddCert(a.cert)
	up.TLS = &tls.Config{Certificates: []tls.Certificate{pair}, ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: roots}
	up.EnableHTTP2 = true
	up.Config.ErrorLog = log.New(io.Discard, "", 0)
	up.StartTLS()
	t.Cleanup(up.Close)
	return up
}

// get asks the pool of one upstream, and returns the body of the answer.
func get(t *testing.T, p *Pool) (string, error) {
	t.Helper()
	res, err := p.RoundTrip(plugintest.Request(t, "{}"))
	if err != nil {
		return "", err
	}
	defer func() { _ = res.Body.Close() }()
	body, err := io.ReadAll(res.Body)
	return string(body), err
}

func TestAnUpstreamIsTrustedByItsOwnRootsAndShownACertificate(t *testing.T) {
	dir := t.TempDir()
	ca, other := newAuthority(t, dir, "ca"), newAuthority(t, dir, "other")
	up := ca.strict(t, dir)
	ca.issue(t, dir, "relay")
	other.issue(t, dir, "stranger")
	tests := []struct {
		name  string
		ca    string
		shown string
		http1 bool
		want  string // of the answer; "" if there is none
	}{
		{"its roots and a certificate", "ca.crt", "relay", false, "HTTP/2.0 relay"},
		{"by HTTP/1.1", "ca.crt", "relay", true, "HTTP/1.1 relay"},
		{"the system's roots", "", "relay", false, ""},
		{"another's roots", "other.crt", "relay", false, ""},
		{"no certificate", "ca.crt", "", false, ""},
		{"another's certificate", "ca.crt", "stranger", false, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := newPool(t, nil, map[string]Settings{"one": settings(up.URL, func(s *Settings) {
				s.HTTP2 = !tt.http1
				if tt.ca != "" {
					s.CAFile = filepath.Join(dir, tt.ca)
				}
				if tt.shown != "" {
					s.CertFile, s.KeyFile = filepath.Join(dir, tt.shown+".crt"), filepath.Join(dir, tt.shown+".key")
				}
			})})
			if got, err := get(t, p); got != tt.want || (err == nil) != (tt.want != "") {
				t.Errorf("got %q, %v, want %q", got, err, tt.want)
			}
		})
	}
}

func TestNewCertificatesMakeNewConnections(t *testing.T) {
	dir := t.TempDir()
	ca := newAuthority(t, dir, "ca")
	up := ca.strict(t, dir)
	ca.issue(t, dir, "relay")
	env := plugintest.Env(t, nil)
	build := func(change func(*Settings)) *Pool {
		p, err := New(Config{Health: HealthDefaults(), Upstreams: map[string]Settings{"one": settings(up.URL, func(s *Settings) {
			s.CAFile, s.CertFile, s.KeyFile = ca.file, filepath.Join(dir, "relay.crt"), filepath.Join(dir, "relay.key")
			change(s)
		})}}, env)
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	first := build(func(*Settings) {})
	if same := build(func(s *Settings) { s.Weight, s.IdleTimeout = 7, time.Hour }); same.members[0].client != first.members[0].client {
		t.Error("connections were not kept, though nothing that they depend on has changed")
	}
	for name, change := range map[string]func(*Settings){
		"connect_timeout":    func(s *Settings) { s.ConnectTimeout++ },
		"first_byte_timeout": func(s *Settings) { s.FirstByteTimeout++ },
		"max_connections":    func(s *Settings) { s.MaxConnections++ },
		"idle_connections":   func(s *Settings) { s.IdleConnections++ },
		"http2":              func(s *Settings) { s.HTTP2 = false },
		"proxy":              func(s *Settings) { s.Proxy = noProxy },
		"ca_file":            func(s *Settings) { s.CAFile = "" },
	} {
		if build(change).members[0].client == first.members[0].client {
			t.Errorf("%s: old connections are used after it has changed", name)
		}
	}
	// The same names, another certificate: "renewed" takes the place of "relay".
	ca.issue(t, dir, "renewed")
	for _, end := range []string{".crt", ".key"} {
		if err := os.Rename(filepath.Join(dir, "renewed"+end), filepath.Join(dir, "relay"+end)); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := get(t, build(func(*Settings) {})); err != nil || !strings.HasSuffix(got, " renewed") {
		t.Errorf("the upstream was shown %q, %v, want the new certificate", got, err)
	}
}

func TestFilesThatCannotBeUsedAreNamed(t *testing.T) {
	dir := t.TempDir()
	ca := newAuthority(t, dir, "ca")
	ca.issue(t, dir, "relay")
	for file, text := range map[string]string{"empty": "", "hunter2": "hunter2"} {
		if err := os.WriteFile(filepath.Join(dir, file), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	tests := []struct{ name, ca, cert, key, want string }{
		{"no file of roots", "none", "", "", "ca_file: open "},
		{"no roots", "empty", "", "", "ca_file: holds no certificate"},
		{"something else", "hunter2", "", "", "ca_file: holds no certificate"},
		{"no file of the certificate", "", "none", "relay.key", "cert_file: open "},
		{"no file of the key", "", "relay.crt", "none", "key_file: open "},
		{"a key of another certificate", "", "relay.crt", "ca.key", "cert_file: not a certificate that goes with key_file"},
		{"a key that is none", "", "relay.crt", "hunter2", "cert_file: not a certificate that goes with key_file"},
	}
	path := func(file string) string {
		if file == "" {
			return ""
		}
		return filepath.Join(dir, file)
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := New(Config{Upstreams: map[string]Settings{"one": settings("https://x/v1", func(s *Settings) {
				s.CAFile, s.CertFile, s.KeyFile = path(tt.ca), path(tt.cert), path(tt.key)
			})}}, plugintest.Env(t, nil))
			if err == nil || !strings.Contains(err.Error(), "upstreams.one."+tt.want) {
				t.Fatalf("err = %v, want %q", err, tt.want)
			}
			if strings.Contains(strings.ReplaceAll(err.Error(), dir, ""), "hunter2") {
				t.Errorf("the error shows what the file holds: %v", err)
			}
		})
	}
}
