package tree

import (
	"errors"
	"fmt"
	"iter"
	"regexp"
	"slices"
	"strings"
)

// maxProblems is how many problems are told. Who has more of them mends those
// first; to tell them all of a hostile file would take minutes and megabytes.
const maxProblems = 100

// Problems collects all that is wrong, so that it is told at once. What looks
// like a secret in the sources never reaches a message.
type Problems struct {
	texts   []string            // the first ones
	told    map[string]struct{} // texts, all of them
	under   map[string]bool     // keys at fault, true, and what they stand in
	secrets map[string]struct{} // what no message may hold
	cleaner *strings.Replacer   // of these; nil if one was learnt since
	word    *regexp.Regexp
}

// NewProblems returns an empty collection.
func NewProblems() *Problems {
	return &Problems{
		told: map[string]struct{}{}, under: map[string]bool{}, secrets: map[string]struct{}{}, word: secretWord(),
	}
}

// Add notes what is wrong with key, once.
func (p *Problems) Add(key, format string, args ...any) {
	text := key + ": " + fmt.Sprintf(format, args...)
	if _, told := p.told[text]; told {
		return
	}
	p.told[text] = struct{}{}
	p.Mark(key)
	if len(p.texts) < maxProblems {
		p.texts = append(p.texts, text)
	}
}

// Mark notes that something is wrong with key, which the message calls by
// another name.
func (p *Problems) Mark(key string) {
	p.under[key] = true
	for outer := range outerKeys(key) {
		if !p.under[outer] {
			p.under[outer] = false
		}
	}
}

// Under reports whether something is wrong with key or with what stands in it.
func (p *Problems) Under(key string) bool {
	_, found := p.under[key]
	return found
}

// Spoils reports whether something is wrong with key, with what stands in it or
// with what it stands in.
func (p *Problems) Spoils(key string) bool {
	for outer := range outerKeys(key) {
		if p.under[outer] {
			return true
		}
	}
	return p.Under(key)
}

// Keys yields the keys at fault, in no order, without what they stand in.
func (p *Problems) Keys() iter.Seq[string] {
	return func(yield func(string) bool) {
		for key, fault := range p.under {
			if fault && !yield(key) {
				return
			}
		}
	}
}

// outerKeys yields what key stands in, the outermost first.
func outerKeys(key string) iter.Seq[string] {
	return func(yield func(string) bool) {
		for i := range len(key) {
			if (key[i] == '.' || key[i] == '[') && !yield(key[:i]) {
				return
			}
		}
	}
}

// Err joins the problems in the order in which they were added, or returns nil.
// Of very many it only tells the number.
func (p *Problems) Err() error {
	errs := make([]error, 0, len(p.texts)+1)
	for _, text := range p.texts {
		errs = append(errs, errors.New(p.Clean(text)))
	}
	if more := len(p.told) - len(p.texts); more > 0 {
		errs = append(errs, fmt.Errorf("and %d more problems", more))
	}
	return errors.Join(errs...)
}

// Clean returns text without the secrets that were learnt.
func (p *Problems) Clean(text string) string {
	if p.cleaner == nil {
		secrets := make([]string, 0, len(p.secrets))
		for s := range p.secrets {
			secrets = append(secrets, s)
		}
		// The longest first: one secret may be a part of another.
		slices.SortFunc(secrets, func(a, b string) int { return len(b) - len(a) })
		pairs := make([]string, 0, 2*len(secrets))
		for _, s := range secrets {
			pairs = append(pairs, s, Hidden)
		}
		p.cleaner = strings.NewReplacer(pairs...)
	}
	return p.cleaner.Replace(text)
}

// Learn remembers what looks like a secret in text, which stands at key.
func (p *Problems) Learn(key, text string) {
	// A shorter one would hide words of the messages; no message of ours quotes
	// what stands at such a key anyway.
	if NamesSecret(key) && len(text) >= 8 {
		quoted := fmt.Sprintf("%q", text)
		p.learn(text)
		p.learn(quoted[1 : len(quoted)-1])
	}
	if !isPath(key, text) {
		for _, word := range secretWords(p.word, text) {
			p.learn(word)
		}
	}
}

func (p *Problems) learn(secret string) {
	p.secrets[secret], p.cleaner = struct{}{}, nil
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
