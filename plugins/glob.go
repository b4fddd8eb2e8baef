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
