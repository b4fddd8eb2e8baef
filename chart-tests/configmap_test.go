package charttests

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/yaml"
)

// configFile renders the relay's configuration file.
func configFile(t *testing.T, values string) string {
	t.Helper()
	return render[corev1.ConfigMap](t, "configmap.yaml", values).Data["relay.yaml"]
}

func TestConfigMapIsTheConfiguration(t *testing.T) {
	const values = `
config:
  request_timeout: 1s
  plugins:
    auth: null
  redis:
    db: 52428800
`
	got := map[string]any{}
	if err := yaml.UnmarshalStrict([]byte(configFile(t, values)), &got); err != nil {
		t.Fatal(err)
	}
	want := map[string]any{}
	if err := yaml.UnmarshalStrict([]byte(readFile(t, chartDir+"/values.yaml")), &want); err != nil {
		t.Fatal(err)
	}
	want = want["config"].(map[string]any)
	want["request_timeout"] = "1s"
	want["plugins"] = map[string]any{}
	want["redis"] = map[string]any{"db": 52428800.0}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
