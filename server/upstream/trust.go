package upstream

import (
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"

	"github.com/holysheep/relay/plugins"
)

// trust is whom a connection to an upstream trusts, and what it shows of
// itself, as PEM. What was not named is nil.
type trust struct{ ca, cert, key []byte }

// trust reads the files that the settings name.
func (s Settings) trust(env plugins.Env) (t trust, err error) {
	var errs []error
	for _, f := range []struct {
		key, path string
		into      *[]byte
	}{{"ca_file", s.CAFile, &t.ca}, {"cert_file", s.CertFile, &t.cert}, {"key_file", s.KeyFile, &t.key}} {
		if f.path == "" {
			continue
		}
		if *f.into, err = env.ReadFile(f.path); err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", f.key, err))
		}
	}
	return t, errors.Join(errs...)
}

// config returns the configuration of TLS, nil if it is net/http's own.
func (t trust) config() (*tls.Config, error) {
	if t.ca == nil && t.cert == nil {
		return nil, nil
	}
	c := &tls.Config{MinVersion: tls.VersionTLS12}
	if t.ca != nil {
		c.RootCAs = x509.NewCertPool()
		if !c.RootCAs.AppendCertsFromPEM(t.ca) {
			return nil, errors.New("ca_file: holds no certificate as PEM")
		}
	}
	if t.cert != nil {
		pair, err := tls.X509KeyPair(t.cert, t.key)
		if err != nil {
			return nil, fmt.Errorf("cert_file: not a certificate that goes with key_file: %w", err)
		}
		c.Certificates = []tls.Certificate{pair}
	}
	return c, nil
}

// wiring returns a digest of all that the connections depend on: what the files
// hold too, so that new certificates make new connections.
func (s Settings) wiring(t trust) string {
	h := sha256.New()
	_, _ = fmt.Fprintf(h, "%d %d %d %d %t %q %q %q %q", s.ConnectTimeout, s.FirstByteTimeout, s.MaxConnections,
		s.IdleConnections, s.HTTP2, s.Proxy, t.ca, t.cert, t.key)
	return hex.EncodeToString(h.Sum(nil))
}
