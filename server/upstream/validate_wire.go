package upstream

import (
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"golang.org/x/net/http/httpguts"
)

// validateHeaders refuses what is not the operator's to set. It prints no
// value.
func (s Settings) validateHeaders() error {
	var errs []error
	seen := map[string]bool{}
	for _, name := range slices.Sorted(maps.Keys(s.Headers)) {
		canonical := http.CanonicalHeaderKey(name)
		switch {
		case !httpguts.ValidHeaderFieldName(name):
			errs = append(errs, fmt.Errorf("headers: %q is not the name of a header", name))
		case credentials(canonical):
			errs = append(errs, fmt.Errorf("headers.%s: holds credentials: name the key by api_key_env or api_key_file, and its place by auth", name))
		case framing(canonical):
			errs = append(errs, fmt.Errorf("headers.%s: belongs to the connection or the body, which are the relay's", name))
		case !httpguts.ValidHeaderFieldValue(s.Headers[name]):
			errs = append(errs, fmt.Errorf("headers.%s: its value holds what no header may", name))
		case seen[canonical]:
			errs = append(errs, fmt.Errorf("headers.%s: stands there twice, in other letters", name))
		}
		seen[canonical] = true
	}
	return errors.Join(errs...)
}

// credentials reports whether a header is a place for credentials. Names of
// headers are in their canonical form.
func credentials(name string) bool {
	switch name {
	case "Authorization", "Proxy-Authorization", "X-Api-Key", "Api-Key", "X-Goog-Api-Key", "Cookie":
		return true
	}
	return false
}

// framing reports whether a header says how a request is sent (RFC 9110,
// sections 6.6 and 7.6.1), or how its answer may be encoded, which is for the
// relay to say, since it looks into some.
func framing(name string) bool {
	switch name {
	case "Host", "Content-Length", "Content-Encoding", "Transfer-Encoding", "Te", "Trailer", "Expect",
		"Connection", "Keep-Alive", "Proxy-Connection", "Proxy-Authenticate", "Upgrade", "Http2-Settings",
		"Accept-Encoding":
		return true
	}
	return strings.HasPrefix(name, "Sec-Websocket-")
}

func (s Settings) validateTLS() (errs []error) {
	if s.CertFile != "" && s.KeyFile == "" {
		errs = append(errs, errors.New("key_file: missing beside cert_file"))
	}
	if s.KeyFile != "" && s.CertFile == "" {
		errs = append(errs, errors.New("cert_file: missing beside key_file"))
	}
	if u, err := url.Parse(s.BaseURL); err != nil || u.Scheme != "http" {
		return errs
	}
	for _, f := range []struct{ key, name string }{{"ca_file", s.CAFile}, {"cert_file", s.CertFile}} {
		if f.name != "" {
			errs = append(errs, fmt.Errorf("%s: base_url is http, which shows no certificates", f.key))
		}
	}
	return errs
}

// validateProxy never prints a user and password.
func (s Settings) validateProxy() error {
	if s.Proxy == "" || s.Proxy == noProxy {
		return nil
	}
	u, err := url.Parse(s.Proxy)
	switch {
	case err != nil:
		return errors.New("proxy: neither none nor a URL such as http://proxy.example.com:3128")
	case u.User != nil:
		return errors.New("proxy: holds a user or password, and secrets do not stand in the file: " +
			"leave it out and set HTTPS_PROXY in the environment")
	case !slices.Contains([]string{"http", "https", "socks5"}, u.Scheme):
		return fmt.Errorf("proxy: scheme %q is none of http, https, socks5", u.Scheme)
	case u.Host == "":
		return errors.New("proxy: has no host")
	case strings.Trim(u.Path, "/") != "" || strings.ContainsAny(s.Proxy, "?#"):
		return errors.New("proxy: holds more than scheme, host and port")
	}
	return nil
}
