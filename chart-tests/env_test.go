package charttests

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
)

func TestEnv(t *testing.T) {
	fromSecret := &corev1.EnvVarSource{SecretKeyRef: &corev1.SecretKeySelector{
		LocalObjectReference: corev1.LocalObjectReference{Name: "holysheep-secrets"},
		Key:                  "redis",
	}}
	tests := []struct {
		name, values string
		want         []corev1.EnvVar
	}{
		{"default", "", []corev1.EnvVar{{Name: "GOMEMLIMIT", Value: "460MiB"}}},
		{"without a limit nothing", "resources: {limits: {memory: null}}", nil},
		{
			"in order, from everywhere",
			"env: {Z: '1', A: ''}\nsecrets: {env: {REDIS_PASSWORD: redis}}",
			[]corev1.EnvVar{
				{Name: "A"},
				{Name: "GOMEMLIMIT", Value: "460MiB"},
				{Name: "REDIS_PASSWORD", ValueFrom: fromSecret},
				{Name: "Z", Value: "1"},
			},
		},
		{"ours gives way", "env: {GOMEMLIMIT: 'off'}", []corev1.EnvVar{{Name: "GOMEMLIMIT", Value: "off"}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, container(t, tt.values).Env); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestEnvRefuses(t *testing.T) {
	tests := []struct{ name, values, want string }{
		{"a name twice", "env: {A: '1'}\nsecrets: {env: {A: a}}", "secrets.env: A is in env too"},
		{"a secret out of nowhere", "secrets: {existingSecret: '', env: {A: a}}", "name the Secret in secrets.existingSecret"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := renderError(t, tt.values); !strings.Contains(got, tt.want) {
				t.Errorf("error = %q, want %q in it", got, tt.want)
			}
		})
	}
}

func TestGoMemLimit(t *testing.T) {
	tests := []struct{ name, limit, percent, want string }{
		{"binary unit", "1Gi", "90", "921MiB"},
		{"decimal unit", "1G", "90", "858MiB"},
		{"fraction", "1.5Gi", "50", "768MiB"},
		{"bytes", "1073741824", "100", "1024MiB"},
		{"thousands", "512000k", "100", "488MiB"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			env := container(t, "goMemLimitPercent: "+tt.percent+"\nresources: {limits: {memory: '"+tt.limit+"'}}").Env
			if len(env) != 1 || env[0].Value != tt.want {
				t.Errorf("env = %v, want GOMEMLIMIT %s", env, tt.want)
			}
		})
	}
}
