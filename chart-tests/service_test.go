package charttests

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
)

func TestServicePorts(t *testing.T) {
	tests := []struct {
		name, file, values string
		want               corev1.ServicePort
	}{
		{"clients", "service.yaml", "", port("http", 80)},
		{"clients elsewhere", "service.yaml", "service: {port: 8000}", port("http", 8000)},
		{"operators", "service-metrics.yaml", "", port("metrics", 9090)},
		{"operators elsewhere", "service-metrics.yaml", "metrics: {service: {port: 9000}}", port("metrics", 9000)},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := render[corev1.Service](t, tt.file, tt.values)
			if len(s.Spec.Ports) != 1 || s.Spec.Ports[0] != tt.want {
				t.Errorf("ports = %v, want only %v", s.Spec.Ports, tt.want)
			}
		})
	}
}

// port is a Service's port that leads to the container's port of the same name.
func port(name string, number int32) corev1.ServicePort {
	return corev1.ServicePort{Name: name, Port: number, TargetPort: intstr.FromString(name), Protocol: corev1.ProtocolTCP}
}

func TestServiceMetricsIsHeadless(t *testing.T) {
	s := render[corev1.Service](t, "service-metrics.yaml", "service: {type: LoadBalancer}")
	if s.Spec.Type != corev1.ServiceTypeClusterIP || s.Spec.ClusterIP != corev1.ClusterIPNone {
		t.Errorf("type %q, cluster IP %q: operators' port is open to others", s.Spec.Type, s.Spec.ClusterIP)
	}
	if !s.Spec.PublishNotReadyAddresses {
		t.Error("a stopping pod is not scraped")
	}
}
