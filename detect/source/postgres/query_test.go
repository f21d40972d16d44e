package postgres

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"twinrow/detect/key"
	"twinrow/detect/source"
	"twinrow/detect/source/sourcetest/pgserver"
)

func TestQuerySeesWhatIsCommittedNow(t *testing.T) {
	t.Parallel()
	database := pgserver.Database(t)
	run(t, database, "CREATE TABLE calls (id int, print text, at timestamptz)")
	s := open(t, database, Options{})
	ask := func(sql string, args ...string) ([][]source.Value, error) {
		return s.Query(context.Background(), sql, args)
	}
	for i, want := range []string{"0", "1", "2"} {
		got, err := ask("SELECT count(*) FROM calls WHERE print = $1", "it's")
		if err != nil || got[0][0].Text != want {
			t.Errorf("question %d: %v, %v, want %s", i, got, err, want)
		}
		run(t, database, "INSERT INTO calls VALUES (1, 'it''s', '2025-12-24 01:00+01')")
	}
	got, err := ask("SELECT id = $1, at, NULL, $2::text, 1.50, '\\xff'::bytea FROM calls LIMIT 1", "1", "ä")
	want := [][]source.Value{{{Text: "t"}, {Text: "2025-12-24 00:00:00+00"}, {Null: true}, {Text: "ä"}, {Text: "1.50"}, {Text: `\xff`}}}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Error(diff, err)
	}
	for sql, words := range map[string][]string{
		"SELECT * FROM clls":          {"clls"},
		"SELECT 1; DELETE FROM calls": {"multiple commands"},
		"DELETE FROM calls":           {"only reads"},
		"SELECT nextval('nothing')":   {"nothing"},
		"COMMIT":                      nil,
		"SELECT $1":                   {"an argument for each"},
		"":                            nil,
	} {
		_, err := ask(sql)
		if sql == "" || sql == "COMMIT" {
			continue // harmless, whatever the server says
		}
		problem(t, err, key.CodeUsage, words...)
	}
	if got, err := ask("DELETE FROM calls"); err == nil {
		t.Errorf("after COMMIT the session writes: %v", got)
	}
	if got, err := ask("SELECT count(*) FROM calls"); err != nil || got[0][0].Text != "3" {
		t.Errorf("%v, %v", got, err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if _, err := s.Query(ctx, "SELECT pg_sleep(20)", nil); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
	if n := backends(t, database, "state = 'active'"); n != "0" {
		t.Errorf("%s statements still run", n)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	noneLeft(t, database)
}

func TestRowsPrintAsPsqlPrintsThem(t *testing.T) {
	t.Parallel()
	database := serverDatabase(t)
	run(t, database, `CREATE TABLE v (id int PRIMARY KEY, k int, b bool, c char(4), f float8, r bytea, s timestamptz, i interval, n numeric, a text[], x text);
		INSERT INTO v SELECT i, 1, true, 'ab', 0.1, '\x00ff', '2025-12-24 03:20:37.914+00', '1 day 02:00', 1.50, '{a,NULL}', NULL FROM generate_series(1, 2) i`)
	s := open(t, database, Options{})
	table := inspect(t, s, source.Request{Table: "v", Key: []string{"k", "upper(c)"}, Time: "s"})
	locators, _ := clusters(t, s, table)
	var rows []source.Row
	if err := s.Fetch(t.Context(), table, locators, func(row source.Row) error { rows = append(rows, row); return nil }); err != nil {
		t.Fatal(err)
	}
	image := run(t, database, `SET timezone = 'UTC'; SET datestyle = 'ISO'; SET bytea_output = 'hex'; SET intervalstyle = 'postgres'; SET extra_float_digits = 1;
		SELECT 'sha256:' || encode(sha256(convert_to(v::text, 'UTF8')), 'hex') FROM v WHERE id = 1`)[0]
	want := source.Row{Group: 0, Locator: 1, ID: texts("1"), Key: texts("1", "AB"), Image: image,
		Values: append(texts("1", "1", "t", "ab  ", "0.1", `\x00ff`, "2025-12-24 03:20:37.914+00", "1 day 02:00:00", "1.50", "{a,NULL}"), source.Value{Null: true})}
	if len(rows) != 2 {
		t.Fatalf("%d rows", len(rows))
	}
	if diff := cmp.Diff(want, rows[0]); diff != "" {
		t.Error(diff)
	}
	if _, err := source.ParseInstant(rows[0].Values[6].Text); err != nil {
		t.Error(err)
	}
}

func texts(all ...string) []source.Value {
	var out []source.Value
	for _, text := range all {
		out = append(out, source.Value{Text: text})
	}
	return out
}

func TestLocationsHoldNoPassword(t *testing.T) {
	t.Setenv("PGPASSWORD", "s3cret")
	for dsn, want := range map[string]string{
		"postgres://u:s3cret@db.example.com/shop?sslmode=disable":                          "postgres://u@db.example.com:5432/shop?sslmode=disable",
		"postgresql://u@db.example.com:6543/a%20b?sslmode=disable&password=s3cret":         "postgres://u@db.example.com:6543/a%20b?sslmode=disable",
		"host=/run/pg user=u dbname=shop password='s3cret'":                                "postgres://u@/shop?host=%2Frun%2Fpg&port=5432",
		"host=db.example.com user='o''x' dbname=shop sslmode='disable' password=s3cret":    "",
		"host=a.example.com,b.example.com port=1,2 user=u dbname=shop sslmode = disable":   "postgres://u@/shop?host=a.example.com%2Cb.example.com&port=1%2C2&sslmode=disable",
		"postgres://u:s3cret@[::1]:5433/shop?sslmode=disable&options=-c%20search_path%3Dx": "postgres://u@[::1]:5433/shop?options=-c+search_path%3Dx&sslmode=disable",
	} {
		config, err := parse(dsn)
		if err != nil {
			if want != "" {
				t.Errorf("%s: %v", dsn, err)
			}
			continue
		}
		got := location(dsn, config)
		if got != want {
			t.Errorf("%s\n is at %s\n    want %s", dsn, got, want)
		}
		again, err := parse(got)
		if err != nil || again.Host != config.Host || again.Port != config.Port || again.User != config.User || again.Database != config.Database {
			t.Errorf("%s does not lead back: %v", got, err)
		}
	}
}

func FuzzSplitName(f *testing.F) {
	for _, seed := range []string{"a", "a.b", `"a.b".c`, `"a""b"`, `"`, `""`, "a..b", "", `a"b`, `"a"b`, "ä.ö"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		parts, ok := splitName(text)
		if !ok {
			return
		}
		var again strings.Builder
		for i, p := range parts {
			if p.text == "" {
				t.Fatalf("%q has an empty part", text)
			}
			if i > 0 {
				again.WriteByte('.')
			}
			if p.quoted {
				again.WriteString(`"` + strings.ReplaceAll(p.text, `"`, `""`) + `"`)
			} else {
				again.WriteString(p.text)
			}
		}
		if again.String() != text {
			t.Fatalf("%q came back as %q", text, again.String())
		}
	})
}

func FuzzPlain(f *testing.F) {
	for _, seed := range []string{"lower(a)", "((a) + (b))", "(a) + (b)", "((", "))", "", "( x )", "'('"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, sql string) {
		if once := plain(sql); plain("("+sql+")") != once && strings.Count(sql, "(") == strings.Count(sql, ")") && closes("("+sql+")") == len(sql)+1 {
			t.Fatalf("%q in parentheses is another: %q", sql, plain("("+sql+")"))
		}
	})
}

func FuzzUnpack(f *testing.F) {
	f.Add([]byte("12345678123456"), int64(7))
	f.Add([]byte{}, int64(0))
	f.Add([]byte("1234567123456"), int64(0))
	f.Fuzz(func(t *testing.T, packed []byte, base int64) {
		var l load
		err := l.unpack([][]byte{[]byte("\x00\x00\x00\x00\x00\x00\x00\x00"), packed}, base&0xffff)
		if (err == nil) != (len(packed)%8 == 0) || err == nil && len(l.prints) != len(packed)/8 {
			t.Fatalf("%d prints of %d bytes of hashes: %v", len(l.prints), len(packed), err)
		}
		prints, err := unpack(nil, packed, base&0xffff)
		if (err == nil) != (len(packed)%printSize == 0) || err == nil && len(prints) != len(packed)/printSize {
			t.Fatalf("%d prints of %d bytes: %v", len(prints), len(packed), err)
		}
	})
}
