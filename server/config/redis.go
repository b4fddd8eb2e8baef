package config

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/holysheep/relay/internal/tree"
)

// Redis says where Redis is, or what speaks its protocol.
type Redis struct {
	// Addresses are where Redis listens, such as "redis:6379": one server, some
	// nodes of a cluster, or the Sentinels.
	Addresses []string `koanf:"addresses"`

	// Mode says what is at the addresses. auto is sentinel where sentinel.master
	// is set, else cluster where there are several addresses, else single.
	Mode string `koanf:"mode" jsonschema:"enum=auto,enum=single,enum=sentinel,enum=cluster"`

	// Sentinel says whose master the Sentinels at the addresses are asked for.
	Sentinel Sentinel `koanf:"sentinel"`

	// Username is the user to log in as. Empty is Redis's default user.
	Username string `koanf:"username"`

	// PasswordEnv names the environment variable that holds the password.
	PasswordEnv string `koanf:"password_env"`

	// PasswordFile names the file that holds the password. It is read again
	// when it changes.
	PasswordFile string `koanf:"password_file"`

	// Prefix is what every key that the relay writes begins with: relays that
	// share counters and cache have the same.
	Prefix string `koanf:"prefix"`

	// DB is the number of the database. A cluster has no other than 0.
	DB int `koanf:"db" jsonschema:"minimum=0"`

	// TLS encrypts the connection to Redis, and to the Sentinels.
	TLS bool `koanf:"tls"`

	// CAFile names the file with the certificates, as PEM, that Redis's own may
	// be signed by. Without it those of the system are trusted.
	CAFile string `koanf:"ca_file"`

	// CertFile names the file with the certificate that is shown to Redis, as
	// PEM. It is read again when it changes.
	CertFile string `koanf:"cert_file"`

	// KeyFile names the file with that certificate's private key, as PEM.
	KeyFile string `koanf:"key_file"`

	// ServerName is the name that Redis's certificate must be for. Without it
	// that is the host of the address.
	ServerName string `koanf:"server_name"`

	// PoolSize is how many connections there may be to each server. 0 is 10 for
	// each processor, and 5 in a cluster.
	PoolSize int `koanf:"pool_size" jsonschema:"minimum=0,maximum=10000"`

	// DialTimeout bounds the making of a connection, that of TLS included.
	// Nobody waits that long: a request waits as long as its plugin says.
	DialTimeout time.Duration `koanf:"dial_timeout"`
}

// Sentinel says how the Sentinels are asked where the master is.
type Sentinel struct {
	// Master is what they call it.
	Master string `koanf:"master"`

	// Username is the user to log in as at the Sentinels, which know others than
	// Redis does. Empty is their default user.
	Username string `koanf:"username"`

	// PasswordEnv names the environment variable that holds their password.
	PasswordEnv string `koanf:"password_env"`

	// PasswordFile names the file that holds their password. It is read again
	// when it changes.
	PasswordFile string `koanf:"password_file"`
}

// Kind returns the mode that r comes to: "single", "sentinel" or "cluster", and
// "" without addresses.
func (r Redis) Kind() string {
	switch {
	case len(r.Addresses) == 0:
		return ""
	case r.Mode != "auto":
		return r.Mode
	case r.Sentinel.Master != "":
		return "sentinel"
	case len(r.Addresses) > 1:
		return "cluster"
	default:
		return "single"
	}
}

// Patterns of names. A brace would choose a slot of a cluster, which is the
// relay's own to do.
const (
	prefixPattern = `^[A-Za-z0-9._:-]{1,64}$`
	masterPattern = `^[A-Za-z0-9._-]{1,255}$` // what Sentinel takes in sentinel.conf
	hostPattern   = `^[A-Za-z0-9._:-]{1,253}$`
)

func (r Redis) validate() error {
	var errs []error
	for _, a := range r.Addresses {
		if strings.Contains(a, "@") {
			errs = append(errs, errors.New("redis.addresses: holds a user or password: they stand in username, and where password_env or password_file says"))
			continue
		}
		errs = append(errs, address("redis.addresses", a))
	}
	errs = append(errs, oneOf("redis.mode", r.Mode, "auto", "single", "sentinel", "cluster"))
	if r.PasswordEnv != "" && r.PasswordFile != "" {
		errs = append(errs, errors.New("redis.password_env: stands beside password_file: keep one"))
	}
	if !regexp.MustCompile(prefixPattern).MatchString(r.Prefix) {
		errs = append(errs, fmt.Errorf("redis.prefix: %s is not 1 to 64 letters, digits, '.', '_', '-' or ':'", tree.Brief(r.Prefix)))
	}
	if r.PoolSize < 0 || r.PoolSize > 10000 {
		errs = append(errs, fmt.Errorf("redis.pool_size: %d is not from 0 to 10000", r.PoolSize))
	}
	if r.DialTimeout < time.Millisecond {
		errs = append(errs, fmt.Errorf("redis.dial_timeout: %s is below 1ms", tree.Short(r.DialTimeout)))
	}
	errs = append(errs, r.validateDB(), r.validateMode(), r.Sentinel.validate(r.Kind()), r.validateTLS())
	return errors.Join(errs...)
}

func (r Redis) validateDB() error {
	switch {
	case r.DB < 0:
		return fmt.Errorf("redis.db: %d is negative", r.DB)
	case r.DB > 0 && r.Kind() == "cluster":
		return fmt.Errorf("redis.db: a cluster has no %d, only 0: leave it out, or set mode if these addresses are no cluster", r.DB)
	}
	return nil
}

// validateMode holds a mode that is set to the rest.
func (r Redis) validateMode() error {
	switch {
	case r.Mode == "single" && len(r.Addresses) > 1:
		return fmt.Errorf("redis.mode: single, but there are %d addresses", len(r.Addresses))
	case r.Sentinel.Master != "" && (r.Mode == "single" || r.Mode == "cluster"):
		return fmt.Errorf("redis.mode: %s, but sentinel.master is set", r.Mode)
	}
	return nil
}

func (s Sentinel) validate(kind string) error {
	if kind == "single" || kind == "cluster" {
		s.Master = "" // told already
		if s != (Sentinel{}) {
			return fmt.Errorf("redis.sentinel: is set, but mode is %s: set sentinel.master too", kind)
		}
	}
	if kind != "sentinel" {
		return nil
	}
	var errs []error
	if s.Master == "" {
		errs = append(errs, errors.New("redis.sentinel.master: is missing, but mode is sentinel"))
	} else if !regexp.MustCompile(masterPattern).MatchString(s.Master) {
		errs = append(errs, fmt.Errorf("redis.sentinel.master: %s is not letters, digits, '.', '_' or '-'", tree.Brief(s.Master)))
	}
	if s.PasswordEnv != "" && s.PasswordFile != "" {
		errs = append(errs, errors.New("redis.sentinel.password_env: stands beside password_file: keep one"))
	}
	return errors.Join(errs...)
}

func (r Redis) validateTLS() error {
	var errs []error
	for _, f := range []struct{ key, value string }{
		{"ca_file", r.CAFile}, {"cert_file", r.CertFile}, {"key_file", r.KeyFile}, {"server_name", r.ServerName},
	} {
		if f.value != "" && !r.TLS {
			errs = append(errs, fmt.Errorf("redis.%s: is set, but tls is false", f.key))
		}
	}
	if r.CertFile != "" && r.KeyFile == "" {
		errs = append(errs, errors.New("redis.key_file: missing beside cert_file"))
	}
	if r.CertFile == "" && r.KeyFile != "" {
		errs = append(errs, errors.New("redis.cert_file: missing beside key_file"))
	}
	if r.ServerName != "" && !regexp.MustCompile(hostPattern).MatchString(r.ServerName) {
		errs = append(errs, fmt.Errorf("redis.server_name: %s is not the name of a host", tree.Brief(r.ServerName)))
	}
	return errors.Join(errs...)
}
