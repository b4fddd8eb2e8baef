package config_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/holysheep/relay/server/config"
)

// fixtures returns the files in testdata that match glob, with their text.
func fixtures(t *testing.T, glob string) map[string]string {
	t.Helper()
	names, err := filepath.Glob(filepath.Join("testdata", glob))
	if err != nil || len(names) == 0 {
		t.Fatalf("%s: %d files, error %v", glob, len(names), err)
	}
	files := map[string]string{}
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		files[name] = string(text)
	}
	return files
}

// loadFixture loads a file of testdata.
func loadFixture(name string) (*config.Loaded, error) {
	return config.Load(config.Source{
		Path: name,
		ReadFile: func(path string) ([]byte, error) {
			if path == "/run/password" {
				return []byte("secret"), nil
			}
			return os.ReadFile(path)
		},
	}, known())
}

func TestGoodFilesLoad(t *testing.T) {
	for name := range fixtures(t, "*.good.yaml") {
		if _, err := loadFixture(name); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestBadFilesSayWhatIsWrong compares the problems of a file, in any order,
// with its first comments.
func TestBadFilesSayWhatIsWrong(t *testing.T) {
	for name, text := range fixtures(t, "*.bad.yaml") {
		t.Run(filepath.Base(name), func(t *testing.T) {
			var want []string
			for line := range strings.Lines(text) {
				problem, isComment := strings.CutPrefix(line, "# ")
				if !isComment {
					break
				}
				want = append(want, strings.TrimSpace(problem))
			}
			_, err := loadFixture(name)
			if err == nil {
				t.Fatal("no error")
			}
			got := strings.Split(err.Error(), "\n")
			slices.Sort(got)
			slices.Sort(want)
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("problems (-want +got):\n%s", diff)
			}
			if strings.Contains(err.Error(), "canary") {
				t.Errorf("the error holds a secret: %v", err)
			}
		})
	}
}
