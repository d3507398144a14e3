package main

import (
	"fmt"
	"os"
	"strings"
	"testing"
)

// markets.md has the table of commands between these lines.
const (
	document = "../../docs/markets.md"
	begins   = "<!-- commands of cmd/market: go test ./cmd/market -update -->\n\n"
	ends     = "\n<!-- end of commands -->\n"
)

// TestDocumentation holds the documentation against the table of commands.
func TestDocumentation(t *testing.T) {
	text, err := os.ReadFile(document)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, ok := strings.Cut(string(text), begins)
	got, after, closed := strings.Cut(rest, ends)
	if !ok || !closed {
		t.Fatalf("%s has no table between %q and %q", document, begins, ends)
	}
	want := markdown()
	if *update && got != want {
		if err := os.WriteFile(document, []byte(before+begins+want+ends+after), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if got != want {
		t.Errorf("the table of commands in %s is not what there is (go test ./cmd/market -update writes it): got\n%s\nwant\n%s", document, got, want)
	}
}

// markdown gives the table of commands.
func markdown() string {
	var b strings.Builder
	b.WriteString("| `market` ... | what it does | method |\n| --- | --- | --- |\n")
	for _, c := range commands {
		asks := ""
		if c.gives != "" {
			asks = " Asks first."
		}
		fmt.Fprintf(&b, "| `%s` | %s%s | `%s` |\n", strings.TrimPrefix(c.usage(), "market "), c.does, asks, c.method)
	}
	return b.String()
}
