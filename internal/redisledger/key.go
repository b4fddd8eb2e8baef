package redisledger

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"

	"github.com/holysheep/relay/internal/ledger"
)

// together is the hash tag of all keys that are not spread: they lie in one
// slot of a cluster, so one script may touch them all.
const together = "limit"

// Key returns the name of a counter in Redis:
//
//	<prefix>limit:{<tag>}:<name of the counter>:<hash of the subject>
//
// The hash is the first 24 hexadecimal digits (96 bits) of the SHA-256 of A, or
// of A, a zero byte and B if there is a B. The zero subject has none, and no
// colon before it. Who knows a client's name finds its keys so:
//
//	printf %s alice | sha256sum | cut -c1-24
//
// The tag, by which a cluster finds the slot, is "limit". With ShardClients it
// is the hash of A where the counter is of clients, and of other counters the
// name up to its first dot.
func (s *Store) Key(c *ledger.Counter, sub ledger.Subject) string {
	return s.key(s.tag(c, sub), c, sub)
}

func (s *Store) key(tag string, c *ledger.Counter, sub ledger.Subject) string {
	var room [160]byte
	return string(s.appendKey(room[:0], tag, c, sub))
}

func (s *Store) appendKey(to []byte, tag string, c *ledger.Counter, sub ledger.Subject) []byte {
	to = append(to, s.opts.Prefix...)
	to = append(append(append(to, "limit:{"...), tag...), "}:"...)
	to = append(to, c.Name...)
	if sub != (ledger.Subject{}) {
		to = appendHash(append(to, ':'), sub)
	}
	return to
}

func (s *Store) tag(c *ledger.Counter, sub ledger.Subject) string {
	switch {
	case !s.opts.ShardClients:
		return together
	case c.OfClient:
		return hash(sub.A)
	}
	rule, _, _ := strings.Cut(c.Name, ".")
	return rule
}

func hash(name string) string { return string(appendHash(nil, ledger.Subject{A: name})) }

// appendHash appends the hash of a subject.
func appendHash(to []byte, sub ledger.Subject) []byte {
	var room [160]byte
	name := append(room[:0], sub.A...)
	if sub.B != "" {
		name = append(append(name, 0), sub.B...)
	}
	sum := sha256.Sum256(name)
	return hex.AppendEncode(to, sum[:12])
}

// A group is the claims that one script can touch: they have one tag.
type group struct {
	tag    string
	claims []*ledger.Claim
}

// groups returns claims by their tags, those of clients first. Without
// ShardClients all have the same.
func (s *Store) groups(claims []ledger.Claim) []group {
	if !s.opts.ShardClients && len(claims) > 0 {
		all := group{together, make([]*ledger.Claim, len(claims))}
		for i := range claims {
			all.claims[i] = &claims[i]
		}
		return []group{all}
	}
	var ofClients, others []group
	for i := range claims {
		c := &claims[i]
		tag := s.tag(c.Counter, c.Subject)
		if c.Counter.OfClient {
			ofClients = add(ofClients, tag, c)
		} else {
			others = add(others, tag, c)
		}
	}
	return append(ofClients, others...)
}

func add(groups []group, tag string, c *ledger.Claim) []group {
	for i := range groups {
		if groups[i].tag == tag {
			groups[i].claims = append(groups[i].claims, c)
			return groups
		}
	}
	return append(groups, group{tag, []*ledger.Claim{c}})
}

// parts is groups of claims that are not decided together: none has more keys
// than one script should touch.
func (s *Store) parts(claims []ledger.Claim) []group {
	var all []group
	for _, g := range s.groups(claims) {
		for part := range slices.Chunk(g.claims, maxKeys) {
			all = append(all, group{g.tag, part})
		}
	}
	return all
}

// keysOf returns the keys of claims that have a tag. They are parts of one text,
// which is one allocation for all of them.
func (s *Store) keysOf(tag string, claims []*ledger.Claim) []string {
	var room [1024]byte
	var few [16]int
	text, ends := room[:0], few[:0]
	for _, c := range claims {
		text = s.appendKey(text, tag, c.Counter, c.Subject)
		ends = append(ends, len(text))
	}
	keys, whole, begin := make([]string, len(claims)), string(text), 0
	for i, end := range ends {
		keys[i] = whole[begin:end]
		begin = end
	}
	return keys
}
