//go:build contract

package junit_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"twinrow/detect/casefile/proof"
	"twinrow/report/junit"
)

// valid tells whether xmllint finds a document valid by Jenkins' schema.
func valid(t *testing.T, document []byte) (said string, ok bool) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "junit.xml")
	if err := os.WriteFile(path, document, 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command("xmllint", "--noout", "--schema", os.Getenv("TWINROW_JUNIT_SCHEMA"), path).CombinedOutput()
	return string(out), err == nil
}

func TestContractWithJenkinsSchema(t *testing.T) {
	open := result(proof.Inconclusive)
	open.Expectations = append(open.Expectations, proof.Expectation{Name: "open", Open: true})
	for _, r := range []*proof.Result{result(proof.Pass), result(proof.Fail), open, {Verdict: proof.Pass}} {
		var b bytes.Buffer
		if err := junit.Render(&b, r); err != nil {
			t.Fatal(err)
		}
		if said, ok := valid(t, b.Bytes()); !ok {
			t.Errorf("%s: %s\n%s", r.Verdict, said, b.String())
		}
		if said, ok := valid(t, []byte(strings.Replace(b.String(), "<testcase ", "<testcase colour=\"red\" ", 1))); ok || !strings.Contains(said, "colour") {
			t.Errorf("a spoilt document was found valid, or not looked at: %s", said)
		}
	}
}
