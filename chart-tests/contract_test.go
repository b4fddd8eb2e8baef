package charttests

import (
	"fmt"
	"io/fs"
	"path"
	"strconv"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/holysheep/relay/plugins"
	"github.com/holysheep/relay/plugins/auth"
	"github.com/holysheep/relay/plugins/cache"
	"github.com/holysheep/relay/plugins/limit"
	"github.com/holysheep/relay/plugins/retry"
	"github.com/holysheep/relay/server/config"
)

// loadConfig has the relay itself read what the pod shows it: its file, its
// environment and its mounts.
func loadConfig(t *testing.T, values string) (*config.Loaded, error) {
	t.Helper()
	c := container(t, values)
	file := c.Args[len(c.Args)-1]
	source := config.Source{
		Path: file,
		ReadFile: func(name string) ([]byte, error) {
			if name == file {
				return []byte(configFile(t, values)), nil
			}
			for _, m := range c.VolumeMounts {
				if strings.HasPrefix(path.Clean(name), m.MountPath+"/") {
					return []byte("any"), nil
				}
			}
			return nil, fmt.Errorf("%s: %w", name, fs.ErrNotExist)
		},
	}
	for _, v := range c.Env {
		source.Environ = append(source.Environ, v.Name+"="+valueOf(v))
	}
	return config.Load(source, known())
}

// known is the plugins of the relay's binary.
func known() []plugins.Plugin {
	return []plugins.Plugin{auth.Plugin, cache.Plugin, limit.Plugin, retry.Plugin}
}

// valueOf is the variable's value, or some value where the Secret holds it.
func valueOf(v corev1.EnvVar) string {
	if v.ValueFrom != nil {
		return "any"
	}
	return v.Value
}

// checkConfig fails the test where the relay refuses the configuration or
// wonders at it.
func checkConfig(t *testing.T, values string) {
	t.Helper()
	loaded, err := loadConfig(t, values)
	if err != nil {
		t.Fatalf("the relay refuses its configuration:\n%v", err)
	}
	for _, warning := range loaded.Warnings {
		t.Errorf("the relay warns: %s", warning)
	}
}

func TestRelayTakesTheConfiguration(t *testing.T) {
	for _, file := range valuesFiles() {
		t.Run(file, func(t *testing.T) { checkConfig(t, readFile(t, "testdata/"+file)) })
	}
}

// TestPodFollowsTheRelaysDefaults takes every key away for which the chart has
// a default of its own.
func TestPodFollowsTheRelaysDefaults(t *testing.T) {
	const values = "config: {listen: null, admin: null, drain: null, drain_delay: null}"
	want := config.Defaults()
	pod := deployment(t, values).Spec.Template.Spec
	least := (want.DrainDelay + want.Drain + 5*time.Second).Seconds()
	if got := *pod.TerminationGracePeriodSeconds; float64(got) != least {
		t.Errorf("terminationGracePeriodSeconds = %d, want %v", got, least)
	}
	for i, address := range []string{want.Listen, want.Admin} {
		if got := ":" + strconv.Itoa(int(pod.Containers[0].Ports[i].ContainerPort)); got != address {
			t.Errorf("port %s, want that of %s", got, address)
		}
	}
}

// TestRelayRefusesTheConfiguration shows that the tests above can fail, by what
// no schema finds.
func TestRelayRefusesTheConfiguration(t *testing.T) {
	tests := []struct{ name, values, want string }{
		{"two values that do not fit", "config: {max_body: 1MiB, max_replay: 2MiB}", "max_replay: 2MiB is not from 0B to max_body"},
		{"unknown variable", "env: {RELAY_PLUGINS__RETRY__ATEMPTS: '2'}", "RELAY_PLUGINS__RETRY__ATEMPTS"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := loadConfig(t, tt.values)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error = %v, want %q in it", err, tt.want)
			}
		})
	}
}
