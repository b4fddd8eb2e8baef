package charttests

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// templates returns the text of every template by the name of its file.
func templates(t *testing.T) map[string]string {
	t.Helper()
	names, err := filepath.Glob(chartDir + "/templates/*")
	if err != nil || len(names) == 0 {
		t.Fatalf("no templates: %v", err)
	}
	texts := map[string]string{}
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		texts[filepath.Base(name)] = string(text)
	}
	return texts
}

// TestTemplatesAreRepeatable bans what answers differently each time, asks the
// cluster or the machine, or is unknown to one of Helm 3 and 4.
func TestTemplatesAreRepeatable(t *testing.T) {
	banned := regexp.MustCompile(`\b(lookup|rand\w+|gen[A-Z]\w+|now|ago|uuidv4|env|expandenv|htpasswd|` +
		`mustToYaml|mustToToml|tpl|Capabilities)\b`)
	action := regexp.MustCompile(`(?s){{.*?}}`)
	literal := regexp.MustCompile(`(?s)/\*.*?\*/|"[^"]*"|\.[A-Za-z.]*`)
	for file, text := range templates(t) {
		for _, a := range action.FindAllString(text, -1) {
			if found := banned.FindString(literal.ReplaceAllString(a, "")); found != "" {
				t.Errorf("%s: %s in %s", file, found, a)
			}
		}
	}
}

// TestTemplatesAreShort keeps one object in a file that a screen shows.
func TestTemplatesAreShort(t *testing.T) {
	for file, text := range templates(t) {
		if lines := strings.Count(text, "\n"); lines > 80 {
			t.Errorf("%s: %d lines, want at most 80", file, lines)
		}
		if kinds := strings.Count("\n"+text, "\nkind: "); kinds > 1 {
			t.Errorf("%s: %d objects, want one", file, kinds)
		}
	}
}

// TestValuesAreUsed finds values that no template reads. (One that templates
// read and values.yaml lacks is refused by render.)
func TestValuesAreUsed(t *testing.T) {
	var all strings.Builder
	for _, text := range templates(t) {
		all.WriteString(text)
	}
	used := func(path string) bool {
		return regexp.MustCompile(`\.Values\.` + regexp.QuoteMeta(path) + `\b`).MatchString(all.String())
	}
	eachValue(t, func(path string, _, value *yaml.Node, _ property) {
		leaf := value.Kind != yaml.MappingNode || len(value.Content) == 0
		for at := path; leaf; at = at[:strings.LastIndex(at, ".")] {
			if used(at) {
				return
			}
			if !strings.Contains(at, ".") {
				t.Errorf("%s: no template uses it", path)
				return
			}
		}
	})
}
