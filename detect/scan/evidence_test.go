package scan

import (
	"context"
	"fmt"
	"hash/maphash"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"twinrow/detect/casefile"
	"twinrow/detect/classify"
	"twinrow/detect/source"
	"twinrow/detect/source/postgres"
	"twinrow/detect/source/sourcetest/pgserver"
	"twinrow/detect/source/sqlite"
)

func scanned(t *testing.T, src source.Source, req source.Request, opts Options) *Result {
	t.Helper()
	t.Cleanup(func() { _ = src.Close() })
	opts.Windows = classify.DefaultWindows
	result, err := Run(t.Context(), src, []Entry{{Request: req}}, opts)
	if err != nil {
		t.Fatal(err)
	}
	return result
}

func loaded(t *testing.T, sql string) string {
	t.Helper()
	url := pgserver.Database(t)
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background())
	if _, err := conn.Exec(t.Context(), sql); err != nil {
		t.Fatal(err)
	}
	return url
}

func TestWhatARoleMayNotSeeIsSaid(t *testing.T) {
	url := loaded(t, `CREATE TABLE t (id int PRIMARY KEY, k text, at timestamptz DEFAULT now());
		CREATE TABLE secret (t int REFERENCES t); INSERT INTO t VALUES (1, 'a'), (2, 'a'); INSERT INTO secret VALUES (2);
		DROP ROLE IF EXISTS looker; CREATE ROLE looker LOGIN; GRANT SELECT ON t TO looker`)
	src, err := postgres.Open(t.Context(), url+"&user=looker", postgres.Options{})
	if err != nil {
		t.Fatal(err)
	}
	table := scanned(t, src, source.Request{Table: "t", Key: []string{"k"}, Time: "at"}, Options{}).Tables[0]
	if table.Impact.Referred != nil || len(table.Impact.Unknown) != 1 || !strings.Contains(table.Impact.Unknown[0], "which surplus rows public.secret refers to") {
		t.Errorf("impact %+v", table.Impact)
	}
	if table.Incident == nil || table.KeyLab == nil || !table.KeyLab.Exact {
		t.Errorf("the rest is missing: %+v, %+v", table.Incident, table.KeyLab)
	}
}

func TestTheDatabasesOwnEqualityDecidesWhatDiffers(t *testing.T) {
	url := loaded(t, `CREATE TABLE t (id int PRIMARY KEY, k text, n numeric, doc jsonb);
		INSERT INTO t VALUES (1, 'a', 1.0, '{"x":1,"y":2}'), (2, 'a', 1.00, '{"y":2,"x":1}'), (3, 'a', 1, '{"y":2,"x":3}')`)
	src, err := postgres.Open(t.Context(), url, postgres.Options{})
	if err != nil {
		t.Fatal(err)
	}
	g := scanned(t, src, source.Request{Table: "t", Key: []string{"k"}}, Options{}).Groups[0]
	want := []casefile.Difference{{
		Column: "doc", Path: "$.x", Kind: "number", Says: "by 2", Values: []casefile.Variant{{Value: new("1"), Rows: 2}, {Value: new("3"), Rows: 1}},
	}}
	if diff := cmp.Diff(want, g.Differences); diff != "" || g.Identical || g.Class != casefile.UntimedClass {
		t.Errorf("class %s, differences (-want +got):\n%s", g.Class, diff)
	}
}

func TestKeyLab(t *testing.T) {
	url := loaded(t, `CREATE TABLE t (id int PRIMARY KEY, a text, b text);
		INSERT INTO t VALUES (1, 'x', '1'), (2, 'X', '1'), (3, ' x', '1'), (4, 'x', '1'), (5, 'y', NULL), (6, 'y', NULL), (7, 'z', '2'), (8, 'w', '2')`)
	src, err := postgres.Open(t.Context(), url, postgres.Options{})
	if err != nil {
		t.Fatal(err)
	}
	lab := scanned(t, src, source.Request{Table: "t", Key: []string{"a", "b"}}, Options{}).Tables[0].KeyLab
	got := map[string]string{}
	for _, trial := range lab.Trials {
		got[trial.Variant+" "+strings.Join(trial.Key, ",")] = fmt.Sprint(trial.Groups, "+", trial.Surplus)
	}
	want := map[string]string{
		"as-given a,b": "1+1", "nulls-equal a,b": "2+2", "case-folded a,b": "1+2", "trimmed a,b": "1+2", "folded-and-trimmed a,b": "1+3",
		"subset a": "2+2", "subset b": "2+4",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestKeyLabIsBounded(t *testing.T) {
	l := &laboratory{trials: trials(1), seed: maphash.MakeSeed(), share: 8}
	const keys = 40000
	for i := range keys {
		part := source.Value{Text: fmt.Sprint(i)}
		l.add([]source.Value{part})
		if i%4 == 0 {
			l.add([]source.Value{part})
		}
	}
	if kept := len(l.trials[0].hashes); kept > keys*5/4/8*11/10 {
		t.Errorf("%d fingerprints were kept of an eighth", kept)
	}
	trial := l.trials[0].count([]string{"k"}, 8)
	if trial.Groups < keys/4*9/10 || trial.Groups > keys/4*11/10 {
		t.Errorf("about %d groups, in truth %d", trial.Groups, keys/4)
	}
	if n := len(trials(9)); n != 5+9 {
		t.Errorf("a key of nine parts makes %d trials", n)
	}
}

func TestKeyLabStaysAwayFromLargeTablesUnasked(t *testing.T) {
	e := &engine{src: &sqlite.Source{}, opts: Options{}, count: source.Count{Rows: labRows + 1}}
	lab, err := e.keyLab(t.Context(), nil)
	if err != nil || len(lab.Trials) != 0 || !strings.Contains(lab.Says[0], "--key-lab") {
		t.Errorf("got %+v, %v", lab, err)
	}
}

func TestAScanOfSQLiteTellsAsMuch(t *testing.T) {
	path := filepath.Join(t.TempDir(), "shop.db")
	makeShop(t, path)
	src, err := sqlite.Open(t.Context(), path, sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	result := scanned(t, src, source.Request{Table: "tickets", Key: []string{"k"}, Time: "at", Amount: "amount"}, Options{})
	table := result.Tables[0]
	if *table.Impact.Amount != "0.30" || *table.Impact.Referred != 1 || table.Impact.Used != 2 {
		t.Errorf("impact %+v", table.Impact)
	}
	if diff := cmp.Diff([]string{"used_at is set"}, result.Groups[1].Rows[1].UsedSince); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if table.Incident.State != "cannot-tell" || *table.Incident.RowsSince != 0 {
		t.Errorf("incident %+v", table.Incident)
	}
}
