package schema_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/holysheep/relay/internal/schema"
)

// root is the module's root, seen from here.
const root = "../.."

// TestSchemaIsCurrent holds the generated files to their sources.
func TestSchemaIsCurrent(t *testing.T) {
	files, err := schema.Files(root)
	if err != nil {
		t.Fatal(err)
	}
	if len(files) != 3 {
		t.Errorf("%d generated files, want 3", len(files))
	}
	for name, want := range files {
		got, err := os.ReadFile(filepath.Join(root, name))
		if err != nil {
			t.Error(err)
		}
		if !bytes.Equal(got, want) {
			t.Errorf("%s is stale: run go generate ./internal/schema", name)
		}
	}
}

// TestEverySettingIsDescribed finds settings without a doc comment, which an
// editor would show without a hint.
func TestEverySettingIsDescribed(t *testing.T) {
	files, err := schema.Files(root)
	if err != nil {
		t.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(files["values.schema.json"]))
	if err != nil {
		t.Fatal(err)
	}
	properties := doc.(map[string]any)["properties"].(map[string]any)
	undescribed(t, "config", properties["config"])
}

// undescribed fails the test with every property below v that has no
// description.
func undescribed(t *testing.T, path string, v any) {
	t.Helper()
	s, ok := v.(map[string]any)
	if !ok {
		return
	}
	properties, _ := s["properties"].(map[string]any)
	for name, property := range properties {
		if text, _ := property.(map[string]any)["description"].(string); text == "" {
			t.Errorf("%s.%s: the setting has no doc comment", path, name)
		}
		undescribed(t, path+"."+name, property)
	}
	undescribed(t, path+".*", s["additionalProperties"])
	alternatives, _ := s["anyOf"].([]any)
	for _, one := range alternatives {
		undescribed(t, path, one)
	}
}

func TestValues(t *testing.T) {
	text, err := schema.Values(
		[]byte(`{"replicaCount": {"type": "integer"}}`),
		[]byte(`{"$schema": "http://json-schema.org/draft-07/schema#", "type": "object", "properties": {"listen": {"type": "string"}}, "additionalProperties": false}`),
	)
	if err != nil {
		t.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	compiler := jsonschema.NewCompiler()
	if err := compiler.AddResource("values.json", doc); err != nil {
		t.Fatal(err)
	}
	compiled, err := compiler.Compile("values.json")
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name, values string
		good         bool
	}{
		{"no values", `{}`, true},
		{"the chart's own and the relay's", `{"replicaCount": 2, "config": {"listen": ":8080"}}`, true},
		{"an unknown value", `{"replicas": 2}`, false},
		{"an unknown key of the relay's", `{"config": {"litsen": ":8080"}}`, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			values, err := jsonschema.UnmarshalJSON(strings.NewReader(tt.values))
			if err != nil {
				t.Fatal(err)
			}
			if err := compiled.Validate(values); (err == nil) != tt.good {
				t.Errorf("%s: error %v, want good = %t", tt.values, err, tt.good)
			}
		})
	}
}

func TestValuesKeepsConfigForTheRelay(t *testing.T) {
	if _, err := schema.Values([]byte(`{"config": {}}`), []byte(`{}`)); err == nil {
		t.Error("the chart's own properties may hold config")
	}
	for _, broken := range [][2]string{{"{", "{}"}, {"{}", "{"}} {
		if _, err := schema.Values([]byte(broken[0]), []byte(broken[1])); err == nil {
			t.Errorf("%q: no error", broken)
		}
	}
}

func TestCommentsOfAModule(t *testing.T) {
	folder := t.TempDir()
	source := filepath.Join(folder, "plugins", "geoip", "settings.go")
	if err := os.MkdirAll(filepath.Dir(source), 0o755); err != nil {
		t.Fatal(err)
	}
	text := "package geoip\n\n// Settings say\n// where.\ntype Settings struct {\n\t// Country is\n\t// one.\n\t//\n\t// Or two.\n" +
		"\tCountry string `koanf:\"country\"`\n\t// Other is none.\n\tOther string\n}\n\n// None has no settings.\ntype None struct{ A int }\n"
	if err := os.WriteFile(source, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	got, err := schema.Comments(folder)
	if err != nil {
		t.Fatal(err)
	}
	const settings = "github.com/holysheep/relay/plugins/geoip.Settings"
	if len(got) != 2 || got[settings] != "Settings say where." || got[settings+".Country"] != "country is one.\n\nOr two." {
		t.Errorf("comments = %q", got)
	}
}
