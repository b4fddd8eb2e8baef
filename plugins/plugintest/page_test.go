package plugintest

import (
	"strings"
	"testing"
)

func TestCheckSections(t *testing.T) {
	tests := []struct {
		name     string
		old, new string
		want     string
	}{
		{name: "a good page"},
		{name: "no first lines", old: "# gate\n\nLets some requests pass.\n", want: "do not say what the plugin does"},
		{name: "no settings", old: "## Settings", new: "## Options", want: `are ["Answers" "Metrics" "Example"]`},
		{name: "a smaller heading", old: "## Metrics", new: "### Metrics", want: `are ["Settings" "Answers" "Example"]`},
		{name: "a section twice", old: "## Headers", new: "## Answers", want: `are ["Settings" "Answers" "Answers" "Metrics" "Example"]`},
		{name: "another order", old: "## Settings", new: "## Metrics\n\n## Settings", want: `are ["Metrics" "Settings" "Answers"`},
		{name: "a heading in a block is none", old: "## Example\n", new: "```\n## Example\n```\n", want: `are ["Settings" "Answers" "Metrics"]`},
		{name: "another section", old: "## Headers", new: "## Limits"},
		{name: "no block", old: "```yaml", new: "```", want: "has 0 yaml blocks"},
		{name: "two blocks", old: "```yaml", new: "```yaml\na: b\n```\n```yaml", want: "has 2 yaml blocks"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			text := strings.Replace(goodPage, tt.old, tt.new, 1)
			wants(t, parsePage(text).checkSections(), tt.want)
		})
	}
}

func TestPageWords(t *testing.T) {
	p := parsePage("## Settings\n`rules.a: 5`, b, `c` and `d`\n```yaml\ne: `f`\n```\n`g`\r\n## Metrics\n`h{i}`\n")
	for word, want := range map[string]bool{
		"rules": true, "a": true, "c": true, "d": true, "g": true,
		"b": false, "and": false, "e": false, "f": false, "h": false,
	} {
		if got := p.words("Settings")[word]; got != want {
			t.Errorf("%s is a word of the settings: %t, want %t", word, got, want)
		}
	}
	if got := p.words("Metrics"); !got["h"] || !got["i"] || got["g"] {
		t.Errorf("the words of the metrics are %v, want h and i", got)
	}
}
