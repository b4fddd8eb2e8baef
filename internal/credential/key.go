package credential

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"io"
)

// Prefix begins every key made by [New], so that scanners for leaked secrets
// can know it.
const Prefix = "sk-hs-"

// New makes a client key from 32 bytes of rand: [Prefix] and 43 characters of
// base64url, 256 random bits in all. It panics if rand fails, since a key of
// less must never come to be; [crypto/rand.Reader] never fails.
func New(rand io.Reader) (key string) {
	secret := make([]byte, 32)
	if _, err := io.ReadFull(rand, secret); err != nil {
		panic("credential: no random bytes: " + err.Error())
	}
	return Prefix + base64.RawURLEncoding.EncodeToString(secret)
}

// Sum returns the SHA-256 of the key. It needs neither salt nor slowness, as a
// password's would: a key of 256 random bits cannot be found by trying, with
// whatever hash.
func Sum(key string) [sha256.Size]byte { return sha256.Sum256([]byte(key)) }

// Hash returns [Sum] in 64 lower-case hexadecimal digits, which is what the
// configuration stores of a key.
func Hash(key string) string {
	sum := Sum(key)
	return hex.EncodeToString(sum[:])
}

// Fingerprint tells keys apart without telling them: by the first 12 digits of
// their SHA-256.
func Fingerprint(key string) string {
	sum := Sum(key)
	return "sha256:" + hex.EncodeToString(sum[:6])
}
