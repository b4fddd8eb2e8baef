package config

import (
	"errors"
	"fmt"
	"maps"
	"net"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/holysheep/relay/internal/tree"
	"github.com/holysheep/relay/server/upstream"
)

// Validate reports every problem at once, joined with [errors.Join]. Each
// begins with the path of the key at fault. Whether the plugins of the chain
// exist is known to [Load] only.
func (c Config) Validate() error {
	errs := []error{
		address("listen", c.Listen),
		address("admin", c.Admin),
		c.TLS.validate(),
		c.validateDurations(),
		c.validateBodies(),
		oneOf("on_client_gone", c.OnClientGone, "cancel", "drain"),
		c.CORS.validate(),
		oneOf("log.level", c.Log.Level, "debug", "info", "warn", "error"),
		oneOf("log.format", c.Log.Format, "json", "text"),
		c.Redis.validate(),
		c.validateChain(),
	}
	if _, port, _ := net.SplitHostPort(c.Listen); c.Listen == c.Admin && port != "0" {
		errs = append(errs, errors.New("admin: is the same address as listen"))
	}
	if c.AdminTokenEnv != "" && c.AdminTokenFile != "" {
		errs = append(errs, errors.New("admin_token_env: stands beside admin_token_file: keep one"))
	}
	for _, name := range slices.Sorted(maps.Keys(c.Plugins)) {
		errs = append(errs, within("plugins."+name, c.Plugins[name].Validate())...)
	}
	if len(c.Upstreams) == 0 {
		errs = append(errs, errors.New("upstreams: there is none: name one here, such as "+
			"holysheep: {base_url: \"https://api.example.com/v1\"}, or set BASE_URL"))
	}
	for _, name := range slices.Sorted(maps.Keys(c.Upstreams)) {
		errs = append(errs, within("upstreams."+name, c.Upstreams[name].Validate())...)
	}
	errs = append(errs, upstream.ValidateFallbacks(c.Fallbacks))
	errs = append(errs, c.Prices.Validate())
	errs = append(errs, within("health", c.Health.Validate())...)
	return errors.Join(errs...)
}

func (c Config) validateDurations() error {
	var errs []error
	for _, d := range []struct {
		key   string
		value time.Duration
		least time.Duration
	}{
		{"drain", c.Drain, 0},
		{"drain_delay", c.DrainDelay, 0},
		{"request_timeout", c.RequestTimeout, 0},
		{"stream_keepalive", c.StreamKeepalive, 0},
		{"client_gone_time", c.ClientGoneTime, 0},
		{"read_header_timeout", c.ReadHeaderTimeout, time.Millisecond},
		{"idle_timeout", c.IdleTimeout, time.Millisecond},
		{"cors.max_age", c.CORS.MaxAge, 0},
	} {
		if d.value < d.least {
			errs = append(errs, fmt.Errorf("%s: %s is below %s", d.key, tree.Short(d.value), tree.Short(d.least)))
		}
	}
	return errors.Join(errs...)
}

func (c Config) validateBodies() error {
	var errs []error
	if c.MaxBody < 1 {
		errs = append(errs, fmt.Errorf("max_body: %s is below 1B", c.MaxBody))
	}
	if c.ClientGoneBytes < 0 {
		errs = append(errs, fmt.Errorf("client_gone_bytes: %s is negative", c.ClientGoneBytes))
	}
	if c.MaxReplay < 0 || c.MaxReplay > c.MaxBody {
		errs = append(errs, fmt.Errorf("max_replay: %s is not from 0B to max_body, %s", c.MaxReplay, c.MaxBody))
	}
	return errors.Join(errs...)
}

func (c Config) validateChain() error {
	var errs []error
	for i, name := range c.Chain {
		if slices.Contains(c.Chain[:i], name) {
			errs = append(errs, fmt.Errorf("chain: %s stands twice", tree.Brief(name)))
		}
	}
	return errors.Join(errs...)
}

func (t TLS) validate() error {
	errs := []error{oneOf("tls.min_version", t.MinVersion, "1.2", "1.3")}
	if t.CertFile != "" && t.KeyFile == "" {
		errs = append(errs, errors.New("tls.key_file: missing beside cert_file"))
	}
	if t.CertFile == "" && t.KeyFile != "" {
		errs = append(errs, errors.New("tls.cert_file: missing beside key_file"))
	}
	return errors.Join(errs...)
}

func (c CORS) validate() error {
	var errs []error
	for _, origin := range c.Origins {
		u, err := url.Parse(origin)
		if origin != "*" && (err != nil || origin != u.Scheme+"://"+u.Host || u.Scheme == "" || u.Host == "") {
			errs = append(errs, fmt.Errorf("cors.origins: %s is not an origin such as https://chat.example.com", tree.Brief(origin)))
		}
	}
	for _, header := range c.Headers {
		// A token (RFC 9110, section 5.6.2).
		if !regexp.MustCompile("^[!#$%&'*+.^_`|~0-9A-Za-z-]+$").MatchString(header) {
			errs = append(errs, fmt.Errorf("cors.headers: %s is not the name of a header", tree.Brief(header)))
		}
	}
	return errors.Join(errs...)
}

// address holds what stands at key to host:port. What holds a password is not
// printed.
func address(key, text string) error {
	if strings.Contains(text, "@") {
		return fmt.Errorf("%s: holds a user or password, which no address does", key)
	}
	_, port, err := net.SplitHostPort(text)
	if n, e := strconv.Atoi(port); err != nil || e != nil || n < 0 || n > 65535 {
		return fmt.Errorf("%s: %s is not an address such as :8080 or 127.0.0.1:8080", key, tree.Brief(text))
	}
	return nil
}

func oneOf(key, value string, allowed ...string) error {
	if slices.Contains(allowed, value) {
		return nil
	}
	return fmt.Errorf("%s: %s is not one of %s", key, tree.Brief(value), strings.Join(allowed, ", "))
}

// within puts path before every problem that err joins: a dot where the problem
// begins with a key.
func within(path string, err error) []error {
	var all []error
	for _, e := range tree.Lines(err) {
		separator := ": "
		if regexp.MustCompile(`^[a-z][a-z0-9_]*(\.[^\s:]+|\[[0-9]+\])*: `).MatchString(e.Error()) {
			separator = "."
		}
		all = append(all, fmt.Errorf("%s%s%w", path, separator, e))
	}
	return all
}
