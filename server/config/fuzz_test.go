package config_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/holysheep/relay/server/config"
)

// FuzzLoad loads any YAML, in which every SECRET became a key. It never panics
// and never shows the key, and what it accepts it can explain.
func FuzzLoad(f *testing.F) {
	const secret = "sk-planted-0123456789abcdef"
	for _, seed := range []string{
		minimal, two, "", "null", "-", "SECRET", "SECRET: SECRET", "- SECRET", "? [SECRET]", "<<: SECRET",
		"listen: SECRET", "drain: SECRET", "max_body: SECRET", "chain: [SECRET, SECRET]", "cors: {origins: [SECRET]}",
		"log: {level: SECRET}", "tls: {min_version: SECRET}", "redis: {addresses: [SECRET], db: SECRET}",
		"plugins: {SECRET: {}, retry: {wait: SECRET, SECRET: 1, statuses: [SECRET]}}",
		"plugins: {auth: {keys_env: SECRET, clients: {SECRET: {expires: SECRET}}}}",
		"upstreams: {SECRET: {}, one: {base_url: SECRET, api_key: SECRET, models: [\"[SECRET\"], api_key_env: SECRET}}",
		"upstreams: {one: {base_url: \"https://u:SECRET@a.example/SECRET?SECRET\"}}",
		"a: *SECRET", "a: &SECRET b\nb: !SECRET c", "a: !!int SECRET", "SECRET: 1\nSECRET: 2", "a: 'SECRET", "a: b: SECRET", "%SECRET\n---\n",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		file := strings.ReplaceAll(text, "SECRET", secret)
		loaded, err := config.Load(config.Source{
			Path:     "relay.yaml",
			ReadFile: func(string) ([]byte, error) { return []byte(file), nil },
		}, known())
		if err != nil {
			if strings.Contains(err.Error(), secret) && !strings.Contains(text, secret) {
				t.Errorf("the error shows the key: %v", err)
			}
			return
		}
		if err := loaded.Explain(new(bytes.Buffer)); err != nil {
			t.Errorf("Explain: %v", err)
		}
		if len(loaded.Tree()) == 0 {
			t.Error("Tree is empty")
		}
	})
}
