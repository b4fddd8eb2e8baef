package charttests

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// property is what the tests read of a JSON schema.
type property struct {
	Description string
	Properties  map[string]property
}

// eachValue calls see for every key of values.yaml, with its schema and its
// path, except below config, which is the relay's.
func eachValue(t *testing.T, see func(path string, key, value *yaml.Node, schema property)) {
	t.Helper()
	var values yaml.Node
	if err := yaml.Unmarshal([]byte(readFile(t, chartDir+"/values.yaml")), &values); err != nil {
		t.Fatal(err)
	}
	var schema property
	if err := json.Unmarshal([]byte(readFile(t, chartDir+"/values.schema.json")), &schema); err != nil {
		t.Fatal(err)
	}
	walk("", values.Content[0], schema, see)
}

func walk(path string, node *yaml.Node, schema property, see func(string, *yaml.Node, *yaml.Node, property)) {
	for pair := range slices.Chunk(node.Content, 2) {
		key, value := pair[0], pair[1]
		at := strings.TrimPrefix(path+"."+key.Value, ".")
		see(at, key, value, schema.Properties[key.Value])
		if value.Kind == yaml.MappingNode && at != "config" {
			walk(at, value, schema.Properties[key.Value], see)
		}
	}
}

// TestValuesAreExplained holds values.yaml and the schema together: the same
// keys, explained in the same words.
func TestValuesAreExplained(t *testing.T) {
	eachValue(t, func(path string, key, value *yaml.Node, schema property) {
		if inKubernetesWords(path) {
			return
		}
		comment := strings.ReplaceAll(strings.ReplaceAll(key.HeadComment, "\n# ", " "), "# ", "")
		if comment == "" || comment != schema.Description && path != "config" {
			t.Errorf("%s: values.yaml says %q, the schema %q", path, comment, schema.Description)
		}
		if value.Tag == "!!null" {
			t.Errorf("%s: is null, which Helm 3 and 4 take differently", path)
		}
		if len(value.Content) == 0 || path == "config" || inKubernetesWords(path+".") {
			return
		}
		for _, name := range slices.Sorted(maps.Keys(schema.Properties)) {
			if !slices.ContainsFunc(value.Content, func(n *yaml.Node) bool { return n.Value == name }) {
				t.Errorf("%s: values.yaml lacks %s, which the schema has", path, name)
			}
		}
	})
}

// inKubernetesWords reports whether the value goes into an object as it is,
// so that Kubernetes' documentation explains it.
func inKubernetesWords(path string) bool {
	for _, parent := range []string{
		"resources.requests.", "resources.limits.", "strategy.", "podSecurityContext.", "securityContext.",
		"probes.startup", "probes.liveness", "probes.readiness",
	} {
		if strings.HasPrefix(path, parent) {
			return true
		}
	}
	return false
}
