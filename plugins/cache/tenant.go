package cache

import (
	"crypto/sha256"

	"github.com/holysheep/relay/plugins"
)

// Who shares answers.
const (
	scopeClient = "client"
	scopeGroup  = "group"
	scopeShared = "shared"

	// anonymous are those whom nobody has identified: together they are one
	// client.
	anonymous = "anonymous"
)

// A tenant is who shares answers: a kind and a name, which is empty where there
// is one of the kind.
type tenant struct{ kind, name string }

// tenantIn returns with whom a client shares answers in a scope. A client that
// is in no group shares with nobody.
func tenantIn(scope string, c plugins.Client, known bool) tenant {
	switch {
	case scope == scopeShared:
		return tenant{kind: scopeShared}
	case scope == scopeGroup && known && c.Group != "":
		return tenant{scopeGroup, c.Group}
	case known:
		return tenant{scopeClient, c.Name}
	}
	return tenant{kind: anonymous}
}

// tenantOf returns what names of answers begin with that belong to a tenant.
func tenantOf(t tenant) (id [8]byte) {
	sum := sha256.Sum256([]byte(t.kind + "\x00" + t.name))
	copy(id[:], sum[:])
	return id
}

// modelOf returns what stands for a model in names of answers.
func modelOf(model string) (id [4]byte) {
	sum := sha256.Sum256([]byte(model))
	copy(id[:], sum[:])
	return id
}
