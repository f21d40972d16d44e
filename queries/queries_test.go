package queries_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"twinrow/queries"
)

// TestEveryStatementSaysWhatItIsFor loads every file by its name and looks at
// the header that each must have.
func TestEveryStatementSaysWhatItIsFor(t *testing.T) {
	bare := regexp.MustCompile(`(?i)\b(?:from|join)\s+(pg_[a-z_]+)`)
	for engine, load := range map[string]func(string) string{"postgres": queries.Postgres, "sqlite": queries.SQLite} {
		files, err := filepath.Glob(engine + "/*.sql")
		if err != nil || len(files) == 0 {
			t.Fatalf("no statements for %s: %v", engine, err)
		}
		for _, file := range files {
			onDisk, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			sql := load(strings.TrimSuffix(filepath.Base(file), ".sql"))
			if sql != string(onDisk) {
				t.Errorf("%s is not what is embedded", file)
			}
			header, body := split(sql)
			if len(header) < 20 || body == "" {
				t.Errorf("%s has no header comment or no statement", file)
			}
			for _, m := range bare.FindAllStringSubmatch(body, -1) {
				if engine == "postgres" && m[1] != "pg_catalog" {
					t.Errorf("%s names %s without pg_catalog", file, m[1])
				}
			}
		}
	}
}

// split cuts the comment lines at the top from the statement.
func split(sql string) (header, body string) {
	lines := strings.SplitAfter(sql, "\n")
	for i, line := range lines {
		if !strings.HasPrefix(line, "--") {
			return header, strings.TrimSpace(strings.Join(lines[i:], ""))
		}
		header += line
	}
	return header, ""
}

func TestAStatementThatIsMissingIsAMistakeOfOurs(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("a missing statement was loaded")
		}
	}()
	queries.Postgres("no_such_statement")
}
