package dialect

import (
	"encoding/hex"
	"math"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParseImage(t *testing.T) {
	const image = `quote:NULL,-12,1.5e-300,9.0e+999,-Inf,'it''s, "so"',X'00FF',CAST(X'610062' AS TEXT),''`
	got, err := ParseImage(image)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"NULL", "-12", "1.5e-300", "9.0e+999", "-Inf", `'it''s, "so"'`, "X'00FF'", "CAST(X'610062' AS TEXT)", "''"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	var values []any
	var storage []string
	for _, l := range got {
		v, s := Value(l)
		values, storage = append(values, v), append(storage, s)
	}
	wantValues := []any{nil, int64(-12), 1.5e-300, math.Inf(1), math.Inf(-1), `it's, "so"`, []byte{0, 255}, []byte("a\x00b"), ""}
	if diff := cmp.Diff(wantValues, values); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(strings.Fields("null integer real real real text blob text text"), storage); diff != "" {
		t.Error(diff)
	}
}

func TestParseImageRefuses(t *testing.T) {
	for _, image := range []string{"", "sha256:00", "quote:", "quote:1,", "quote:'open", "quote:1 OR 1", "quote:X'0'", "quote:(SELECT 1)", "quote:'a'b", "quote:CAST(X'00' AS BLOB)"} {
		if got, err := ParseImage(image); err == nil {
			t.Errorf("%q was read as %q", image, got)
		}
	}
}

func FuzzParseImage(f *testing.F) {
	f.Add("quote:NULL,-12,1.5,'a''b',X'00',CAST(X'00' AS TEXT)")
	f.Add("quote:'")
	f.Fuzz(func(t *testing.T, image string) {
		literals, err := ParseImage(image)
		if err != nil {
			return
		}
		if "quote:"+strings.Join(literals, ",") != image {
			t.Errorf("%q was read as %q", image, literals)
		}
		for _, l := range literals {
			Value(l)
		}
	})
}

func TestSplit(t *testing.T) {
	for _, text := range []string{"'COMMIT; Begin Transaction'", "'rollback''savepoint'", "'x'"} {
		split := SQLite{d1: true}.split(text)
		if transactionWords.MatchString(split) {
			t.Errorf("%s still holds a word", split)
		}
		if got := strings.ReplaceAll(strings.Trim(split, "()"), "'||'", ""); got != text {
			t.Errorf("%s became %s", text, got)
		}
	}
}

// TestMuchToSplit: an expression of SQLite and D1 may only be so deep.
func TestMuchToSplit(t *testing.T) {
	text := strings.Repeat("it's COMMIT;\r\n", 500)
	for _, s := range []SQLite{{d1: true}, {}} {
		file := filepath.Join(t.TempDir(), "x.db")
		got := mustSQLite(t, file, "SELECT quote(CAST("+s.Literal(text)+" AS BLOB));\n")
		if want := "X'" + strings.ToUpper(hex.EncodeToString([]byte(text))) + "'"; strings.TrimSpace(got) != want {
			t.Errorf("%d bytes came back as %d", len(want), len(got))
		}
	}
}

func mustSQLite(t *testing.T, file, sql string) string {
	t.Helper()
	cmd := exec.Command("sqlite3", "-bail", file)
	cmd.Stdin = strings.NewReader(sql)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return string(out)
}

// TestCarriageReturns: SQLite's shell drops one that ends a line.
func TestCarriageReturns(t *testing.T) {
	if got, want := (SQLite{}).Literal("a\r\nb"), "('a'||char(13)||'\nb')"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := (SQLite{}).split("12"); got != "12" {
		t.Errorf("a number became %s", got)
	}
}
