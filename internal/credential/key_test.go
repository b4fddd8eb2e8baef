package credential_test

import (
	"bytes"
	"crypto/rand"
	"regexp"
	"testing"

	"github.com/holysheep/relay/internal/credential"
)

func TestNew(t *testing.T) {
	form := regexp.MustCompile(`^sk-hs-[A-Za-z0-9_-]{43}$`)
	first, second := credential.New(rand.Reader), credential.New(rand.Reader)
	if !form.MatchString(first) {
		t.Errorf("New = %q, want the form %s", first, form)
	}
	if first == second {
		t.Errorf("New = %q twice", first)
	}
}

func TestNewPanicsOnTooFewBytes(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("New made a key of 31 bytes")
		}
	}()
	credential.New(bytes.NewReader(make([]byte, 31)))
}

// The digest is `printf abc | sha256sum`.
func TestHash(t *testing.T) {
	const want = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
	if got := credential.Hash("abc"); got != want {
		t.Errorf("Hash = %q, want %q", got, want)
	}
}
