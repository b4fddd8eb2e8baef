package charttests

import (
	"errors"
	"path"
	"testing"

	"helm.sh/helm/v3/pkg/chart"
	"helm.sh/helm/v3/pkg/chart/loader"
	"helm.sh/helm/v3/pkg/chartutil"
	"helm.sh/helm/v3/pkg/engine"
	"sigs.k8s.io/json"
	"sigs.k8s.io/yaml"
)

const (
	chartDir  = "../charts/holysheep-relay"
	release   = "rel"
	namespace = "ns"

	// fullname is the name of the objects of the release.
	fullname = "rel-holysheep-relay"

	// kubeVersion is what single templates are rendered for. Helm's own default
	// is v1.20.0, which the chart refuses.
	kubeVersion = "v1.37.0"
)

// render returns the object of type T in the template file, rendered with the
// chart's values overridden by values, which is YAML. It fails the test if the
// values break the schema or if the file holds a field that T lacks.
func render[T any](t *testing.T, file, values string) T {
	t.Helper()
	files, err := renderAll(release, values)
	if err != nil {
		t.Fatal(err)
	}
	return decode[T](t, files[file])
}

// decode reads an object as an API server does: a number is no text, and a field
// that T lacks or that is there twice is an error.
func decode[T any](t *testing.T, text string) T {
	t.Helper()
	var object T
	asJSON, err := yaml.YAMLToJSONStrict([]byte(text))
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	strict, err := json.UnmarshalStrict(asJSON, &object)
	if err := errors.Join(append(strict, err)...); err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	return object
}

// renderAll returns every template, rendered with the chart's values overridden
// by values, by the name of its file. A value that a template misspells is an
// error, and so is one that breaks the schema.
func renderAll(release, values string) (map[string]string, error) {
	c, err := loader.LoadDir(chartDir)
	if err != nil {
		return nil, err
	}
	all, err := renderValues(c, release, values)
	if err != nil {
		return nil, err
	}
	rendered, err := engine.Engine{Strict: true}.Render(c, all)
	files := map[string]string{}
	for name, text := range rendered {
		files[path.Base(name)] = text
	}
	return files, err
}

// renderValues returns what the chart's templates see. It applies the schema.
func renderValues(c *chart.Chart, release, values string) (chartutil.Values, error) {
	if c.Schema == nil {
		return nil, errors.New("the chart has no values.schema.json: run `make generate`")
	}
	over, err := chartutil.ReadValues([]byte(values))
	if err != nil {
		return nil, err
	}
	version, err := chartutil.ParseKubeVersion(kubeVersion)
	if err != nil {
		return nil, err
	}
	capabilities := chartutil.DefaultCapabilities.Copy()
	capabilities.KubeVersion = *version
	options := chartutil.ReleaseOptions{Name: release, Namespace: namespace, Revision: 1, IsInstall: true}
	return chartutil.ToRenderValues(c, over, options, capabilities)
}

// renderError renders the chart, which must be refused, and returns why.
func renderError(t *testing.T, values string) string {
	t.Helper()
	if _, err := renderAll(release, values); err != nil {
		return err.Error()
	}
	t.Fatalf("the chart takes these values:\n%s", values)
	return ""
}
