package charttests

import (
	"flag"
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestMain(m *testing.M) {
	flag.Bool("update", false, "write the golden files anew")
	os.Exit(m.Run())
}

// TestGolden shows a reviewer every change of the chart at its defaults:
// `go test -run Golden . -update` writes the files anew.
func TestGolden(t *testing.T) {
	manifest, notes := install(t, kubeVersion, "")
	for file, got := range map[string]string{
		"testdata/default.yaml":      manifest,
		"testdata/default.notes.txt": notes,
	} {
		if flag.Lookup("update").Value.String() == "true" {
			if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		if diff := cmp.Diff(readFile(t, file), got); diff != "" {
			t.Errorf("the chart is not as in %s (-update writes it):\n%s", file, diff)
		}
	}
}
