package charttests

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
)

func TestServiceAccountName(t *testing.T) {
	tests := []struct{ name, values, made, used string }{
		{"default", "", fullname, fullname},
		{"named", "serviceAccount: {name: llm}", "llm", "llm"},
		{"somebody else's", "serviceAccount: {create: false, name: llm}", "", "llm"},
		{"none", "serviceAccount: {create: false}", "", "default"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			account := render[corev1.ServiceAccount](t, "serviceaccount.yaml", tt.values)
			if account.Name != tt.made {
				t.Errorf("made %q, want %q", account.Name, tt.made)
			}
			if got := deployment(t, tt.values).Spec.Template.Spec.ServiceAccountName; got != tt.used {
				t.Errorf("used %q, want %q", got, tt.used)
			}
		})
	}
}

func TestServiceAccountHasNoToken(t *testing.T) {
	account := render[corev1.ServiceAccount](t, "serviceaccount.yaml", "")
	if account.AutomountServiceAccountToken == nil || *account.AutomountServiceAccountToken {
		t.Error("the token is mounted into pods")
	}
}
