package charttests

import (
	"strings"
	"testing"
)

func TestSchemaRefuses(t *testing.T) {
	tests := []struct{ name, values, want string }{
		{"unknown value", "replicas: 3", "'replicas' not allowed"},
		{"unknown value within", "image: {name: relay}", "'name' not allowed"},
		{"unknown resource group", "resources: {limit: {cpu: '1'}}", "'limit' not allowed"},
		{"text for a number", "replicaCount: '3'", "at '/replicaCount': got string, want integer"},
		{"negative replicas", "replicaCount: -1", "at '/replicaCount': minimum"},
		{"unknown pull policy", "image: {pullPolicy: Sometimes}", "at '/image/pullPolicy': value must be one of"},
		{"half a digest", "image: {digest: 'sha256:abc'}", "at '/image/digest'"},
		{"number in the environment", "env: {A: 1}", "at '/env/A': got number, want string"},
		{"secret in the environment", "env: {HOLYSHEEP_API_KEY: sk-1}", "invalid propertyName 'HOLYSHEEP_API_KEY'"},
		{"port that the pod does not follow", "env: {RELAY_LISTEN: ':1'}", "invalid propertyName 'RELAY_LISTEN'"},
		{"memory with a wrong unit", "resources: {limits: {memory: 512MB}}", "at '/resources/limits/memory'"},
		{"all memory and more for the heap", "goMemLimitPercent: 101", "at '/goMemLimitPercent': maximum"},
		{"path of a probe", "probes: {liveness: {path: /}}", "'path' not allowed"},
		{"port beyond the last", "service: {port: 65536}", "at '/service/port': maximum"},
		{"unknown way to reload", "reload: sometimes", "at '/reload': value must be one of"},
		{"secret's key that is no file", "secrets: {keys: [a/b]}", "at '/secrets/keys/0'"},
		{"misspelt setting of the relay", "config: {plugins: {retry: {atempts: 2}}}", "'atempts' not allowed"},
		{"unknown plugin of the relay", "config: {plugins: {retri: {}}}", "'retri' not allowed"},
		{"secret in the relay's configuration", "config: {upstreams: {a: {api_key: sk-1}}}", "'api_key' not allowed"},
		{"duration without a unit", "config: {drain: 300}", "at '/config/drain'"},
		{"name that no Service can have", "fullnameOverride: 1a", "at '/fullnameOverride'"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := renderError(t, tt.values); !strings.Contains(got, tt.want) {
				t.Errorf("error = %q, want %q in it", got, tt.want)
			}
		})
	}
}

func TestSchemaTakes(t *testing.T) {
	tests := []struct{ name, values string }{
		{"values of a parent chart", "global: {imageRegistry: '', other: {a: 1}}"},
		{"a condition of a parent chart", "enabled: true"},
		{"resources of devices", "resources: {limits: {example.com/device: '1'}}"},
		{"settings by environment", "env: {RELAY_PLUGINS__RETRY__ATTEMPTS: '5', RELAY_DRAINAGE: ''}"},
		{"sources of secrets", "env: {RELAY_UPSTREAMS__HOLYSHEEP__API_KEY_FILE: /etc/key}"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if _, err := renderAll(release, tt.values); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestAddressWithoutPort(t *testing.T) {
	got := renderError(t, "config: {listen: localhost}")
	if want := `the address "localhost" ends with no port number`; !strings.Contains(got, want) {
		t.Errorf("error = %q, want %q in it", got, want)
	}
}
