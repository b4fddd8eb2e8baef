package tree

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Problems collects all that is wrong, so that it is told at once. What looks
// like a secret in the sources never reaches a message.
type Problems struct {
	texts   []string
	keys    map[string]bool // at fault
	secrets map[string]bool // what no message may hold
}

// NewProblems returns an empty collection.
func NewProblems() *Problems {
	return &Problems{keys: map[string]bool{}, secrets: map[string]bool{}}
}

// Add notes what is wrong with key, once.
func (p *Problems) Add(key, format string, args ...any) {
	text := key + ": " + fmt.Sprintf(format, args...)
	if !slices.Contains(p.texts, text) {
		p.keys[key] = true
		p.texts = append(p.texts, text)
	}
}

// Under reports whether something is wrong with key or with what stands in it.
func (p *Problems) Under(key string) bool {
	for k := range p.keys {
		if k == key || strings.HasPrefix(k, key+".") || strings.HasPrefix(k, key+"[") {
			return true
		}
	}
	return false
}

// Err joins the problems in the order in which they were added, or returns nil.
func (p *Problems) Err() error {
	errs := make([]error, 0, len(p.texts))
	for _, text := range p.texts {
		errs = append(errs, errors.New(p.Clean(text)))
	}
	return errors.Join(errs...)
}

// Clean returns text without the secrets that were learnt.
func (p *Problems) Clean(text string) string {
	secrets := make([]string, 0, len(p.secrets))
	for s := range p.secrets {
		secrets = append(secrets, s)
	}
	// The longest first: one secret may be a part of another.
	slices.SortFunc(secrets, func(a, b string) int { return len(b) - len(a) })
	for _, s := range secrets {
		text = strings.ReplaceAll(text, s, Hidden)
	}
	return text
}

// Learn remembers what looks like a secret in text, which stands at key.
func (p *Problems) Learn(key, text string) {
	// A shorter one would hide words of the messages; no message of ours quotes
	// what stands at such a key anyway.
	if NamesSecret(key) && len(text) >= 8 {
		quoted := fmt.Sprintf("%q", text)
		p.secrets[text], p.secrets[quoted[1:len(quoted)-1]] = true, true
	}
	if strings.HasSuffix(key, "_file") && strings.HasPrefix(text, "/") {
		return // a path may be told
	}
	for _, word := range secretWords(text) {
		p.secrets[word] = true
	}
}

// Lines returns the errors that err joins, one by one.
func Lines(err error) []error {
	if err == nil {
		return nil
	}
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok {
		return []error{err}
	}
	var all []error
	for _, e := range joined.Unwrap() {
		all = append(all, Lines(e)...)
	}
	return all
}
