package charttests

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"helm.sh/helm/v3/pkg/action"
	"helm.sh/helm/v3/pkg/chart/loader"
	"helm.sh/helm/v3/pkg/chartutil"
	"helm.sh/helm/v3/pkg/lint"
	"helm.sh/helm/v3/pkg/lint/support"
	appsv1 "k8s.io/api/apps/v1"
	"k8s.io/apimachinery/pkg/runtime"
	serializer "k8s.io/apimachinery/pkg/runtime/serializer/json"
	"k8s.io/client-go/applyconfigurations"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/pod-security-admission/api"
	"k8s.io/pod-security-admission/policy"
)

// valuesFiles are the values that the chart is installed with: none, the least
// and the most.
func valuesFiles() []string {
	return []string{"default.values.yaml", "least.values.yaml", "most.values.yaml"}
}

// kubeVersions are the Kubernetes releases that the chart is rendered for. The
// oldest is the one that Chart.yaml names.
func kubeVersions() []string {
	return []string{"v1.31.0", "v1.32.0", "v1.33.0", "v1.34.0", "v1.35.0", "v1.36.0", "v1.37.0"}
}

// install returns the manifest and the notes of an installation, as a dry run of
// Helm makes them.
func install(t *testing.T, kube, values string) (manifest, notes string) {
	t.Helper()
	in := action.NewInstall(new(action.Configuration))
	in.DryRun, in.ClientOnly, in.Replace = true, true, true
	in.ReleaseName, in.Namespace = release, namespace
	var err error
	if in.KubeVersion, err = chartutil.ParseKubeVersion(kube); err != nil {
		t.Fatal(err)
	}
	c, err := loader.LoadDir(chartDir)
	if err != nil {
		t.Fatal(err)
	}
	over, err := chartutil.ReadValues([]byte(values))
	if err != nil {
		t.Fatal(err)
	}
	rel, err := in.Run(c, over)
	if err != nil {
		t.Fatal(err)
	}
	if len(rel.Hooks) > 0 {
		t.Fatalf("the chart has hooks, which this test does not read: %v", rel.Hooks[0].Name)
	}
	return rel.Manifest, rel.Info.Notes
}

// objects decodes a manifest strictly: an unknown field or a key that is there
// twice fails the test.
func objects(t *testing.T, manifest string) []runtime.Object {
	t.Helper()
	decoder := serializer.NewSerializerWithOptions(serializer.DefaultMetaFactory, scheme.Scheme, scheme.Scheme,
		serializer.SerializerOptions{Yaml: true, Strict: true})
	var all []runtime.Object
	for document := range strings.SplitSeq(manifest, "\n---\n") {
		if strings.TrimSpace(document) == "" {
			continue
		}
		object, _, err := decoder.Decode([]byte(document), nil, nil)
		if err != nil {
			t.Fatalf("%v\n%s", err, document)
		}
		all = append(all, object)
	}
	return all
}

func readFile(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestInstall(t *testing.T) {
	for _, file := range valuesFiles() {
		for _, kube := range kubeVersions() {
			t.Run(file+" "+kube, func(t *testing.T) { checkInstall(t, kube, readFile(t, "testdata/"+file)) })
		}
	}
}

// checkInstall fails where a cluster would not take the objects, or where a
// second installation makes others.
func checkInstall(t *testing.T, kube, values string) {
	t.Helper()
	manifest, _ := install(t, kube, values)
	all := objects(t, manifest)
	if len(all) < 3 {
		t.Fatalf("%d objects, want at least a ConfigMap, a Service and a Deployment", len(all))
	}
	for _, object := range all {
		checkMerge(t, object)
		checkRestricted(t, object)
	}
	again, _ := install(t, kube, values)
	if diff := cmp.Diff(manifest, again); diff != "" {
		t.Errorf("a second installation differs:\n%s", diff)
	}
}

// checkMerge fails where a server-side apply, which Helm 4 does, would refuse
// the object: for lists that are maps by name and hold a name twice.
func checkMerge(t *testing.T, object runtime.Object) {
	t.Helper()
	if _, err := applyconfigurations.NewTypeConverter(scheme.Scheme).ObjectToTyped(object); err != nil {
		t.Errorf("%T: %v", object, err)
	}
}

// checkRestricted fails where a namespace that enforces the Pod Security
// Standard restricted would refuse the pods.
func checkRestricted(t *testing.T, object runtime.Object) {
	t.Helper()
	d, ok := object.(*appsv1.Deployment)
	if !ok {
		return
	}
	evaluator, err := policy.NewEvaluator(policy.DefaultChecks(), nil)
	if err != nil {
		t.Fatal(err)
	}
	level := api.LevelVersion{Level: api.LevelRestricted, Version: api.LatestVersion()}
	pod := d.Spec.Template
	for _, result := range evaluator.EvaluatePod(level, &pod.ObjectMeta, &pod.Spec) {
		if !result.Allowed {
			t.Errorf("restricted: %s: %s", result.ForbiddenReason, result.ForbiddenDetail)
		}
	}
}

func TestLint(t *testing.T) {
	version, err := chartutil.ParseKubeVersion(kubeVersion)
	if err != nil {
		t.Fatal(err)
	}
	result := lint.AllWithKubeVersion(chartDir, nil, namespace, version)
	for _, m := range result.Messages {
		if m.Severity > support.InfoSev {
			t.Error(fmt.Sprint(m))
		}
	}
}
