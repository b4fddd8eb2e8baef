package schema

import (
	"bytes"
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"path"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
)

// Comments returns the doc comments of every struct with settings in the module
// at root, and of its fields, by package, type and field. A setting is a field
// with a koanf tag.
func Comments(root string) (map[string]string, error) {
	comments := map[string]string{}
	for _, pattern := range []string{"server/config/*.go", "server/upstream/*.go", "plugins/*.go", "plugins/*/*.go"} {
		files, err := filepath.Glob(filepath.Join(root, pattern))
		if err != nil {
			return nil, err
		}
		for _, file := range files {
			if strings.HasSuffix(file, "_test.go") {
				continue
			}
			folder, err := filepath.Rel(root, filepath.Dir(file))
			if err != nil {
				return nil, err
			}
			if err := readComments(comments, path.Join(module, filepath.ToSlash(folder)), file); err != nil {
				return nil, err
			}
		}
	}
	return comments, nil
}

// readComments adds the comments in one file of the package pkg.
func readComments(comments map[string]string, pkg, file string) error {
	tree, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ParseComments)
	if err != nil {
		return err
	}
	for _, decl := range tree.Decls {
		group, ok := decl.(*ast.GenDecl)
		if !ok {
			continue
		}
		for _, spec := range group.Specs {
			typ, isType := spec.(*ast.TypeSpec)
			if !isType {
				continue
			}
			doc := typ.Doc
			if doc == nil {
				doc = group.Doc
			}
			addStruct(comments, pkg+"."+typ.Name.Name, typ, doc)
		}
	}
	return nil
}

// addStruct adds the comments of a struct that holds settings.
func addStruct(comments map[string]string, name string, typ *ast.TypeSpec, doc *ast.CommentGroup) {
	fields, ok := typ.Type.(*ast.StructType)
	if !ok {
		return
	}
	holds := false
	for _, f := range fields.Fields.List {
		if f.Tag == nil || len(f.Names) == 0 {
			continue
		}
		tag, err := strconv.Unquote(f.Tag.Value)
		key, ok := reflect.StructTag(tag).Lookup("koanf")
		if text := oneLine(f.Doc); err == nil && ok && text != "" {
			holds = true
			// Who reads a schema knows the key, not the field.
			if rest, named := strings.CutPrefix(text, f.Names[0].Name+" "); named {
				text = key + " " + rest
			}
			comments[name+"."+f.Names[0].Name] = text
		}
	}
	if text := oneLine(doc); holds && text != "" {
		comments[name] = text
	}
}

// oneLine returns the text of a comment, each paragraph on one line.
func oneLine(doc *ast.CommentGroup) string {
	paragraphs := strings.Split(strings.TrimSpace(doc.Text()), "\n\n")
	for i, p := range paragraphs {
		paragraphs[i] = strings.Join(strings.Fields(p), " ")
	}
	return strings.Join(paragraphs, "\n\n")
}

// encode writes JSON for people: indented, sorted, without escapes for HTML.
func encode(v any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	err := enc.Encode(v)
	return b.Bytes(), err
}
