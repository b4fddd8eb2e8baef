// Package answer is what a cache keeps of an answer: its body, how it is found,
// how old it is and what it has used. Nothing of an Answer changes once it is
// made, so that everybody may share it.
//
// [Encode] makes bytes of it, which go to a store that others write to as well:
// [Decode] takes back what is whole, of this version and of the same question,
// and nothing else.
package answer

import (
	"crypto/sha256"
	"encoding/hex"
	"time"
)

// A Key is the SHA-256 of everything on which an answer depends, the tenant
// included. Two questions with the same key are the same question.
type Key [sha256.Size]byte

// A Name is where an answer is kept: by whose it is and of which model, so that
// either can be purged, and by the beginning of its key. An answer is given to
// nobody by its name alone: names may meet, keys do not.
type Name struct {
	Tenant [8]byte // the beginning of a SHA-256 of who may share it
	Model  [4]byte // that of a SHA-256 of the model that was asked for
	ID     [8]byte // the beginning of its key
}

// Short returns what a client knows the answer by, in 24 hexadecimal digits:
// the model and the id. Whose it is is left out.
func (n Name) Short() string { return hex.EncodeToString(n.Model[:]) + hex.EncodeToString(n.ID[:]) }

// ReadShort returns the name of a tenant's answer by what [Name.Short] has
// returned, false if text is no such thing.
func ReadShort(tenant [8]byte, text string) (Name, bool) {
	n := Name{Tenant: tenant}
	b, err := hex.DecodeString(text)
	if err != nil || len(b) != len(n.Model)+len(n.ID) {
		return Name{}, false
	}
	copy(n.Model[:], b)
	copy(n.ID[:], b[len(n.Model):])
	return n, true
}

// A Place is where the answer to one question is kept, and which question.
type Place struct {
	Name Name
	Key  Key
}

// A Form is the form of an answer.
type Form uint8

// The forms of answers.
const (
	Unary  Form = iota // a body in one piece
	Stream             // server-sent events
	Usage              // server-sent events of a chat, of which the last but one tells what was used
)

// Streamed reports whether the form is server-sent events.
func (f Form) Streamed() bool { return f != Unary }

// Tokens are what an answer has used.
type Tokens struct {
	Input, Output             int64 // all of them
	Cached, Written           int64 // of Input: read from and written to a prompt cache
	Reasoning                 int64 // of Output
	Known, Estimated, Counted bool  // whether anything is known; not by the answer's own word; only a count, which costs nothing
}

// An Answer is a whole answer with status 200.
type Answer struct {
	Key      Key
	Form     Form
	Type     string // Content-Type, "" if it had none
	Language string // Content-Language, "" if it had none
	Body     []byte

	Since time.Time     // when it was made: before it came, if it came with an age
	Most  time.Duration // the age up to which its upstream lets it be given again

	Model  string // the one that answered, by which its cost is reckoned; may be ""
	Tokens Tokens
}
