package auth

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/holysheep/relay/internal/credential"
	"github.com/holysheep/relay/plugins"
)

type digest = [sha256.Size]byte

// A ring holds the keys of all clients. It does not change.
type ring struct {
	clients map[string]client
	keys    map[digest]*entry
	nobody  entry // what an unknown key is compared with
}

// An entry is one key of one client, with what both together may do.
type entry struct {
	client   plugins.Client
	key      string // its name
	sum      digest
	expires  time.Time // zero for never
	disabled bool
}

// newRing makes a ring of valid clients. It returns an error if two keys are
// the same: whose the request is would be a guess.
func newRing(clients map[string]client) (*ring, error) {
	r := &ring{clients: clients, keys: map[digest]*entry{}}
	var errs []error
	for _, name := range slices.Sorted(maps.Keys(clients)) {
		c := clients[name]
		for _, keyName := range slices.Sorted(maps.Keys(c.Keys)) {
			e := newEntry(name, c, keyName)
			if same, found := r.keys[e.sum]; found {
				errs = append(errs, fmt.Errorf("%s.sha256: the same key as %s", e.path(), same.path()))
			}
			r.keys[e.sum] = e
		}
	}
	return r, errors.Join(errs...)
}

// list returns the clients in the order of their names, those too that are
// refused for now. The models are all that any of a client's keys may use.
func (r *ring) list() []plugins.Client {
	list := make([]plugins.Client, 0, len(r.clients))
	for _, name := range slices.Sorted(maps.Keys(r.clients)) {
		c := r.clients[name]
		list = append(list, plugins.Client{Name: name, Group: c.Group, Models: c.Models})
	}
	return list
}

func newEntry(name string, c client, keyName string) *entry {
	k := c.Keys[keyName]
	models := c.Models
	if k.Models != nil {
		models = k.Models // within the client's, says validate
	}
	e := &entry{
		client:   plugins.Client{Name: name, Group: c.Group, Models: models},
		key:      keyName,
		disabled: c.Disabled || k.Disabled,
	}
	if k.Expires != nil {
		e.expires = *k.Expires // not the zero, says validate
	}
	_, _ = hex.Decode(e.sum[:], []byte(k.SHA256)) // 64 digits, says validate
	return e
}

// find returns the entry of a key. It looks up a hash, of which a stranger
// cannot choose the bytes, and a key that is unknown goes the same way as one
// that is known, so that the time taken tells nothing.
func (r *ring) find(key string) (e *entry, known bool) {
	sum := credential.Sum(key)
	e, known = r.keys[sum]
	if !known {
		e = &r.nobody
	}
	if same := subtle.ConstantTimeCompare(e.sum[:], sum[:]) == 1; !same || !known {
		return nil, false
	}
	return e, true
}

func (e *entry) expired(now time.Time) bool { return !e.expires.IsZero() && !now.Before(e.expires) }

// fingerprint tells keys apart in logs and lists: the first 12 digits of the
// stored hash.
func (e *entry) fingerprint() string { return hex.EncodeToString(e.sum[:6]) }

// path is where the configuration holds the key.
func (e *entry) path() string { return "clients." + e.client.Name + ".keys." + e.key }
