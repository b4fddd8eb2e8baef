package auth

import "time"

// Settings say who the clients are. A client stands in one of the three
// sources; all sources together must hold at least one.
type Settings struct {
	// KeysFile names a YAML file that holds clients, as a map under the key
	// clients. It is read again when it changes.
	KeysFile string `koanf:"keys_file"`

	// KeysEnv names the environment variable whose value is such YAML.
	KeysEnv string `koanf:"keys_env"`

	// Clients are clients by name. They hold hashes of keys and nothing secret,
	// so they may stand in a ConfigMap.
	Clients map[string]client `koanf:"clients"`
}

// A client is somebody who may ask.
type client struct {
	// Group is the group the client belongs to, for limits and reports.
	Group string `koanf:"group"`

	// Models are globs of the models that the client may use, such as "gpt-*".
	// A star stands for any characters, slashes too. Without any it may use
	// every model.
	Models []string `koanf:"models"`

	// Disabled refuses all of the client's keys.
	Disabled bool `koanf:"disabled"`

	// Keys are the client's keys by name. All of them are good at the same
	// time, so that a key can be replaced before it is taken away.
	Keys map[string]key `koanf:"keys"`
}

// A key is one key of a client, without the key itself.
type key struct {
	// SHA256 is the hash of the key as "relay key" prints it: 64 hexadecimal
	// digits. It has no pattern in the schema, for validators print what does
	// not match, and that may be a plain key in the wrong place.
	SHA256 string `koanf:"sha256"`

	// Expires is the moment from which on the key is refused, as in
	// 2027-01-01T00:00:00Z. Without it the key is good for ever.
	Expires *time.Time `koanf:"expires"`

	// Disabled refuses the key.
	Disabled bool `koanf:"disabled"`

	// Models narrow the client's: each lies within one of those. Without any
	// the key is good for all that the client may use.
	Models []string `koanf:"models"`
}

// Defaults returns the settings of a chain that names auth and says no more,
// which knows no client yet and so cannot be built.
func Defaults() Settings { return Settings{} }
