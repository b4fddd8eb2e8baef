package config_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.yaml.in/yaml/v3"

	"github.com/holysheep/relay/server/config"
)

// compiled returns the schema of the test's plugins, ready to validate.
func compiled(t *testing.T) *jsonschema.Schema {
	t.Helper()
	text, err := config.Schema(known())
	if err != nil {
		t.Fatal(err)
	}
	return compile(t, text)
}

// compile returns the schema of that text.
func compile(t *testing.T, text []byte) *jsonschema.Schema {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("config.json", doc); err != nil {
		t.Fatal(err)
	}
	schema, err := c.Compile("config.json")
	if err != nil {
		t.Fatal(err)
	}
	return schema
}

// validate holds YAML to the schema, as an editor does.
func validate(t *testing.T, schema *jsonschema.Schema, text string) error {
	t.Helper()
	var v any
	if err := yaml.Unmarshal([]byte(text), &v); err != nil {
		t.Fatal(err)
	}
	plain, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(plain))
	if err != nil {
		t.Fatal(err)
	}
	return schema.Validate(doc)
}

func TestSchemaAcceptsWhatLoads(t *testing.T) {
	schema := compiled(t)
	for name, text := range fixtures(t, "*.good.yaml") {
		if err := validate(t, schema, text); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestSchemaRefuses(t *testing.T) {
	schema := compiled(t)
	tests := []struct {
		name, text, where string
	}{
		{"an unknown key", "litsen: a", "''"},
		{"an unknown key of a group", "log: {levle: debug}", "'/log'"},
		{"an unknown plugin", "plugins: {retri: {}}", "'/plugins'"},
		{"an unknown key of a plugin", "plugins: {retry: {atempts: 2}}", "'/plugins/retry'"},
		{"an unknown key in a map", "plugins: {limit: {rules: {a: {reqests: 2}}}}", "'/plugins/limit/rules/a'"},
		{"an unknown key of an upstream", "upstreams: {one: {api_key: a}}", "'/upstreams/one'"},
		{"a name of an upstream", "upstreams: {a__b: {}}", "'/upstreams'"},
		{"an unknown plugin in the chain", "chain: [retri]", "'/chain/0'"},
		{"a plugin twice", "chain: [retry, retry]", "'/chain'"},
		{"a duration without a unit", "drain: 30", "'/drain'"},
		{"a text that is no duration", "drain: \"30\"", "'/drain'"},
		{"a size without a unit", "max_body: 30", "'/max_body'"},
		{"an unknown unit", "max_body: 30M", "'/max_body'"},
		{"a number for a text", "listen: 8080", "'/listen'"},
		{"a value out of range", "plugins: {retry: {attempts: 99}}", "'/plugins/retry/attempts'"},
		{"an unknown level", "log: {level: loud}", "'/log/level'"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			err := validate(t, schema, tt.text)
			if err == nil || !strings.Contains(err.Error(), "at "+tt.where+":") {
				t.Errorf("error = %v, want one at %s", err, tt.where)
			}
		})
	}
}

func TestSchemaHasDefaultsAndDescriptions(t *testing.T) {
	text, err := config.SchemaWith(known(), map[string]string{
		"github.com/holysheep/relay/server/config_test.retrySettings.Wait": "how long",
	})
	if err != nil {
		t.Fatal(err)
	}
	var schema map[string]any
	if err := json.Unmarshal(text, &schema); err != nil {
		t.Fatal(err)
	}
	const retry = "properties.plugins.properties.retry.anyOf.0.properties."
	for key, want := range map[string]any{
		"properties.drain.default":                                                     "5m",
		"properties.max_body.default":                                                  "50MiB",
		"properties.allow_anonymous.default":                                           false,
		"properties.log.properties.level.default":                                      "info",
		"properties.upstreams.additionalProperties.properties.weight.default":          1.0,
		"properties.upstreams.additionalProperties.properties.connect_timeout.default": "10s",
		retry + "wait.default":                                                         "100ms",
		retry + "wait.description":                                                     "how long",
		retry + "attempts.maximum":                                                     10.0,
		retry + "attempts.default":                                                     3.0,
		retry + "statuses.default.1":                                                   503.0,
		"properties.chain.default.3":                                                   "retry",
		"properties.chain.items.type":                                                  "string",
	} {
		if got := dig(schema, strings.Split(key, ".")); got != want {
			t.Errorf("%s = %v, want %v", key, got, want)
		}
	}
}

// dig returns what stands at path in maps and lists.
func dig(v any, path []string) any {
	for _, name := range path {
		switch in := v.(type) {
		case map[string]any:
			v = in[name]
		case []any:
			v = in[int(name[0]-'0')]
		}
	}
	return v
}

func TestSchemaDescribesTheRelaysOwnSettings(t *testing.T) {
	text, err := config.Schema(nil)
	if err != nil {
		t.Fatal(err)
	}
	if want := `"description": "drain is how long streams`; !bytes.Contains(text, []byte(want)) {
		t.Errorf("the schema lacks %s", want)
	}
}
