package charttests

import (
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/yaml"
)

func TestNames(t *testing.T) {
	long := strings.Repeat("r", 53) // the longest name of a release that Helm takes
	tests := []struct{ name, release, values, want string }{
		{"release and chart", "rel", "", "rel-holysheep-relay"},
		{"release that holds the chart", "my-holysheep-relay", "", "my-holysheep-relay"},
		{"other chart name", "rel", "nameOverride: proxy", "rel-proxy"},
		{"other name", "rel", "fullnameOverride: proxy", "proxy"},
		{"longest release", long, "", long + "-h"},
		{"release that looks like a number", "1e3", "", "1e3-holysheep-relay"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			files, err := renderAll(tt.release, tt.values)
			if err != nil {
				t.Fatal(err)
			}
			if got := decodeService(t, files["service.yaml"]); got.Name != tt.want {
				t.Errorf("name = %q, want %q", got.Name, tt.want)
			}
			metrics := decodeService(t, files["service-metrics.yaml"])
			if metrics.Name != tt.want+"-metrics" || len(metrics.Name) > 63 {
				t.Errorf("name = %q of %d bytes, want %q of at most 63", metrics.Name, len(metrics.Name), tt.want+"-metrics")
			}
		})
	}
}

func decodeService(t *testing.T, text string) corev1.Service {
	t.Helper()
	var s corev1.Service
	if err := yaml.UnmarshalStrict([]byte(text), &s); err != nil {
		t.Fatal(err)
	}
	return s
}
