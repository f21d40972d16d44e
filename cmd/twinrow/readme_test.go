package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"twinrow/remediate/probe"
)

// varies is what differs from run to run in the README's output: a case's id.
var varies = regexp.MustCompile(`[0-9a-f]{12}\b`)

// TestReadmeIsTrue runs the README's console blocks, one after another in one
// directory, and compares what they print with what is written there. A line
// "…" stands for lines that the README leaves out; "$ echo $?" after a command
// shows its exit status.
func TestReadmeIsTrue(t *testing.T) {
	raw, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	prepareReadme(t, dir)
	ran := 0
	for _, block := range consoleBlocks(string(raw)) {
		for _, step := range commands(block) {
			ran++
			got := runShell(t, dir, step.command)
			if diff := cmp.Diff(strings.Join(step.want, "\n"), elide(got, step.want)); diff != "" {
				t.Errorf("$ %s\n(-README +printed):\n%s", step.command, diff)
			}
		}
	}
	if ran < 8 {
		t.Errorf("only %d commands were found in the README", ran)
	}
}

// prepareReadme puts the files there that the README speaks of.
func prepareReadme(t *testing.T, dir string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, "tickets.csv"), []byte(seed), 0o600); err != nil {
		t.Fatal(err)
	}
	binary, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	// testscript.Main answers to the name of the command.
	if err := os.MkdirAll(filepath.Join(dir, ".bin"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(binary, filepath.Join(dir, ".bin", "twinrow")); err != nil {
		t.Fatal(err)
	}
}

func runShell(t *testing.T, dir, command string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	shell := exec.CommandContext(ctx, "sh", "-c", command)
	shell.Dir = dir
	shell.Env = append(os.Environ(), "PATH="+filepath.Join(dir, ".bin")+":"+os.Getenv("PATH"), "COLUMNS=100")
	out, err := shell.CombinedOutput()
	text := strings.TrimRight(string(out), "\n")
	if err != nil {
		text = strings.TrimLeft(fmt.Sprintf("%s\n[%v]", text, err), "\n")
	}
	return text
}

type readmeStep struct {
	command string
	want    []string
}

func consoleBlocks(readme string) []string {
	var blocks []string
	for _, part := range strings.Split(readme, "```console\n")[1:] {
		block, _, _ := strings.Cut(part, "```")
		blocks = append(blocks, block)
	}
	return blocks
}

func commands(block string) []readmeStep {
	var steps []readmeStep
	for line := range strings.Lines(block) {
		line = strings.TrimRight(line, "\n")
		command, is := strings.CutPrefix(line, "$ ")
		switch {
		case is:
			steps = append(steps, readmeStep{command: command})
		case len(steps) > 0 && strings.HasSuffix(steps[len(steps)-1].command, `\`):
			last := &steps[len(steps)-1].command
			*last = strings.TrimSuffix(*last, `\`) + strings.TrimSpace(strings.TrimPrefix(line, ">"))
		case len(steps) > 0:
			steps[len(steps)-1].want = append(steps[len(steps)-1].want, line)
		}
	}
	for i := range steps {
		want := steps[i].want
		for len(want) > 0 && want[len(want)-1] == "" {
			want = want[:len(want)-1]
		}
		steps[i].want = want
	}
	return steps
}

// elide gives back what was printed in the README's form: an id as the README
// has it, and "…" where the README leaves lines out.
func elide(got string, want []string) string {
	lines := strings.Split(got, "\n")
	var out []string
	for i, w := range want {
		if w == "…" {
			out = append(out, w)
			lines = skipTo(lines, want, i+1)
			continue
		}
		if len(lines) == 0 {
			break
		}
		line := lines[0]
		if varies.ReplaceAllString(line, "ID") == varies.ReplaceAllString(w, "ID") {
			line = w
		}
		out = append(out, line)
		lines = lines[1:]
	}
	for _, line := range lines {
		if len(want) > 0 || line != "" {
			out = append(out, line)
		}
	}
	return strings.Join(out, "\n")
}

// skipTo drops lines up to the one that the README goes on with.
func skipTo(lines, want []string, next int) []string {
	if next >= len(want) {
		return nil
	}
	for i, line := range lines {
		if varies.ReplaceAllString(line, "ID") == varies.ReplaceAllString(want[next], "ID") {
			return lines[i:]
		}
	}
	return lines
}

// TestReadmeProbeIsOne reads the README's specification as `probe` does.
func TestReadmeProbeIsOne(t *testing.T) {
	raw, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, found := strings.Cut(string(raw), "```yaml\n")
	text, _, closed := strings.Cut(rest, "```")
	if !found || !closed {
		t.Fatal("the README shows no specification")
	}
	env := func(name string) (string, bool) { return "sqlite:shop.db", name == "DATABASE_URL" }
	spec, err := probe.ParseSpec("webhook.yaml", []byte(text), env)
	if err != nil {
		t.Fatal(err)
	}
	if o := spec.Outline(); o.Requests != 100 || o.ControlRequests == 0 {
		t.Errorf("it sends %d requests and %d beside them", o.Requests, o.ControlRequests)
	}
}
