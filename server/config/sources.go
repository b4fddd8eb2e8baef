package config

import (
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/holysheep/relay/internal/tree"
)

// validate notes what is wrong with the whole: what its own checks find, and
// what only the sources tell.
func (l *loader) validate(c Config) {
	follows := l.followers()
	l.validateSources()
	// What follows from a value that did not fit is not told.
	problems := slices.DeleteFunc(tree.Lines(c.Validate()), func(err error) bool {
		key, _, _ := strings.Cut(err.Error(), ": ")
		return follows(key)
	})
	for _, err := range problems {
		key, text, _ := strings.Cut(err.Error(), ": ")
		l.problems.Add(key, "%s%s%s", text, l.setBy(key), l.unnamed(key))
	}
	for _, name := range c.Chain {
		if _, ok := c.Plugins[name]; !ok {
			l.problems.Add("chain", "unknown plugin %s, known are %s%s", tree.Brief(name),
				strings.Join(l.root.Fields["plugins"].Names(), ", "), l.setBy("chain"))
		}
	}
	if r := c.Redis; len(r.Addresses) > 0 {
		l.checkPassword("redis.password", r.PasswordEnv, r.PasswordFile)
		l.checkPassword("redis.sentinel.password", r.Sentinel.PasswordEnv, r.Sentinel.PasswordFile)
	}
	l.warnOdd(c)
}

// setBy tells the variable that set key, if one did: the file does not show it.
func (l *loader) setBy(key string) string {
	if o := l.origins[key]; o.Kind == Environment || o.Kind == Alias {
		return " (" + o.String() + ")"
	}
	return ""
}

// unnamed says that no file was named, where there is no upstream: that may be
// why.
func (l *loader) unnamed(key string) string {
	if key != "upstreams" || l.src.Path != "" {
		return ""
	}
	return "; no --config was given"
}

// validateSources holds settings that name a variable to names of variables, and
// those that name a file to paths, so that a key in the wrong place is refused
// here and not printed elsewhere.
func (l *loader) validateSources() {
	found := map[string]string{}
	tree.Walk("", l.merged.Raw(), func(path string, v any) {
		if name, ok := v.(string); ok && name != "" {
			found[path] = name
		}
	})
	for _, path := range slices.Sorted(maps.Keys(found)) {
		switch {
		case strings.HasSuffix(path, "_env"):
			l.validateVariable(path, found[path])
		case strings.HasSuffix(path, "_file"):
			l.validateFile(path, found[path])
		}
	}
}

func (l *loader) validateVariable(path, name string) {
	_, set := l.env[name]
	switch {
	case !regexp.MustCompile(`^[A-Z_][A-Z0-9_]{0,127}$`).MatchString(name):
		l.problems.Add(path, "is not the name of an environment variable: capitals, digits and _, such as UPSTREAM_API_KEY%s", l.setBy(path))
	case !set && tree.LooksSecret(name):
		l.problems.Add(path, "holds what looks like a key, not the name of an environment variable: none of this name is set%s", l.setBy(path))
	}
}

// validateFile refuses what looks like no path, unless it is one. A path that
// looks like one may be told: a file that is not there is named.
func (l *loader) validateFile(path, name string) {
	if strings.HasPrefix(name, "/") || strings.ContainsAny(name, "/.") && !tree.LooksSecret(name) {
		return
	}
	if _, err := l.src.ReadFile(name); err != nil {
		l.problems.Add(path, "holds what may be a key, not the name of a file: write a path, such as ./name%s", l.setBy(path))
	}
}

// checkPassword notes if the source of a password does not exist: the variable
// or the file that stands at key.
func (l *loader) checkPassword(key, variable, file string) {
	switch {
	case variable != "" && file != "": // refused already
	case l.problems.Under(key+"_env") || l.problems.Under(key+"_file"): // it may be a password
	case variable != "" && l.env[variable] == "":
		l.problems.Add(key+"_env", "%s is not set", variable)
	case file != "":
		if _, err := l.src.ReadFile(file); err != nil {
			l.problems.Add(key+"_file", "%v", err)
		}
	}
}
