//go:build migrations

package apply

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"twinrow/detect/source"
	"twinrow/remediate/dialect"
	"twinrow/remediate/plan"

	"github.com/google/go-cmp/cmp"
)

// d1Project is a folder that wrangler works in, with a local D1.
type d1Project struct {
	t    *testing.T
	dir  string
	file string
}

const wranglerConfig = `name = "shop"
compatibility_date = "2024-01-01"
[[d1_databases]]
binding = "DB"
database_name = "shop"
database_id = "00000000-0000-0000-0000-000000000001"
migrations_dir = "migrations"
`

func newD1(t *testing.T, tables string) *d1Project {
	t.Helper()
	p := &d1Project{t: t, dir: t.TempDir()}
	p.write("wrangler.toml", wranglerConfig)
	p.write("migrations/0008_tables.sql", tables)
	p.must("d1", "migrations", "apply", "shop", "--local")
	files, err := filepath.Glob(filepath.Join(p.dir, ".wrangler/state/v3/d1/miniflare-D1DatabaseObject/*.sqlite"))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if filepath.Base(f) != "metadata.sqlite" {
			p.file = f
		}
	}
	if p.file == "" {
		t.Fatalf("no local database among %v", files)
	}
	return p
}

func (p *d1Project) write(name, content string) {
	p.t.Helper()
	path := filepath.Join(p.dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		p.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		p.t.Fatal(err)
	}
}

func (p *d1Project) run(args ...string) (string, error) {
	cmd := exec.Command(filepath.Join(os.Getenv("TWINROW_TOOLS"), "node_modules/.bin/wrangler"), args...)
	cmd.Dir = p.dir
	cmd.Env = append(os.Environ(), "CI=1", "WRANGLER_SEND_METRICS=false", "WRANGLER_LOG_PATH="+filepath.Join(p.dir, "log"))
	out, err := cmd.CombinedOutput()
	return string(out), err
}

func (p *d1Project) must(args ...string) string {
	p.t.Helper()
	out, err := p.run(args...)
	if err != nil {
		p.t.Fatalf("wrangler %v: %v\n%s", args, err, out)
	}
	return out
}

// execute runs a file of the case as the file itself says.
func (p *d1Project) execute(s *story, name string) {
	p.t.Helper()
	p.must("d1", "execute", "shop", "--local", "--yes", "--file="+filepath.Join(s.opened.Dir, name))
}

// d1Hostile are values that a client or a limit could damage.
const d1Hostile = `
INSERT INTO tickets (payment) VALUES ('BEGIN TRANSACTION'), ('BEGIN TRANSACTION'), ('BEGIN TRANSACTION');
UPDATE tickets SET note = 'COMMIT; begin transaction; ''COMMIT'' ROLLBACK SavePoint release' || char(13) || char(10) || '-- it''s' || char(9) || '/* ', extra = x'00ff';
INSERT INTO tickets (payment, note, extra) SELECT 'long', replace(printf('%.60000c', 'c'), 'c', 'COMMIT;'), v FROM (SELECT 9e999 AS v UNION ALL SELECT 9e999);
INSERT INTO tickets (payment, note, extra) SELECT 'odd', 'ü👍' || char(0x2028) || 'x', 0.1 + 0.2 FROM (SELECT 1 UNION ALL SELECT 2);
INSERT INTO tickets (payment, note, extra) VALUES ('alone', 'COMMIT', 1);
INSERT INTO scans VALUES (1, 1);`

// TestWranglerCleans runs what is generated for D1 by wrangler on a local D1:
// values come out exact, whatever words they hold, and nothing is left behind.
func TestWranglerCleans(t *testing.T) {
	d1 := newD1(t, `CREATE TABLE tickets (id INTEGER PRIMARY KEY, payment TEXT, note TEXT, extra);
CREATE TABLE scans (id INTEGER PRIMARY KEY, ticket_id INTEGER REFERENCES tickets (id));`)
	shell(t, d1.file, d1Hostile)
	s := scanned(t, "d1", d1.file, plan.Options{}, source.Request{Table: "tickets", Key: []string{"payment"}})
	if s.plan.Engine != "d1" || len(s.plan.Tables[0].Groups) != 3 {
		t.Fatalf("%s, %+v", s.plan.Engine, s.plan.Tables[0].Groups)
	}
	for _, f := range s.plan.Files {
		if strings.HasSuffix(f.Path, ".sql") {
			wantFitForD1(t, f.Path, s.file(f.Path))
		}
	}
	files, err := dialect.Files(s.opened, s.plan, dialect.Options{Migrations: "wrangler", MigrationsDir: filepath.Join(d1.dir, "migrations")})
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if filepath.IsAbs(f.Path) {
			d1.write(filepath.Join("migrations", filepath.Base(f.Path)), string(f.Content))
		}
	}
	before := rowsOf(t, d1.file)
	if out, err := d1.run("d1", "migrations", "apply", "shop", "--local"); err == nil || !strings.Contains(out, "there are still duplicates") {
		t.Errorf("the migration ran over duplicates: %v %s", err, out)
	}
	if diff := cmp.Diff(before, rowsOf(t, d1.file)); diff != "" {
		t.Fatal(diff)
	}
	d1.execute(s, "sql/20_clean_and_index.sql")
	d1.execute(s, "sql/50_verify.sql")
	wantOK(t, s.verify())
	if left := shell(t, d1.file, "SELECT group_concat(id) FROM (SELECT id FROM tickets ORDER BY id);"); strings.TrimSpace(left) != "1,4,6,8" {
		t.Errorf("left are %s", left)
	}
	d1.must("d1", "migrations", "apply", "shop", "--local") // it finds the index that is there
	if out, err := d1.run("d1", "execute", "shop", "--local", "--yes", "--command", "INSERT INTO tickets (payment) VALUES ('odd')"); err == nil || !strings.Contains(out, "UNIQUE") {
		t.Errorf("the index refuses nothing: %v %s", err, out)
	}
	d1.execute(s, "sql/20_clean_and_index_undo.sql")
	if diff := cmp.Diff(before, rowsOf(t, d1.file)); diff != "" {
		t.Error(diff)
	}
	// A row that was changed since: wrangler stops, and nothing is changed.
	shell(t, d1.file, "UPDATE tickets SET note = note || '.' WHERE id = 7;")
	before = rowsOf(t, d1.file)
	if out, err := d1.run("d1", "execute", "shop", "--local", "--yes", "--file="+filepath.Join(s.opened.Dir, "sql/20_clean_and_index.sql")); err == nil || !strings.Contains(out, "no longer as the evidence has it") {
		t.Errorf("the file ran over drift: %v %s", err, out)
	}
	if diff := cmp.Diff(before, rowsOf(t, d1.file)); diff != "" {
		t.Error(diff)
	}
}

// rowsOf is every row of the shop's own tables, exact.
func rowsOf(t *testing.T, file string) string {
	t.Helper()
	return shell(t, file, "SELECT id, quote(payment), quote(note), quote(extra), typeof(extra) FROM tickets ORDER BY id; SELECT * FROM scans;")
}

var transactionWord = regexp.MustCompile(`(?i)\b(begin|commit|rollback|savepoint|transaction)\b`)

// wantFitForD1 sees that no statement is over D1's limit of 100 kB and that no
// word of a transaction stands anywhere, in a literal neither.
func wantFitForD1(t *testing.T, name, sql string) {
	t.Helper()
	if word := transactionWord.FindString(sql); word != "" {
		t.Errorf("%s holds the word %s", name, word)
	}
	for _, statement := range strings.Split(sql, ";\n") {
		if len(statement) > 100_000 {
			t.Errorf("%s holds a statement of %d bytes", name, len(statement))
		}
	}
	if !strings.HasSuffix(strings.TrimSpace(sql), ";") {
		t.Errorf("%s does not end in a semicolon", name)
	}
}
