package tree

import (
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
)

// Hidden stands where a secret stood.
const Hidden = "(hidden)"

// secretWord matches what may be a key of an API.
func secretWord() *regexp.Regexp {
	return regexp.MustCompile(`sk-[A-Za-z0-9_-]{4,}|[A-Za-z0-9_+-]{20,}`)
}

// secretWords returns the words of text, of those that match word, that look
// like keys of an API: they begin as such keys do, or they are long and a part
// of them mixes letters and digits, as no name of a model, a date or a variable
// does.
func secretWords(word *regexp.Regexp, text string) []string {
	var found []string
	for _, w := range word.FindAllString(text, -1) {
		if strings.HasPrefix(w, "sk-") || slices.ContainsFunc(strings.FieldsFunc(w, isJoint), mixed) {
			found = append(found, w)
		}
	}
	return found
}

// LooksSecret reports whether text holds what looks like a key of an API.
func LooksSecret(text string) bool { return len(secretWords(secretWord(), text)) > 0 }

// Hide returns the text that stands at key without what looks like a key of an
// API. The host of a URL is shown, and so is a path from the root.
func Hide(key, text string) string {
	if isPath(key, text) {
		return text
	}
	var host string
	if u, err := url.Parse(text); err == nil {
		host = u.Host
	}
	for _, word := range secretWords(secretWord(), text) {
		if strings.HasPrefix(word, "sk-") || !strings.Contains(host, word) {
			text = strings.ReplaceAll(text, word, Hidden)
		}
	}
	return text
}

// isPath reports whether text, which stands at key, is the path of a file. It
// may be told.
func isPath(key, text string) bool {
	return strings.HasSuffix(key, "_file") && strings.HasPrefix(text, "/")
}

func isJoint(c rune) bool { return c == '_' || c == '-' }

// mixed reports whether a part of a word is no word.
func mixed(part string) bool {
	return len(part) >= 8 && strings.ContainsAny(part, "0123456789") && strings.IndexFunc(part, unicode.IsLetter) >= 0
}

// NamesSecret reports whether the last part of key says that a secret stands
// there. A name that ends in _env or _file says where one stands.
func NamesSecret(key string) bool {
	key = strings.ToLower(key[strings.LastIndexByte(key, '.')+1:])
	for _, end := range []string{"key", "token", "secret", "password", "passwd", "credential", "credentials"} {
		if strings.HasSuffix(key, end) {
			return true
		}
	}
	return false
}

// NamePattern is what the name of a plugin or an upstream matches: in the
// environment it stands in capitals between double underscores.
const NamePattern = `^[a-z][a-z0-9]*(_[a-z0-9]+)*$`

// NameRule says NamePattern in words.
const NameRule = "a name is lower-case letters, digits and single underscores between them, such as spare_1"

// ValidName reports whether name matches [NamePattern].
func ValidName(name string) bool { return regexp.MustCompile(NamePattern).MatchString(name) }

// Brief quotes a text, unless it is so long that it may be anything.
func Brief(text string) string {
	if len(text) > 20 {
		return "a text of " + strconv.Itoa(len(text)) + " bytes"
	}
	return strconv.Quote(text)
}

// Nearest returns the candidate that is most like name, or "" if none is near.
func Nearest(name string, candidates []string) string {
	best, least := "", 2+min(2, len(name)/4)
	for _, c := range candidates {
		if d := distance(name, c); d < least {
			best, least = c, d
		}
	}
	return best
}

// distance is how many bytes must be put in, taken out or changed to make b of
// a (Levenshtein). Names beyond 64 bytes are like nothing.
func distance(a, b string) int {
	if len(a) > 64 || len(b) > 64 {
		return 64
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost = 1 + min(diagonal, row[j], row[j+1])
			}
			diagonal, row[j+1] = row[j+1], cost
		}
	}
	return row[len(b)]
}

// Short writes d without the units that are 0: 5m, not 5m0s.
func Short(d time.Duration) string {
	text := d.String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}
