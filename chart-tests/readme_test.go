package charttests

import (
	"regexp"
	"strings"
	"testing"
)

// TestReadme installs every example of values in the chart's README.
func TestReadme(t *testing.T) {
	readme := readFile(t, chartDir+"/README.md")
	examples := regexp.MustCompile("(?ms)^```yaml\n(.*?)^```$").FindAllStringSubmatch(readme, -1)
	if len(examples) < 3 {
		t.Fatalf("%d examples in the README", len(examples))
	}
	for _, example := range examples {
		title, _, _ := strings.Cut(example[1], "\n")
		t.Run(title, func(t *testing.T) {
			manifest, _ := install(t, kubeVersion, example[1])
			objects(t, manifest)
			checkConfig(t, example[1])
		})
	}
}
