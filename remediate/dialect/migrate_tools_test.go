//go:build migrations

package dialect

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"twinrow/detect/source/sourcetest/pgserver"
)

// toolRun is one migration tool over one database.
type toolRun struct {
	name, engine string
	// before is the folder as the team has it: a migration that makes the table.
	before map[string]string
	// up and down are the command lines; down takes back the last n.
	up   func(where, dir string) []string
	down func(where, dir string, n int) []string
	// steps is how many migrations the index takes where it is built beside the
	// writers, and plainly.
	online, atomic int
}

const table = "CREATE TABLE tickets (id integer PRIMARY KEY, k text);\n"

func program(name string) string { return filepath.Join(os.Getenv("TWINROW_TOOLS"), name) }

func goose(driver string) toolRun {
	return toolRun{name: "goose", engine: driver, before: map[string]string{"00007_t.sql": "-- +goose Up\n" + table + "-- +goose Down\nDROP TABLE tickets;\n"}, online: 1, atomic: 1,
		up: func(where, dir string) []string {
			return []string{program("goose"), "-dir", dir, map[string]string{"sqlite": "sqlite3", "postgres": "postgres"}[driver], where, "up"}
		},
		down: func(where, dir string, _ int) []string {
			return []string{program("goose"), "-dir", dir, map[string]string{"sqlite": "sqlite3", "postgres": "postgres"}[driver], where, "down"}
		}}
}

func dbmate(engine string) toolRun {
	url := func(where string) string {
		if engine == "sqlite" {
			return "sqlite:" + where
		}
		return where
	}
	line := func(where, dir string, command ...string) []string {
		return append([]string{program("node_modules/.bin/dbmate"), "--no-dump-schema", "--url", url(where), "--migrations-dir", dir}, command...)
	}
	return toolRun{name: "dbmate", engine: engine, before: map[string]string{"20200101000000_t.sql": "-- migrate:up\n" + table + "-- migrate:down\nDROP TABLE tickets;\n"}, online: 3, atomic: 1,
		up:   func(where, dir string) []string { return line(where, dir, "migrate") },
		down: func(where, dir string, _ int) []string { return line(where, dir, "rollback") }}
}

var toolRuns = []toolRun{
	{name: "golang-migrate", engine: "postgres", before: map[string]string{"000007_t.up.sql": table, "000007_t.down.sql": "DROP TABLE tickets;\n"}, online: 3, atomic: 1,
		up: func(where, dir string) []string {
			return []string{program("migrate"), "-path", dir, "-database", where, "up"}
		},
		down: func(where, dir string, _ int) []string {
			return []string{program("migrate"), "-path", dir, "-database", where, "down", "1"}
		}},
	{name: "tern", engine: "postgres", before: map[string]string{"001_t.sql": table + "---- create above / drop below ----\nDROP TABLE tickets;\n"}, online: 1, atomic: 1,
		up: func(where, dir string) []string {
			return []string{program("tern"), "migrate", "-m", dir, "--conn-string", where}
		},
		down: func(where, dir string, _ int) []string {
			return []string{program("tern"), "migrate", "-m", dir, "--conn-string", where, "-d", "-1"}
		}},
	goose("postgres"), goose("sqlite"), dbmate("postgres"), dbmate("sqlite"),
}

// TestMigrationTools runs the tools themselves: up, down, up again, over an
// index that is there, and over duplicates, where nothing may be left behind.
func TestMigrationTools(t *testing.T) {
	for _, tool := range toolRuns {
		for _, strategy := range []string{"atomic", "online"} {
			if tool.engine == "sqlite" && strategy == "online" {
				continue // SQLite has one way to build an index
			}
			t.Run(fmt.Sprintf("%s/%s/%s", tool.name, tool.engine, strategy), func(t *testing.T) { runTool(t, tool, strategy) })
		}
	}
}

func runTool(t *testing.T, tool toolRun, strategy string) {
	dir := t.TempDir()
	for name, content := range tool.before {
		writeTo(t, filepath.Join(dir, name), content)
	}
	where := filepath.Join(t.TempDir(), "shop.db")
	if tool.engine == "postgres" {
		where = overTCP(t, pgserver.Database(t))
	}
	run := func(fine bool, line []string) {
		t.Helper()
		out, err := exec.Command(line[0], line[1:]...).CombinedOutput()
		if (err == nil) != fine {
			t.Fatalf("%v: %v\n%s", line, err, out)
		}
		t.Logf("%s", strings.TrimSpace(string(out)))
	}
	run(true, tool.up(where, dir))
	opened, p := indexPlanned(t, tool.engine, strategy)
	files, err := Files(opened, p, Options{Migrations: tool.name, MigrationsDir: dir})
	if err != nil {
		t.Fatal(err)
	}
	steps := map[string]int{"atomic": tool.atomic, "online": tool.online}[strategy]
	for _, f := range files {
		if filepath.IsAbs(f.Path) {
			writeTo(t, f.Path, string(f.Content))
		}
	}
	back := func() {
		t.Helper()
		for range steps {
			run(true, tool.down(where, dir, steps))
		}
	}
	run(true, tool.up(where, dir))
	wantIndex(t, tool.engine, where, true)
	back()
	wantIndex(t, tool.engine, where, false)
	// An apply built it already.
	mustSQL(t, tool.engine, where, `CREATE UNIQUE INDEX "tickets_k_key" ON "tickets" ("k");`)
	run(true, tool.up(where, dir))
	wantIndex(t, tool.engine, where, true)
	back()
	wantIndex(t, tool.engine, where, false)
	mustSQL(t, tool.engine, where, "INSERT INTO tickets VALUES (1, 'a'), (2, 'a');")
	run(false, tool.up(where, dir))
	wantIndex(t, tool.engine, where, false)
}

// overTCP writes a URL as every driver takes it: with the socket's folder as
// host and no encryption.
func overTCP(t *testing.T, url string) string {
	t.Helper()
	if strings.Contains(url, "sslmode=") {
		return url
	}
	if strings.Contains(url, "?") {
		return url + "&sslmode=disable"
	}
	return url + "?sslmode=disable"
}

func writeTo(t *testing.T, path, content string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

func sqlOf(engine, where, sql string) (string, error) {
	cmd := exec.Command("sqlite3", "-bail", where)
	if engine == "postgres" {
		cmd = exec.Command("psql", "-X", "-q", "-tA", "-v", "ON_ERROR_STOP=1", where)
	}
	cmd.Stdin = strings.NewReader(sql)
	out, err := cmd.CombinedOutput()
	return strings.TrimSpace(string(out)), err
}

func mustSQL(t *testing.T, engine, where, sql string) string {
	t.Helper()
	out, err := sqlOf(engine, where, sql)
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return out
}

// wantIndex sees whether an index is there, valid and enforcing, or not at all.
func wantIndex(t *testing.T, engine, where string, want bool) {
	t.Helper()
	sql := "SELECT count(*) FROM sqlite_schema WHERE type = 'index' AND name = 'tickets_k_key';"
	if engine == "postgres" {
		sql = "SELECT coalesce(bool_and(indisvalid AND indisready)::int, 0) + 10 * coalesce(bool_or(NOT indisvalid)::int, 0) FROM pg_index WHERE indexrelid = to_regclass('tickets_k_key');"
	}
	if got := mustSQL(t, engine, where, sql); got != map[bool]string{true: "1", false: "0"}[want] {
		t.Fatalf("the index is there: %s, want %t", got, want)
	}
}
