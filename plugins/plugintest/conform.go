package plugintest

import (
	"errors"
	"fmt"
	"os"
	"regexp"
	"slices"
	"testing"

	"go.uber.org/goleak"

	"github.com/holysheep/relay/plugins"
)

// Conform holds a plugin to what the relay promises of each: that the
// README.md in the test's folder names every setting, answer and metric, that
// the metrics are well named, and that building, discarding and rebuilding the
// plugin does what [plugins.Link] and [plugins.Env] say.
//
// change turns the defaults into settings that can be built; nil means that
// the defaults can. errs is every error of the package that a client can get;
// the Err… variables of the folder's source are counted against it.
//
// Conform looks for goroutines that are left over, so the test that calls it
// must not be parallel.
func Conform(t *testing.T, p plugins.Plugin, change func(plugins.Settings) plugins.Settings, errs ...*plugins.Error) {
	t.Helper()
	settings := p.Defaults()
	if change != nil {
		settings = change(settings)
	}
	text, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	page := parsePage(string(text))
	declared, err := declaredErrors(os.DirFS("."))
	if err != nil {
		t.Fatal(err)
	}
	report(t, "the name", checkName(p.Name()))
	report(t, "README.md", page.checkSections())
	report(t, "the settings", checkSettings(p.Defaults(), settings, page.words("Settings")))
	report(t, "the answers", checkErrors(errs, declared, page.lines("Answers")))

	running := goleak.IgnoreCurrent()
	metrics := newRecorder()
	report(t, "building", build(t, p, settings, metrics))
	report(t, "the metrics", metrics.check("relay_"+p.Name()+"_", page.words("Metrics")))
	report(t, "what is left after Close", goleak.Find(running))
}

// report fails the test with each of the errors that err joins.
func report(t *testing.T, what string, err error) {
	t.Helper()
	if err != nil {
		t.Errorf("%s: %v", what, err)
	}
}

// checkName holds a plugin's name to what the configuration and the
// environment can spell.
func checkName(name string) error {
	if !regexp.MustCompile(`^[a-z]+(_?[a-z0-9]+)*$`).MatchString(name) {
		return fmt.Errorf("%q is not lower-case words joined by single underscores", name)
	}
	return nil
}

// checkErrors reports what errs, of which the source declares those named in
// declared, and the README's lines on answers lack.
func checkErrors(errs []*plugins.Error, declared []string, answers []string) error {
	var problems []error
	if len(errs) != len(declared) {
		problems = append(problems, fmt.Errorf("%d errors were passed, the source declares %d: %v", len(errs), len(declared), declared))
	}
	var codes []string
	for _, e := range errs {
		if slices.Contains(codes, e.Code) {
			problems = append(problems, fmt.Errorf("%s: the code is there twice", e.Code))
		}
		codes = append(codes, e.Code)
		if e.Status < 400 || e.Status > 599 || e.Type == "" || e.Code == "" || e.Message == "" {
			problems = append(problems, fmt.Errorf("%s: status (4xx or 5xx), type, code and message must be set: %+v", e.Code, *e))
		}
		if !slices.ContainsFunc(answers, func(line string) bool { return tells(line, e) }) {
			problems = append(problems, fmt.Errorf("%s: no line under ## Answers holds %d, `%s` and `%s`", e.Code, e.Status, e.Type, e.Code))
		}
	}
	return errors.Join(problems...)
}
