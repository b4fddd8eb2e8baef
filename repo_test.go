package main

import (
	"bytes"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// module is the path of this module, and of those nested in it.
const module = "github.com/holysheep/relay"

// sources returns every Go file of the repository, nested modules included.
func sources(t *testing.T) (files []string) {
	t.Helper()
	err := filepath.WalkDir(".", func(p string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && strings.HasPrefix(d.Name(), ".") && p != ".":
			return fs.SkipDir
		case strings.HasSuffix(p, ".go"):
			files = append(files, filepath.ToSlash(p))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(files) < 50 {
		t.Fatalf("found %d Go files only", len(files))
	}
	return files
}

func parse(t *testing.T, file string) *ast.File {
	t.Helper()
	f, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func TestNoFileIsLongerThan300Lines(t *testing.T) {
	for _, file := range sources(t) {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if lines := bytes.Count(text, []byte("\n")); lines > 300 {
			t.Errorf("%s has %d lines: split it by idea", file, lines)
		}
	}
}

// layers say what the packages under a path may import of this module, each by
// its path; a path stands for what is under it too. The first that fits counts.
var layers = []struct {
	from string
	to   []string
}{
	{"main", []string{"plugins", "server"}},
	{"chart-tests", []string{"chart-tests", "server", "plugins"}},
	{"server/config", []string{"server/config", "server/upstream", "plugins", "internal"}},
	{"server/relay", []string{"plugins", "internal"}},
	{"server/upstream", []string{"plugins", "internal"}},
	{"server", []string{"server", "plugins", "internal"}},
	{"plugins/plugintest", []string{"plugins"}},
	{"plugins", []string{"plugins", "internal"}},
	{"internal/schema", []string{"internal/schema", "server/config", "plugins"}},
	{"internal/wire", []string{"internal/canon"}},
	{"internal/redisledger", []string{"internal/ledger"}},
	{"internal/failover", []string{"internal/ledger"}},
	{"internal/ledgertest", []string{"internal/ledger"}},
	{"internal/shelf", []string{"internal/answer", "internal/breaker"}},
	{"internal/chatform", []string{"internal/answer", "internal/canon", "internal/sse"}},
	{"internal", nil},
}

func TestImportsRunOneWay(t *testing.T) {
	for _, file := range sources(t) {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		from := path.Dir(file)
		if from == "." {
			from = "main"
		}
		for _, spec := range parse(t, file).Imports {
			to, _ := strconv.Unquote(spec.Path.Value)
			if to, ours := strings.CutPrefix(to, module+"/"); ours && !mayImport(from, to) {
				t.Errorf("%s imports %s: move what it needs to where both may import it (CONTRIBUTING.md)", file, to)
			}
		}
	}
}

func mayImport(from, to string) bool {
	concrete := strings.HasPrefix(to, "plugins/") // a plugin by name
	if concrete && (within(from, "server") || within(from, "plugins") && !within(from, to)) {
		return false
	}
	for _, l := range layers {
		if within(from, l.from) {
			return slices.ContainsFunc(l.to, func(p string) bool { return within(to, p) })
		}
	}
	return false
}

func within(p, dir string) bool { return p == dir || strings.HasPrefix(p, dir+"/") }

func TestTheImportRuleCanFail(t *testing.T) {
	tests := []struct {
		from, to string
		want     bool
	}{
		{"main", "plugins/auth", true},
		{"server", "plugins", true},
		{"server", "plugins/auth", false},
		{"server/relay", "server", false},
		{"plugins/auth", "server", false},
		{"plugins/auth", "plugins/cache", false},
		{"plugins/auth", "plugins", true},
		{"plugins/auth", "internal/credential", true},
		{"internal/sse", "plugins", false},
		{"internal/sse", "internal/keep", false},
		{"internal/redisledger", "internal/ledger", true},
	}
	for _, tt := range tests {
		if got := mayImport(tt.from, tt.to); got != tt.want {
			t.Errorf("%s imports %s: %t, want %t", tt.from, tt.to, got, tt.want)
		}
	}
}

func TestEveryPackageHasAComment(t *testing.T) {
	documented := map[string]bool{}
	for _, file := range sources(t) {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		dir := path.Dir(file)
		documented[dir] = documented[dir] || parse(t, file).Doc != nil
	}
	for dir, has := range documented {
		if !has {
			t.Errorf("%s: no file has a package comment: say in one paragraph what the package is for", dir)
		}
	}
}

func TestHeavyModulesStayOutOfTheServer(t *testing.T) {
	text, err := os.ReadFile("go.mod")
	if err != nil {
		t.Fatal(err)
	}
	for _, heavy := range []string{"helm.sh/", "k8s.io/", "sigs.k8s.io/"} {
		if bytes.Contains(text, []byte("\t"+heavy)) {
			t.Errorf("go.mod requires %s…: it belongs into chart-tests", heavy)
		}
	}
}
