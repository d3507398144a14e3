package storetest

import (
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
)

// TestSafetyNamesRealTests: a page that promises with tests must not name one
// that is gone.
func TestSafetyNamesRealTests(t *testing.T) {
	page, err := os.ReadFile("../../docs/safety.md")
	if err != nil {
		t.Fatal(err)
	}
	code, err := exec.Command("grep", "-rhoE", "--include=*_test.go", `^func Test\w+`, "../..").Output()
	if err != nil {
		t.Fatalf("list the tests: %v", err)
	}
	known := strings.Fields(strings.ReplaceAll(string(code), "func ", ""))
	named := regexp.MustCompile(`Test\w+…?`).FindAllString(string(page), -1)
	if len(named) < 40 {
		t.Errorf("got %d tests in docs/safety.md, want it to name those behind its promises", len(named))
	}
	for _, name := range named {
		prefix, several := strings.CutSuffix(name, "…")
		found := false
		for _, k := range known {
			found = found || k == name || several && strings.HasPrefix(k, prefix)
		}
		if !found {
			t.Errorf("docs/safety.md names %s, which is no test", name)
		}
	}
}
