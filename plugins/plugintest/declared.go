package plugintest

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"strings"
)

// declaredErrors returns the names of the package variables in the Go files of
// dir that are Err… = &plugins.Error{…}. Reflection cannot find variables.
func declaredErrors(dir fs.FS) ([]string, error) {
	files, err := fs.Glob(dir, "*.go")
	if err != nil {
		return nil, err
	}
	var names []string
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		source, err := fs.ReadFile(dir, file)
		if err != nil {
			return nil, err
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), file, source, parser.SkipObjectResolution)
		if err != nil {
			return nil, err
		}
		for _, d := range parsed.Decls {
			names = append(names, errorVars(d)...)
		}
	}
	return names, nil
}

func errorVars(d ast.Decl) (names []string) {
	block, ok := d.(*ast.GenDecl)
	if !ok || block.Tok != token.VAR {
		return nil
	}
	for _, s := range block.Specs {
		v := s.(*ast.ValueSpec)
		for i, name := range v.Names {
			if i < len(v.Values) && strings.HasPrefix(name.Name, "Err") && isError(v.Values[i]) {
				names = append(names, name.Name)
			}
		}
	}
	return names
}

// isError reports whether e is &plugins.Error{…}.
func isError(e ast.Expr) bool {
	address, ok := e.(*ast.UnaryExpr)
	if !ok || address.Op != token.AND {
		return false
	}
	literal, ok := address.X.(*ast.CompositeLit)
	if !ok {
		return false
	}
	selector, ok := literal.Type.(*ast.SelectorExpr)
	return ok && selector.Sel.Name == "Error"
}
