package plugintest

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/holysheep/relay/plugins"
)

// A page is a README by sections: the lines under each "## " heading, headings
// in order. Headings inside code blocks are none.
type page struct {
	order    []string
	sections map[string][]string
}

func parsePage(text string) page {
	p := page{sections: map[string][]string{}}
	section, code := "", false
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\r\n")
		if strings.HasPrefix(line, "```") {
			code = !code
		}
		if heading, ok := strings.CutPrefix(line, "## "); ok && !code {
			section = strings.TrimSpace(heading)
			p.order = append(p.order, section)
			continue
		}
		p.sections[section] = append(p.sections[section], line)
	}
	return p
}

// checkSections reports sections that are missing, empty, twice there or out
// of order, and an example that is not exactly one block of YAML.
func (p page) checkSections() error {
	var errs []error
	if strings.TrimSpace(strings.Join(p.sections[""], "")) == "" {
		errs = append(errs, errors.New("the first lines do not say what the plugin does"))
	}
	required := []string{"Settings", "Answers", "Metrics", "Example"}
	have := slices.DeleteFunc(slices.Clone(p.order), func(name string) bool { return !slices.Contains(required, name) })
	if !slices.Equal(have, required) {
		errs = append(errs, fmt.Errorf("the sections are %q, want %q, each once and in this order", have, required))
	}
	blocks := 0
	for _, line := range p.lines("Example") {
		if line == "```yaml" {
			blocks++
		}
	}
	if blocks != 1 {
		errs = append(errs, fmt.Errorf("## Example has %d yaml blocks, not 1", blocks))
	}
	return errors.Join(errs...)
}

// lines returns the lines of a section.
func (p page) lines(section string) []string { return p.sections[section] }

// words returns the words in backticks in a section: of `rules.rate: 5` they
// are rules, rate and 5. Words of code blocks do not count: a block shows, it
// does not explain.
func (p page) words(section string) map[string]bool {
	found := map[string]bool{}
	quoted, word := regexp.MustCompile("`[^`]+`"), regexp.MustCompile(`\w+`)
	code := false
	for _, line := range p.sections[section] {
		if strings.HasPrefix(line, "```") {
			code = !code
		}
		if code {
			continue
		}
		for _, span := range quoted.FindAllString(line, -1) {
			for _, w := range word.FindAllString(span, -1) {
				found[w] = true
			}
		}
	}
	return found
}

// tells reports whether a line of a README names e whole.
func tells(line string, e *plugins.Error) bool {
	return strings.Contains(line, strconv.Itoa(e.Status)) &&
		strings.Contains(line, "`"+e.Type+"`") &&
		strings.Contains(line, "`"+e.Code+"`")
}
