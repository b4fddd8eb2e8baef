package charttests

import (
	"path"
	"strconv"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"sigs.k8s.io/yaml"
)

const (
	configDir  = "/etc/holysheep-relay"
	secretsDir = configDir + "/secrets"
)

// parts is the objects of one installation.
type parts struct {
	config     corev1.ConfigMap
	account    *corev1.ServiceAccount
	services   []corev1.Service
	deployment appsv1.Deployment
}

// eachInstallation runs test for the objects of every file of values.
func eachInstallation(t *testing.T, test func(*testing.T, parts)) {
	t.Helper()
	for _, file := range valuesFiles() {
		t.Run(file, func(t *testing.T) {
			manifest, _ := install(t, kubeVersion, readFile(t, "testdata/"+file))
			var p parts
			for _, object := range objects(t, manifest) {
				switch o := object.(type) {
				case *corev1.ConfigMap:
					p.config = *o
				case *corev1.ServiceAccount:
					p.account = o
				case *corev1.Service:
					p.services = append(p.services, *o)
				case *appsv1.Deployment:
					p.deployment = *o
				default:
					t.Fatalf("no test knows %T", o)
				}
			}
			test(t, p)
		})
	}
}

func TestSelectorsFindThePods(t *testing.T) {
	eachInstallation(t, func(t *testing.T, p parts) {
		t.Helper()
		pod := labels.Set(p.deployment.Spec.Template.Labels)
		selector, err := metav1.LabelSelectorAsSelector(p.deployment.Spec.Selector)
		if err != nil || selector.Empty() || !selector.Matches(pod) {
			t.Errorf("the Deployment's %v does not find %v (%v)", selector, pod, err)
		}
		for _, s := range p.services {
			if len(s.Spec.Selector) == 0 || !labels.SelectorFromSet(s.Spec.Selector).Matches(pod) {
				t.Errorf("Service %s's %v does not find %v", s.Name, s.Spec.Selector, pod)
			}
		}
	})
}

func TestSelectorsStayTheSame(t *testing.T) {
	want := "app.kubernetes.io/instance=rel,app.kubernetes.io/name=holysheep-relay"
	selector, err := metav1.LabelSelectorAsSelector(deployment(t, "image: {tag: '9'}").Spec.Selector)
	if err != nil {
		t.Fatal(err)
	}
	if got := selector.String(); got != want {
		t.Errorf("selector = %q, want %q: a Deployment's selector cannot be changed", got, want)
	}
}

func TestServicesDiffer(t *testing.T) {
	eachInstallation(t, func(t *testing.T, p parts) {
		t.Helper()
		seen := map[string]string{}
		for _, s := range p.services {
			component := s.Labels["app.kubernetes.io/component"]
			if other := seen[component]; component == "" || other != "" {
				t.Errorf("nothing tells Service %q from %q (component %q)", s.Name, other, component)
			}
			seen[component] = s.Name
		}
	})
}

func TestPortsLeadToTheRelay(t *testing.T) {
	eachInstallation(t, func(t *testing.T, p parts) {
		t.Helper()
		var config struct{ Listen, Admin string }
		if err := yaml.Unmarshal([]byte(p.config.Data["relay.yaml"]), &config); err != nil {
			t.Fatal(err)
		}
		ports := map[string]string{}
		for _, port := range p.deployment.Spec.Template.Spec.Containers[0].Ports {
			ports[port.Name] = strconv.Itoa(int(port.ContainerPort))
			want := map[string]string{"http": config.Listen, "metrics": config.Admin}[port.Name]
			if !strings.HasSuffix(want, ":"+ports[port.Name]) {
				t.Errorf("container port %s, but the relay listens at %q", ports[port.Name], want)
			}
		}
		for _, s := range p.services {
			if target := s.Spec.Ports[0].TargetPort.StrVal; ports[target] == "" {
				t.Errorf("Service %s leads to port %q, which no container has", s.Name, target)
			}
		}
	})
}

func TestReferencesAreThere(t *testing.T) {
	eachInstallation(t, func(t *testing.T, p parts) {
		t.Helper()
		pod := p.deployment.Spec.Template.Spec
		if p.account != nil && p.account.Name != pod.ServiceAccountName {
			t.Errorf("ServiceAccount %q is made, but %q is used", p.account.Name, pod.ServiceAccountName)
		}
		mounted := mounts(t, pod)
		config := mounted[configDir].ConfigMap
		if config == nil || config.Name != p.config.Name {
			t.Fatalf("%s shows %v, want ConfigMap %s", configDir, config, p.config.Name)
		}
		args := pod.Containers[0].Args
		file := args[len(args)-1]
		if path.Dir(file) != configDir || p.config.Data[path.Base(file)] == "" {
			t.Errorf("the relay reads %s, which the ConfigMap does not hold", file)
		}
		for _, key := range secretFiles(p.config.Data["relay.yaml"]) {
			if !shows(mounted[secretsDir].Secret, key) {
				t.Errorf("the configuration names %s/%s, which is not mounted", secretsDir, key)
			}
		}
	})
}

// mounts returns what is mounted where. It fails the test for a mount by
// subPath, which never sees a change.
func mounts(t *testing.T, pod corev1.PodSpec) map[string]corev1.VolumeSource {
	t.Helper()
	volumes := map[string]corev1.VolumeSource{}
	for _, v := range pod.Volumes {
		volumes[v.Name] = v.VolumeSource
	}
	mounted := map[string]corev1.VolumeSource{}
	for _, m := range pod.Containers[0].VolumeMounts {
		source, ok := volumes[m.Name]
		if !ok || m.SubPath != "" || !m.ReadOnly {
			t.Errorf("mount %s: volume %t, subPath %q, read-only %t", m.MountPath, ok, m.SubPath, m.ReadOnly)
		}
		mounted[m.MountPath] = source
	}
	return mounted
}

// secretFiles returns the files under secretsDir that the configuration names.
func secretFiles(config string) []string {
	var keys []string
	for word := range strings.FieldsSeq(config) {
		if key, ok := strings.CutPrefix(word, secretsDir+"/"); ok {
			keys = append(keys, key)
		}
	}
	return keys
}

// shows reports whether the volume holds the Secret's key as a file that the
// relay's group can read.
func shows(s *corev1.SecretVolumeSource, key string) bool {
	if s == nil || *s.DefaultMode != 0o440 {
		return false
	}
	for _, item := range s.Items {
		if item.Key == key && item.Path == key {
			return true
		}
	}
	return len(s.Items) == 0
}
