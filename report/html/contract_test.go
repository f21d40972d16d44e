//go:build contract

package html_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"twinrow/report/internal/fixture"
)

// finding is what axe.mjs says of a page.
type finding struct {
	Page, Scheme, Rule, Why string
	Width                   int
	At                      []string
}

// judge has axe-core, in a real browser, look at pages by their names.
func judge(t *testing.T, pages map[string]string) (found []finding) {
	t.Helper()
	dir, args := t.TempDir(), []string{"testdata/axe.mjs", "chromium"}
	chromium, err := exec.LookPath("chromium")
	if err != nil {
		t.Fatalf("%v; hint: make contract-report installs it", err)
	}
	args[1] = chromium
	for name, page := range pages {
		path := filepath.Join(dir, name+".html")
		if err := os.WriteFile(path, []byte(page), 0o600); err != nil {
			t.Fatal(err)
		}
		args = append(args, path)
	}
	cmd := exec.Command("node", args...)
	cmd.Env = append(os.Environ(), "NODE_PATH="+os.Getenv("TWINROW_AXE"))
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(out, &found); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return found
}

// TestContractWithAxe finds nothing that keeps a person from reading a page.
func TestContractWithAxe(t *testing.T) {
	pages := map[string]string{
		"incident": render(t, fixture.Document()),
		"two":      render(t, fixture.TwoTables()),
		"probe":    renderProof(t, twoWinners()),
		"hostile":  renderProof(t, hostileProof()),
	}
	for _, f := range judge(t, pages) {
		t.Errorf("%s, %d wide, %s: %s: %s\n%s", filepath.Base(f.Page), f.Width, f.Scheme, f.Rule, f.Why, strings.Join(f.At, "\n"))
	}
}

// TestContractOfAxeSeesWhatIsWrong has it look at pages that were spoilt.
func TestContractOfAxeSeesWhatIsWrong(t *testing.T) {
	page := render(t, fixture.Document())
	for name, spoilt := range map[string]string{
		"html-has-lang":  strings.Replace(page, `<html lang="en"`, `<html`, 1),
		"document-title": strings.Replace(strings.Replace(page, "<title>", "<!--", 1), "</title>", "-->", 1),
		"color-contrast": strings.Replace(page, "<main", `<p style="color:#ccc;background:#fff">pale</p><main`, 1),
	} {
		if spoilt == page {
			t.Fatalf("%s: the page is not spoilt", name)
		}
		found := judge(t, map[string]string{"spoilt": spoilt})
		if !slices.ContainsFunc(found, func(f finding) bool { return f.Rule == name }) {
			t.Errorf("%s was not found in %+v", name, found)
		}
	}
}
