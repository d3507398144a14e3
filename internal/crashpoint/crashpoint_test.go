package crashpoint

import (
	"go/ast"
	"go/parser"
	"go/token"
	"slices"
	"strconv"
	"testing"
)

// A line that is marked and not listed would be one that no test comes to.
func TestLabelsHasEveryLabel(t *testing.T) {
	file, err := parser.ParseFile(token.NewFileSet(), "doc.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	var declared []string
	ast.Inspect(file, func(n ast.Node) bool {
		decl, ok := n.(*ast.GenDecl)
		if !ok || decl.Tok != token.CONST {
			return true
		}
		for _, spec := range decl.Specs {
			for _, v := range spec.(*ast.ValueSpec).Values {
				label, err := strconv.Unquote(v.(*ast.BasicLit).Value)
				if err != nil {
					t.Fatal(err)
				}
				declared = append(declared, label)
			}
		}
		return false
	})
	listed := slices.Sorted(slices.Values(Labels))
	slices.Sort(declared)
	if !slices.Equal(listed, declared) {
		t.Errorf("got the labels %q, declared are %q", listed, declared)
	}
}
