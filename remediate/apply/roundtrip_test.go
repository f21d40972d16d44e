package apply

import (
	"slices"
	"strconv"
	"strings"
	"testing"

	"twinrow/detect/source"
	"twinrow/detect/source/sourcetest/pgserver"
	"twinrow/remediate/plan"

	"github.com/google/go-cmp/cmp"
)

func sortStrings(s []string) { slices.Sort(s) }

// database is one shape of table that a clean-up must give back exactly.
type database struct {
	name, engine, script string
	request              source.Request
	options              plan.Options
	// leaves takes away what triggers wrote and an undo leaves.
	leaves string
}

const postgresTickets = `
CREATE TABLE tickets (id bigint PRIMARY KEY, payment text, number int, email text, created_at timestamptz);
INSERT INTO tickets VALUES (104,'pi_1',1,'a@example.com','2025-12-21 17:48:05'),(105,'pi_1',2,'a@example.com','2025-12-21 17:48:05'),
 (106,'pi_2',1,'b@example.com','2025-12-24 03:20:37.914'),(107,'pi_2',1,'b@example.com','2025-12-24 03:20:37.993'),
 (108,'pi_3',1,'c@example.com','2025-12-25 03:20:37.914'),(109,'pi_3',1,'c@example.com','2025-12-25 03:20:37.993'),(110,'pi_3',1,'c@example.com','2025-12-26 03:20:37.993');`

const sqliteTickets = `
CREATE TABLE tickets (id INTEGER PRIMARY KEY, payment TEXT, number INT, email TEXT, created_at TEXT);
INSERT INTO tickets VALUES (104,'pi_1',1,'a@example.com','2025-12-21 17:48:05'),(105,'pi_1',2,'a@example.com','2025-12-21 17:48:05'),
 (106,'pi_2',1,'b@example.com','2025-12-24 03:20:37.914'),(107,'pi_2',1,'b@example.com','2025-12-24 03:20:37.993'),
 (108,'pi_3',1,'c@example.com','2025-12-25 03:20:37.914'),(109,'pi_3',1,'c@example.com','2025-12-25 03:20:37.993'),(110,'pi_3',1,'c@example.com','2025-12-26 03:20:37.993');`

var ticketsRequest = source.Request{Table: "tickets", Key: []string{"payment", "number"}, Time: "created_at"}

var databases = []database{
	{name: "tickets", engine: "postgres", script: postgresTickets, request: ticketsRequest},
	{name: "types", engine: "postgres", script: `
CREATE SCHEMA "my Shop";
CREATE TYPE mood AS ENUM ('sad', 'glad');
CREATE TYPE pair AS (a int, b text);
CREATE DOMAIN small AS int CHECK (value < 10);
CREATE TABLE "my Shop"."It's 100% ""odd""" ("Id" bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, k text, "select" float8, f4 float4, n numeric, j json, jb jsonb, b bytea,
  a int[], aa text[][], m mood, p pair, ps pair[], d small, iv interval, ts timestamp, tz timestamptz, dt date, u uuid, net inet, r int4range, bits bit(3), c char(5), mon money, x xml,
  twice text GENERATED ALWAYS AS (k || k) STORED, bool boolean, nothing text);
INSERT INTO "my Shop"."It's 100% ""odd""" (k, "select", f4, n, j, jb, b, a, aa, m, p, ps, d, iv, ts, tz, dt, u, net, r, bits, c, mon, x, bool)
SELECT 'k' || (g % 3), (ARRAY['-0'::float8,'NaN','infinity','-infinity',0.1::float8+0.2::float8,1e-300])[1 + g % 6], '-0', (ARRAY[1.0,1.00,'NaN',-0.000])[1 + g % 4], '{"a":1,"a":2, "b" : -0}', '{"x":null}', '\x00ff27',
  '{1,NULL,3}', '[0:1][2:3]={{a,"b,"},{NULL,"N\"ULL"}}', 'glad', '(1,"x,""y")', ARRAY['(1,)'::pair, '(,"")'::pair], 3, '1 mon -2 days 03:04:05.6', 'infinity', '2025-12-24 03:20:37.914123+01', '-infinity', '00000000-0000-0000-0000-000000000001', '10.0.0.1/8', '[1,5)', B'101', 'ab', '12.34', '<a>&amp;</a>', g % 2 = 0
FROM generate_series(0, 5) AS g;`,
		request: source.Request{Table: `"my Shop"."It's 100% ""odd"""`, Key: []string{"k"}}, options: plan.Options{Differing: plan.KeepSurvivor, Keep: "last"}},
	{name: "no primary key", engine: "postgres", script: `
CREATE TABLE logs (k text, at timestamptz, note text); INSERT INTO logs VALUES ('a','2025-01-01','x'),('a','2025-01-01','x'),('b','2025-01-01','y'),('a','2025-01-01','x');`,
		request: source.Request{Table: "logs", Key: []string{"k"}}},
	{name: "partitions", engine: "postgres", script: `
CREATE TABLE ev (id int, day date, k text, PRIMARY KEY (id, day)) PARTITION BY RANGE (day);
CREATE TABLE ev1 PARTITION OF ev FOR VALUES FROM ('2025-01-01') TO ('2025-02-01');
CREATE TABLE ev2 PARTITION OF ev FOR VALUES FROM ('2025-02-01') TO ('2025-03-01');
INSERT INTO ev VALUES (1,'2025-01-05','a'),(2,'2025-01-05','a'),(3,'2025-02-05','a'),(4,'2025-02-05','a'),(5,'2025-02-06','a');`,
		request: source.Request{Table: "ev", Key: []string{"day", "k"}}},
	{name: "partitions without a key", engine: "postgres", script: `
CREATE TABLE ev (day date, k text) PARTITION BY RANGE (day);
CREATE TABLE ev1 PARTITION OF ev FOR VALUES FROM ('2025-01-01') TO ('2025-02-01');
CREATE TABLE ev2 PARTITION OF ev FOR VALUES FROM ('2025-02-01') TO ('2025-03-01');
INSERT INTO ev VALUES ('2025-01-05','a'),('2025-01-05','a'),('2025-02-05','a'),('2025-02-05','a'),('2025-02-06','a');`,
		request: source.Request{Table: "ev", Key: []string{"day", "k"}}},
	{name: "expression, predicate, nulls", engine: "postgres", script: `
CREATE TABLE u (id int PRIMARY KEY, email text, tenant int, gone boolean);
INSERT INTO u VALUES (1,'A@example.com',NULL,false),(2,'a@example.com',NULL,false),(3,'a@example.com',NULL,true),(4,'b@example.com',1,false);`,
		request: source.Request{Table: "u", Key: []string{"lower(email)", "tenant"}, Where: "NOT gone -- living", NullsEqual: true}, options: plan.Options{Differing: plan.KeepSurvivor}},
	{name: "children elsewhere and an audit trigger", engine: "postgres", script: postgresTickets + `
CREATE TABLE scans (id int PRIMARY KEY, ticket_id bigint REFERENCES tickets ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED, parent bigint REFERENCES tickets);
INSERT INTO scans VALUES (1, 106, 108);`, request: ticketsRequest},
	{name: "a constraint", engine: "postgres", script: postgresTickets, request: ticketsRequest, options: plan.Options{Rules: map[string]plan.Rules{"tickets": {Index: plan.IndexRule{Name: "One ticket", Constraint: true}}}}},
	{name: "an index replaced", engine: "postgres", script: postgresTickets + `CREATE INDEX "old idx" ON tickets USING btree (payment DESC, lower(email)) WITH (fillfactor='70') WHERE number > 0;`, request: ticketsRequest,
		options: plan.Options{Rules: map[string]plan.Rules{"tickets": {Index: plan.IndexRule{Constraint: true, Replaces: "old idx"}}}}},
	{name: "another order and predicate", engine: "postgres", script: postgresTickets, request: source.Request{Table: "tickets", Key: []string{"payment", "number"}, Where: "number > 0", Time: "created_at"},
		options: plan.Options{Rules: map[string]plan.Rules{"tickets": {Index: plan.IndexRule{Columns: []string{"number", "payment"}, Where: "number >= 1"}}}}},
	{name: "only the index", engine: "postgres", script: `CREATE TABLE t (id int PRIMARY KEY, a int); INSERT INTO t VALUES (1,1),(2,2);`, request: source.Request{Table: "t", Key: []string{"a"}}},

	{name: "tickets", engine: "sqlite", script: sqliteTickets, request: ticketsRequest},
	{name: "types", engine: "sqlite", script: `
CREATE TABLE "It's ""odd""" (k TEXT, i INT, r REAL, b BLOB, n NUMERIC, whatever, twinrow_entry TEXT, g TEXT GENERATED ALWAYS AS (k || 'x') VIRTUAL, s TEXT AS (k || 'y') STORED);
INSERT INTO "It's ""odd""" (k, i, r, b, n, whatever, twinrow_entry) VALUES
 ('a','not a number',-0.0,x'00ff','12',5,'COMMIT; BEGIN TRANSACTION;'),('a','not a number',9e999,'text in a blob',12.5,'5','x'),('a',9223372036854775807,-9e999,NULL,1e300,x'35','y'),
 ('b',1,0.1+0.2,zeroblob(3),'1e3',char(97,0,98),'it''s, "so"'),('b',2,1.0/3,'',NULL,5.0,NULL),('c',3,1,2,3,4,5);
DELETE FROM "It's ""odd""" WHERE k = 'c'; INSERT INTO "It's ""odd""" (rowid, k) VALUES (1000, 'd');`,
		request: source.Request{Table: `It's "odd"`, Key: []string{"k"}}, options: plan.Options{Differing: plan.KeepSurvivor, Keep: "last"}},
	{name: "no primary key", engine: "sqlite", script: `CREATE TABLE logs (k, note TEXT); INSERT INTO logs VALUES ('a','x'),('b','y'),('a','x'),('a','x'),('c','z'); DELETE FROM logs WHERE k = 'b';`,
		request: source.Request{Table: "logs", Key: []string{"k"}}},
	{name: "text primary key", engine: "sqlite", script: `CREATE TABLE docs (id TEXT PRIMARY KEY, k TEXT, body TEXT); INSERT INTO docs VALUES ('z','a','1'),('5','a','1'),('m','b','2'),('a','a','1');`,
		request: source.Request{Table: "docs", Key: []string{"k"}}},
	{name: "without rowid", engine: "sqlite", script: `CREATE TABLE wr (a INT, b TEXT COLLATE NOCASE, k TEXT, PRIMARY KEY (b, a)) WITHOUT ROWID; INSERT INTO wr VALUES (1,'x','k'),(2,'X','k'),(1,'y','k'),(3,'z','j');`,
		request: source.Request{Table: "wr", Key: []string{"k"}}},
	{name: "columns called rowid", engine: "sqlite", script: `CREATE TABLE rr (rowid TEXT, oid TEXT, k TEXT); INSERT INTO rr VALUES ('x','y','k'),('x','y','k'),('p','q','j');`,
		request: source.Request{Table: "rr", Key: []string{"k"}}},
	{name: "autoincrement, expression and predicate", engine: "sqlite", script: `CREATE TABLE u (id INTEGER PRIMARY KEY AUTOINCREMENT, email TEXT, gone INT); INSERT INTO u(email,gone) VALUES ('A@example.com',0),('a@example.com',0),('a@example.com',1),(NULL,0),(NULL,0);`,
		request: source.Request{Table: "u", Key: []string{"lower(email)"}, Where: "NOT gone -- living"}, options: plan.Options{Differing: plan.KeepSurvivor}},
	{name: "children elsewhere", engine: "sqlite", script: sqliteTickets + `
CREATE TABLE scans (id INTEGER PRIMARY KEY, ticket_id REFERENCES tickets ON DELETE CASCADE); INSERT INTO scans VALUES (1,106),(2,NULL);`, request: ticketsRequest},
	{name: "tickets", engine: "d1", script: sqliteTickets + `CREATE TABLE d1_migrations (id); CREATE TABLE scans (id INTEGER PRIMARY KEY, ticket_id INTEGER REFERENCES tickets(id)); INSERT INTO scans VALUES (1,106);
UPDATE tickets SET email = 'COMMIT; begin transaction' WHERE id IN (106, 107);`, request: ticketsRequest},
	{name: "another order and predicate", engine: "sqlite", script: sqliteTickets, request: source.Request{Table: "tickets", Key: []string{"payment", "number"}, Where: "number > 0", Time: "created_at"},
		options: plan.Options{Rules: map[string]plan.Rules{"tickets": {Index: plan.IndexRule{Columns: []string{"number", "payment"}, Where: "number >= 1"}}}}},
	{name: "only the index", engine: "sqlite", script: `CREATE TABLE t (id INTEGER PRIMARY KEY, a); INSERT INTO t VALUES (1,1),(2,2);`, request: source.Request{Table: "t", Key: []string{"a"}}},
}

func (d database) make(t testing.TB) *story {
	t.Helper()
	if d.engine == "postgres" {
		url := pgserver.Database(t)
		psql(t, url, d.script)
		if d.request.NullsEqual && major(t, url) < 15 {
			// No index takes NULLs as equal there, but an expression does.
			d.request.NullsEqual = false
			d.request.Key = []string{"lower(email)", "coalesce(tenant, 0)"}
		}
		return scanned(t, d.engine, url, d.options, d.request)
	}
	return scanned(t, d.engine, sqliteFile(t, d.script), d.options, d.request)
}

// dropKept drops what a clean-up keeps rows in.
func (s *story) dropKept() string {
	names := shell(s.t, s.where, "SELECT 'DROP TABLE \"' || name || '\";' FROM sqlite_schema WHERE type = 'table' AND name LIKE 'twinrow%';")
	return names
}

// major is a server's major version.
func major(t testing.TB, url string) int {
	t.Helper()
	n, err := strconv.Atoi(strings.TrimSpace(psql(t, url, "SELECT current_setting('server_version_num')::int / 10000")))
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestUndoOfApplyIsExact(t *testing.T) {
	for _, d := range slices.Concat(databases, referring, referringLite) {
		t.Run(d.engine+"/"+d.name, func(t *testing.T) {
			t.Parallel()
			s := d.make(t)
			before, exactly := s.dump(), s.exact()
			if dry, err := s.try(Options{DryRun: true}); err != nil || dry.Already {
				t.Fatalf("dry run: %+v %v", dry, err)
			}
			if diff := cmp.Diff(before, s.dump()); diff != "" {
				t.Fatalf("a dry run changed something: %s", diff)
			}
			for range 2 { // after an undo, apply works again
				result := s.apply()
				if result.Already || result.Tables[0].Rows != s.surplus() || result.Tables[0].Index == "" {
					t.Fatalf("%+v", result)
				}
				wantOK(t, s.verify())
				after := s.dump()
				if after == before {
					t.Fatal("apply changed nothing")
				}
				if again := s.apply(); !again.Already {
					t.Errorf("a second apply did something: %+v", again)
				}
				if back := s.undo(); back.Already || back.Tables[0].Rows != s.surplus() {
					t.Fatalf("%+v", back)
				}
				s.run(d.leaves)
				if diff := cmp.Diff(before, s.dump()); diff != "" {
					t.Fatalf("undo is not exact: %s", diff)
				}
				if again := s.undo(); !again.Already {
					t.Errorf("a second undo did something: %+v", again)
				}
				if report := s.verify(); report.OK() && len(s.plan.Tables[0].Groups) > 0 {
					t.Error("verify holds after an undo")
				}
			}
			if diff := cmp.Diff(exactly, s.exact()); diff != "" {
				t.Fatalf("undo is not exact: %s", diff)
			}
		})
	}
}

func TestFilesByTheEnginesOwnClient(t *testing.T) {
	for _, d := range slices.Concat(databases, referring, referringLite) {
		t.Run(d.engine+"/"+d.name, func(t *testing.T) {
			t.Parallel()
			s := d.make(t)
			before := s.dump()
			const clean, undo, verify = "sql/20_clean_and_index.sql", "sql/20_clean_and_index_undo.sql", "sql/50_verify.sql"
			if len(s.plan.Tables[0].Groups) > 0 {
				out, err := s.client(s.file(verify))
				if err == nil || !strings.Contains(out, "the clean-up was not made") && len(s.plan.Tables[0].Set) == 0 || strings.Contains(out, "no such table") || strings.Contains(out, "does not exist") {
					t.Errorf("%s before the clean-up: %v %s", verify, err, out)
				}
			}
			s.mustRun(clean)
			after := s.dump()
			s.mustRun(clean)
			if diff := cmp.Diff(after, s.dump()); diff != "" {
				t.Fatalf("a second run changed something: %s", diff)
			}
			if out := s.mustRun(verify); strings.Contains(out, "FAILED") {
				t.Error(out)
			}
			wantOK(t, s.verify())
			if result := s.apply(); !result.Already {
				t.Errorf("apply did not see what the file had done: %+v", result)
			}
			s.mustRun(undo)
			s.run(d.leaves)
			if d.engine == "d1" { // which cannot drop a table under a condition
				shell(t, s.where, s.dropKept())
				if diff := cmp.Diff(before, s.dump()); diff != "" {
					t.Fatalf("the way back is not exact: %s", diff)
				}
				return
			}
			if diff := cmp.Diff(before, s.dump()); diff != "" {
				t.Fatalf("the way back is not exact: %s", diff)
			}
			s.mustRun(undo)
			if diff := cmp.Diff(before, s.dump()); diff != "" {
				t.Fatalf("a second way back changed something: %s", diff)
			}
		})
	}
}
