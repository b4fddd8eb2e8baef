package charttests

import (
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
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
			service := decode[corev1.Service](t, files["service.yaml"])
			if service.Name != tt.want {
				t.Errorf("name = %q, want %q", service.Name, tt.want)
			}
			if got := service.Labels["app.kubernetes.io/instance"]; got != tt.release {
				t.Errorf("instance = %q, want %q", got, tt.release)
			}
			metrics := decode[corev1.Service](t, files["service-metrics.yaml"])
			if metrics.Name != tt.want+"-metrics" || len(metrics.Name) > 63 {
				t.Errorf("name = %q of %d bytes, want %q of at most 63", metrics.Name, len(metrics.Name), tt.want+"-metrics")
			}
		})
	}
}
