package charttests

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// deployment renders the Deployment.
func deployment(t *testing.T, values string) appsv1.Deployment {
	t.Helper()
	return render[appsv1.Deployment](t, "deployment.yaml", values)
}

// container renders the relay's container.
func container(t *testing.T, values string) corev1.Container {
	t.Helper()
	containers := deployment(t, values).Spec.Template.Spec.Containers
	if len(containers) != 1 {
		t.Fatalf("%d containers, want 1", len(containers))
	}
	return containers[0]
}

func TestDeploymentReplicas(t *testing.T) {
	tests := []struct {
		name, values string
		want         int32
	}{
		{"default", "", 3},
		{"none", "replicaCount: 0", 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := *deployment(t, tt.values).Spec.Replicas; got != tt.want {
				t.Errorf("replicas = %d, want %d", got, tt.want)
			}
		})
	}
}

func TestDeploymentImage(t *testing.T) {
	digest := "sha256:" + strings.Repeat("a", 64)
	tests := []struct{ name, values, want string }{
		{"default is the appVersion", "", "ghcr.io/holysheep/relay:0.1.0"},
		{"tag", "image: {tag: '1'}", "ghcr.io/holysheep/relay:1"},
		{"digest goes before tag", "image: {tag: '1', digest: '" + digest + "'}", "ghcr.io/holysheep/relay@" + digest},
		{"no registry", "image: {registry: ''}", "holysheep/relay:0.1.0"},
		{"registry of the parent chart", "global: {imageRegistry: r.example.com}", "r.example.com/holysheep/relay:0.1.0"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := container(t, tt.values).Image; got != tt.want {
				t.Errorf("image = %q, want %q", got, tt.want)
			}
		})
	}
}

func TestDeploymentProbes(t *testing.T) {
	tests := []struct {
		name, values string
		want         corev1.URIScheme
	}{
		{"plain", "", corev1.URISchemeHTTP},
		{"with a certificate", "config: {tls: {cert_file: /etc/tls/tls.crt, key_file: /etc/tls/tls.key}}", corev1.URISchemeHTTPS},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := container(t, tt.values)
			checkProbe(t, c.StartupProbe, "/health", tt.want)
			checkProbe(t, c.LivenessProbe, "/health", tt.want)
			checkProbe(t, c.ReadinessProbe, "/ready", tt.want)
		})
	}
}

func checkProbe(t *testing.T, p *corev1.Probe, path string, scheme corev1.URIScheme) {
	t.Helper()
	want := &corev1.HTTPGetAction{Path: path, Port: intstr.FromString("http"), Scheme: scheme}
	if diff := cmp.Diff(want, p.HTTPGet); diff != "" {
		t.Error(diff)
	}
}

func TestDeploymentStrategy(t *testing.T) {
	got := deployment(t, "strategy: {type: Recreate}").Spec.Strategy
	want := appsv1.DeploymentStrategy{Type: appsv1.RecreateDeploymentStrategyType}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("an API server takes no rollingUpdate beside Recreate:\n%s", diff)
	}
}

func TestDeploymentRollsOut(t *testing.T) {
	const changed = "config: {drain: 6m}\n"
	tests := []struct {
		name, values string
		want         bool
	}{
		{"hot leaves the pods alone", "reload: hot\n", false},
		{"rollout replaces the pods", "reload: rollout\n", true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			before := deployment(t, tt.values).Spec.Template.Annotations
			after := deployment(t, tt.values+changed).Spec.Template.Annotations
			if got := !cmp.Equal(before, after); got != tt.want {
				t.Errorf("pods are replaced: %t, want %t (%v, then %v)", got, tt.want, before, after)
			}
		})
	}
}

func TestDeploymentTrustsNobody(t *testing.T) {
	pod := deployment(t, "").Spec.Template.Spec
	if *pod.AutomountServiceAccountToken || *pod.EnableServiceLinks {
		t.Error("the pod gets a token or service links")
	}
	if c := container(t, ""); !*c.SecurityContext.ReadOnlyRootFilesystem || *pod.SecurityContext.RunAsUser != 65532 {
		t.Error("the container can write to its root or is another user than the image's")
	}
}
