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

// d1Children refer to tickets in every way that there is, with values that a
// client could damage among them.
const d1Children = `
CREATE TABLE scans (id INTEGER PRIMARY KEY, ticket_id INTEGER REFERENCES tickets (id) ON DELETE CASCADE, note);
CREATE TABLE tags (ticket_id INTEGER REFERENCES tickets (id), tag TEXT, n INT, PRIMARY KEY (ticket_id, tag)) WITHOUT ROWID;
CREATE TABLE sessions (id TEXT PRIMARY KEY, ticket_id INTEGER NOT NULL REFERENCES tickets (id));
CREATE TABLE notes (id INTEGER PRIMARY KEY, ticket_id INTEGER REFERENCES tickets (id) ON DELETE SET NULL);
CREATE TABLE comments (kind TEXT, subject_id);`

const d1Referring = `
INSERT INTO tickets (id, payment, note) VALUES (1, 'a', NULL), (2, 'a', 'COMMIT'), (3, 'a', 'begin transaction'), (4, 'b', 'x'), (5, 'b', 'x'), (6, 'c', NULL);
INSERT INTO scans VALUES (1, 1, 'COMMIT; begin transaction'), (2, 2, 'COMMIT; begin transaction' || char(13) || char(10) || '--'), (3, 3, x'00ff'), (4, 5, 9e999), (5, NULL, 0.1), (6, 6, 1);
INSERT INTO tags VALUES (1, 'x', 1), (2, 'x', 2), (3, 'x', 4), (3, 'rollback', 8), (5, 'y', 16);
INSERT INTO sessions VALUES ('s1', 1), ('s2', 2); INSERT INTO notes VALUES (1, 3), (2, 4);
INSERT INTO comments VALUES ('ticket', '2'), ('ticket', 3), ('order', 3);`

// TestWranglerFollowsReferences runs a clean-up of rows that others refer to.
func TestWranglerFollowsReferences(t *testing.T) {
	d1 := newD1(t, "CREATE TABLE tickets (id INTEGER PRIMARY KEY, payment TEXT, note TEXT);"+d1Children)
	shell(t, d1.file, d1Referring)
	request := source.Request{Table: "tickets", Key: []string{"payment"}, References: []source.Declared{{Table: "comments", Columns: []string{"subject_id"}, Where: "kind = 'ticket'"}}}
	s := scanned(t, "d1", d1.file, plan.Options{Rules: map[string]plan.Rules{"tickets": {
		Differing: plan.Merge, Merge: []plan.ColumnRule{{Column: "note", Rule: "concat"}},
		References: []plan.ReferenceRule{
			{Table: "tags", Columns: []string{"ticket_id"}, OnConflict: plan.Merge, Merge: []plan.ColumnRule{{Column: "n", Rule: "sum"}}},
			{Table: "sessions", Columns: []string{"ticket_id"}, Action: plan.DeleteRow}, {Table: "notes", Columns: []string{"ticket_id"}, Action: plan.SetNull},
			{Table: "comments", Columns: []string{"subject_id"}, Where: "kind = 'ticket'"}}}}}, request)
	if table := s.plan.Tables[0]; len(table.Groups) != 2 || len(table.Held) > 0 {
		t.Fatalf("%+v", table)
	}
	for _, f := range s.plan.Files {
		if strings.HasSuffix(f.Path, ".sql") {
			wantFitForD1(t, f.Path, s.file(f.Path))
		}
	}
	all := func() string {
		return shell(t, d1.file, "SELECT id, quote(payment), quote(note) FROM tickets ORDER BY 1; SELECT id, ticket_id, quote(note) FROM scans ORDER BY 1; SELECT * FROM tags; SELECT * FROM sessions ORDER BY 1; SELECT * FROM notes; SELECT kind, quote(subject_id) FROM comments ORDER BY rowid;")
	}
	before := all()
	if out, err := d1.run("d1", "execute", "shop", "--local", "--yes", "--file="+filepath.Join(s.opened.Dir, "sql/50_verify.sql")); err == nil || !strings.Contains(out, "the clean-up was not made") {
		t.Errorf("verified before the clean-up: %v %s", err, out)
	}
	for range 2 {
		d1.execute(s, "sql/20_clean_and_index.sql")
	}
	d1.execute(s, "sql/50_verify.sql")
	wantOK(t, s.verify())
	const cleaned = "SELECT (SELECT note FROM tickets WHERE id = 1), (SELECT group_concat(id || '>' || ticket_id) FROM scans), (SELECT group_concat(ticket_id || tag || n) FROM tags), (SELECT group_concat(id) FROM sessions), (SELECT count(ticket_id) FROM notes), (SELECT group_concat(quote(subject_id)) FROM comments);"
	if diff := cmp.Diff("COMMIT, begin transaction|1>1,2>1,3>1,4>4,6>6|1rollback8,1x7,4y16|s1|1|'1',1,3\n", shell(t, d1.file, cleaned)); diff != "" {
		t.Error(diff)
	}
	for range 2 {
		d1.execute(s, "sql/20_clean_and_index_undo.sql")
	}
	if diff := cmp.Diff(before, all()); diff != "" {
		t.Error(diff)
	}
	// A reference that came since: wrangler stops, and nothing is changed.
	shell(t, d1.file, "INSERT INTO scans VALUES (7, 5, NULL);")
	before = all()
	if out, err := d1.run("d1", "execute", "shop", "--local", "--yes", "--file="+filepath.Join(s.opened.Dir, "sql/20_clean_and_index.sql")); err == nil || !strings.Contains(out, "not as was foretold") {
		t.Errorf("the file ran over a late reference: %v %s", err, out)
	}
	if diff := cmp.Diff(before, all()); diff != "" {
		t.Error(diff)
	}
}
