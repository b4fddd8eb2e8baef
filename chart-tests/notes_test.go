package charttests

import (
	"strings"
	"testing"
)

func TestNotes(t *testing.T) {
	tests := []struct {
		name, values string
		want         []string
		not          []string
	}{
		{
			"default",
			"",
			[]string{"http://rel-holysheep-relay.ns:80/v1", "create secret generic holysheep-secrets", "rollout restart"},
			nil,
		},
		{
			"no Secret, no hot reload",
			"reload: rollout\nsecrets: {existingSecret: ''}",
			nil,
			[]string{"create secret", "rollout restart"},
		},
		{
			"with a certificate",
			"service: {port: 443}\nconfig: {tls: {cert_file: /etc/tls/tls.crt, key_file: /etc/tls/tls.key}}",
			[]string{"https://rel-holysheep-relay.ns:443/v1", "curl https://"},
			[]string{"http://"},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, notes := install(t, kubeVersion, tt.values)
			for _, want := range tt.want {
				if !strings.Contains(notes, want) {
					t.Errorf("notes lack %q:\n%s", want, notes)
				}
			}
			for _, not := range tt.not {
				if strings.Contains(notes, not) {
					t.Errorf("notes hold %q:\n%s", not, notes)
				}
			}
		})
	}
}
