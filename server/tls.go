package server

import (
	"crypto/tls"
	"errors"
	"fmt"

	"github.com/holysheep/relay/server/config"
)

// certificate reads the certificate for clients, nil if none is configured.
func certificate(c config.TLS, read func(string) ([]byte, error)) (*tls.Certificate, error) {
	if c.CertFile == "" || c.KeyFile == "" {
		return nil, nil //nolint:nilnil // no certificate is no error
	}
	cert, certErr := read(c.CertFile)
	if certErr != nil {
		certErr = fmt.Errorf("tls.cert_file: %w", certErr)
	}
	key, keyErr := read(c.KeyFile)
	if keyErr != nil {
		keyErr = fmt.Errorf("tls.key_file: %w", keyErr)
	}
	if err := errors.Join(certErr, keyErr); err != nil {
		return nil, err
	}
	pair, err := tls.X509KeyPair(cert, key)
	if err != nil {
		return nil, fmt.Errorf("tls: %s with %s: %w", c.CertFile, c.KeyFile, err)
	}
	return &pair, nil
}

// tlsConfig shows the certificate of the current generation, so that a renewed
// one is shown from the next connection on.
func (s *Server) tlsConfig() *tls.Config {
	version := uint16(tls.VersionTLS12)
	if s.current.Load().config.Config.TLS.MinVersion == "1.3" {
		version = tls.VersionTLS13
	}
	return &tls.Config{
		MinVersion: version,
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
			if cert := s.current.Load().cert; cert != nil {
				return cert, nil
			}
			return nil, errors.New("no certificate is configured any more")
		},
	}
}
