package cache

import (
	"math"
	"mime"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/holysheep/relay/plugins"
)

// plain reports whether the header tells of a JSON body that is not encoded. A
// body without a type counts as JSON.
func plain(h http.Header) bool {
	return !plugins.Encoded(h) && (len(h["Content-Type"]) == 0 || isJSON(h))
}

// isJSON reports whether the header has one Content-Type, which is JSON's.
func isJSON(h http.Header) bool {
	kinds := h["Content-Type"]
	if len(kinds) != 1 {
		return false
	}
	if kinds[0] == "application/json" { // the common one, which costs nothing
		return true
	}
	kind, params, err := mime.ParseMediaType(kinds[0])
	charset, named := params["charset"]
	return err == nil && kind == "application/json" && (!named || strings.EqualFold(charset, "utf-8"))
}

// directives are what Cache-Control says, as far as it is obeyed (RFC 9111,
// section 5.2).
type directives struct {
	noCache, noStore, private bool
	onlyIfCached              bool
	maxAge, sharedMaxAge      time.Duration // anyAge if not said
}

// anyAge is the age of which nobody said anything.
const anyAge = time.Duration(math.MaxInt64)

func readDirectives(h http.Header) directives {
	d := directives{maxAge: anyAge, sharedMaxAge: anyAge}
	for _, line := range h["Cache-Control"] {
		for word := range strings.SplitSeq(line, ",") {
			name, value, _ := strings.Cut(strings.TrimSpace(word), "=")
			switch strings.ToLower(name) {
			case "no-cache":
				d.noCache = true
			case "no-store":
				d.noStore = true
			case "private":
				d.private = true
			case "only-if-cached":
				d.onlyIfCached = true
			case "max-age":
				d.maxAge = min(d.maxAge, seconds(value))
			case "s-maxage":
				d.sharedMaxAge = min(d.sharedMaxAge, seconds(value))
			}
		}
	}
	return d
}

// lifetime is the age up to which an answer may be given again, as far as its
// directives say. What is said to shared caches comes first (RFC 9111, section
// 4.2.1).
func (d directives) lifetime() time.Duration {
	if d.sharedMaxAge != anyAge {
		return d.sharedMaxAge
	}
	return d.maxAge
}

// ageOf is how old an answer is as it comes, since caches of the upstream may
// have kept it.
func ageOf(h http.Header) time.Duration { return seconds(h.Get("Age")) }

// seconds reads a number of seconds. What is none counts as 0, as for an
// answer that is stale (RFC 9111, section 4.2.1).
func seconds(text string) time.Duration {
	n, err := strconv.ParseUint(strings.Trim(text, `"`), 10, 31)
	if err != nil {
		n = 0
	}
	return time.Duration(n) * time.Second
}
