package plugins

import "strings"

// MatchModel reports whether the glob fits the model's name. A star is any
// number of any characters, slashes too, which names such as openai/gpt-4.1
// hold; nothing else is special. It is the one meaning of a model's glob,
// wherever a setting holds one, and takes time linear in the name's length.
func MatchModel(glob, model string) bool {
	piece, rest, star := strings.Cut(glob, "*")
	if !star {
		return glob == model
	}
	// The leftmost place of each piece is as good as any, so it never goes back.
	model, fits := strings.CutPrefix(model, piece)
	for fits {
		if piece, rest, star = strings.Cut(rest, "*"); !star {
			return strings.HasSuffix(model, piece)
		}
		_, model, fits = strings.Cut(model, piece)
	}
	return false
}

// GlobsMeet reports whether some name of a model fits both globs: whether what
// one of them speaks of can be what the other speaks of. It takes time in
// proportion to the product of their lengths.
func GlobsMeet(a, b string) bool {
	meet := make([]bool, len(b)+1) // of a[i:] and b[j:], for the i that comes next, by j
	for i := len(a); i >= 0; i-- {
		after := false // meet[j+1] of the i before, which is about to be overwritten
		for j := len(b); j >= 0; j-- {
			was := meet[j]
			meet[j] = globsMeet(a[i:], b[j:], was, after, j < len(b) && meet[j+1])
			after = was
		}
	}
	return meet[0]
}

// globsMeet is one step of [GlobsMeet]: whether a and b meet, given whether they
// do without the first of a, of both, and of b.
func globsMeet(a, b string, withoutA, withoutBoth, withoutB bool) bool {
	switch {
	case a == "" && b == "":
		return true
	case a != "" && a[0] == '*':
		return withoutA || withoutB // the star is empty, or takes what b begins with
	case b != "" && b[0] == '*':
		return withoutB || withoutA
	}
	return a != "" && b != "" && a[0] == b[0] && withoutBoth
}
