package server

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/holysheep/relay/internal/credential"
)

// paste are places of a configuration into which a key may be pasted, with
// SECRET for it. None of them is valid.
func paste() map[string]string {
	return map[string]string{
		"the whole file":            "SECRET",
		"an unknown key":            whole + "\nSECRET: 1\n",
		"a value of no setting":     whole + "\nkey: SECRET\n",
		"the upstream's key":        whole + "\nupstreams: {demo: {base_url: UPSTREAM, api_key: SECRET}}\n",
		"a variable's name":         whole + "\nupstreams: {demo: {base_url: UPSTREAM, api_key_env: SECRET}}\n",
		"a file's name":             whole + "\nupstreams: {demo: {base_url: UPSTREAM, api_key_file: SECRET}}\n",
		"a URL's user":              whole + "\nupstreams: {demo: {base_url: \"https://SECRET@127.0.0.1/v1\"}}\n",
		"a URL's password":          whole + "\nupstreams: {demo: {base_url: \"https://me:SECRET@127.0.0.1/v1\"}}\n",
		"a URL's query":             whole + "\nupstreams: {demo: {base_url: \"https://127.0.0.1/v1?key=SECRET\"}}\n",
		"a URL that is none":        whole + "\nupstreams: {demo: {base_url: \"SECRET\"}}\n",
		"an upstream's name":        whole + "\nupstreams: {SECRET: {base_url: UPSTREAM}}\n",
		"an upstream's weight":      whole + "\nupstreams: {demo: {base_url: UPSTREAM, weight: SECRET}}\n",
		"an upstream as a whole":    whole + "\nupstreams: {demo: SECRET}\n",
		"Redis's password":          whole + "\nredis: {addresses: [\"127.0.0.1:1\"], password: SECRET}\n",
		"Redis's address":           whole + "\nredis: {addresses: [SECRET]}\n",
		"Redis's address as a URL":  whole + "\nredis: {addresses: [\":SECRET@redis:6379\", \"SECRET@redis:6379\"]}\n",
		"the name of its variable":  whole + "\nredis: {addresses: [\"127.0.0.1:1\"], password_env: SECRET}\n",
		"the admin's token":         whole + "\nadmin_token: SECRET\n",
		"its variable's name":       whole + "\nadmin_token_env: SECRET\n",
		"its file's name":           whole + "\nadmin_token_file: SECRET\n",
		"a client's key":            "plugins: {auth: {clients: {a: {keys: {one: {sha256: SECRET}}}}}}\n",
		"a client's key by no name": "plugins: {auth: {clients: {a: {keys: {one: SECRET}}}}}\n",
		"a client's list of keys":   "plugins: {auth: {clients: {a: {keys: [SECRET]}}}}\n",
		"a client's name":           "plugins: {auth: {clients: {SECRET: {keys: {}}}}}\n",
		"a client's field":          "plugins: {auth: {clients: {a: {SECRET: b}}}}\n",
		"a key's name":              "plugins: {auth: {clients: {a: {keys: {SECRET: {}}}}}}\n",
		"a key's expiry":            "plugins: {auth: {clients: {a: {keys: {one: {sha256: HASH, expires: SECRET}}}}}}\n",
		"the file of the keys":      "plugins: {auth: {keys_file: SECRET}}\n",
		"the variable of the keys":  "plugins: {auth: {keys_env: SECRET}}\n",
		"the chain":                 "chain: [SECRET]\n",
		"the log's level":           whole + "\nlog: {level: SECRET}\n",
		"a plugin's name":           "plugins: {SECRET: {}}\n",
		"a number":                  "plugins: {retry: {attempts: SECRET}}\n",
		"a duration":                whole + "\ndrain: SECRET\n",
		"a size":                    whole + "\nmax_body: SECRET\n",
		"an address":                whole + "\nlisten: SECRET\n",
		"an origin":                 whole + "\ncors: {origins: [SECRET]}\n",
		"a header's name":           whole + "\ncors: {headers: [\"SECRET x\"]}\n",
		"a certificate's file":      whole + "\ntls: {cert_file: SECRET, key_file: SECRET}\n",
		"broken YAML":               whole + "\nupstreams: {demo: {api_key: SECRET\nb: [\n",
		"YAML with a tab":           whole + "\n\tapi_key: SECRET\n",
		"YAML with an alias":        whole + "\nkey: *SECRET\n",
		"YAML with a tag":           whole + "\nkey: !SECRET 1\n",
		"a key twice":               whole + "\nSECRET: 1\nSECRET: 2\n",
	}
}

func TestAPastedKeyIsNotRepeated(t *testing.T) {
	r := start(t, whole)
	before := r.current.Load()
	upstream := before.config.Config.Upstreams["demo"].BaseURL
	for name, text := range paste() {
		t.Run(name, func(t *testing.T) {
			for _, secret := range []string{strangerKey, upstreamKey, redisPassword, adminToken} {
				logged := len(r.Log.All())
				text := complete(strings.ReplaceAll(text, "SECRET", secret), upstream)
				replaceFile(t, r.Config, text)
				if err := r.Reload(); err == nil {
					t.Errorf("it was loaded:\n%s", text)
				}
				out, err := r.command(t, "check", "--config", r.Config)
				if err == nil {
					t.Errorf("check finds nothing wrong:\n%s", text)
				}
				checkSecrets(t, "check", out+err.Error())
				out, _ = r.command(t, "explain", "--config", r.Config)
				checkSecrets(t, "explain", out)
				checkSecrets(t, "log", r.Log.All()[logged:])
			}
		})
	}
	if r.current.Load() != before || r.metric(t, "relay_config_last_reload_successful") != 0 {
		t.Error("a refused configuration changed something")
	}
}

func TestAKeyInTheFileOfKeysIsNotRepeated(t *testing.T) {
	path := filepath.Join(t.TempDir(), "keys.yaml")
	good := "clients: {tester: {keys: {one: {sha256: " + credential.Hash(clientKey) + "}}}}\n"
	replaceFile(t, path, good)
	r := start(t, "plugins: {auth: {keys_file: "+path+"}}\n")
	for name, text := range map[string]string{
		"in place of the file":     "SECRET\n",
		"in place of the hash":     "clients: {a: {keys: {one: {sha256: SECRET}}}}\n",
		"in place of the key":      "clients: {a: {keys: {one: SECRET}}}\n",
		"in place of the keys":     "clients: {a: {keys: SECRET}}\n",
		"in place of the client":   "clients: {a: SECRET}\n",
		"in place of the clients":  "clients: SECRET\n",
		"as the name of a client":  "clients: {SECRET: {keys: {}}}\n",
		"as the name of a key":     "clients: {a: {keys: {SECRET: {}}}}\n",
		"as the name of a field":   "clients: {a: {SECRET: 1}}\n",
		"in broken YAML":           "clients: {a: {keys: {one: {sha256: SECRET\nb: [\n",
		"beside the key of before": good + "SECRET: 1\n",
	} {
		t.Run(name, func(t *testing.T) {
			logged := len(r.Log.All())
			replaceFile(t, path, strings.ReplaceAll(text, "SECRET", strangerKey))
			if err := r.Reload(); err == nil {
				t.Error("it was loaded")
			}
			checkSecrets(t, "log", r.Log.All()[logged:])
		})
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if err := r.Reload(); err == nil {
		t.Error("a file that is gone was loaded")
	}
}

func TestCommandsTellNoSecret(t *testing.T) {
	r := plant(t, "http://127.0.0.1:1/v1")
	for _, args := range [][]string{
		{"check", "--config", r.Config},
		{"explain", "--config", r.Config},
		{"explain", "--live", r.AdminURL},
		{"get", r.AdminURL + "/config"},
		{"get", r.AdminURL + "/metrics"},
		{"get", r.URL + "/v1/models"},
		{"get", r.AdminURL + "/plugins/limit/"},
		{"schema"},
		{"version"},
	} {
		out, err := r.command(t, args...)
		if refused := strings.HasSuffix(args[len(args)-1], "/v1/models"); (err != nil) != refused {
			t.Errorf("%q: %v\n%s", args, err, out)
		}
		if out == "" {
			t.Errorf("%q prints nothing", args)
		}
		checkSecrets(t, strings.Join(args, " "), out)
	}
}

// command runs the relay's command line in the relay's environment and returns
// all that it prints.
func (r *running) command(t testing.TB, args ...string) (out string, err error) {
	t.Helper()
	var b bytes.Buffer
	p := process{
		args: append([]string{"relay"}, args...), environ: append([]string{"UPSTREAM_KEY=" + upstreamKey}, r.Environ...),
		stdout: &b, stderr: &b, plugins: append(builtin(), r.Plugins...),
	}
	err = p.run(context.WithoutCancel(t.Context()))
	return b.String(), err
}
