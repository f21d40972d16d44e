package apply

import (
	"slices"
	"strings"
	"testing"

	"twinrow/detect/source"
	"twinrow/remediate/plan"

	"github.com/google/go-cmp/cmp"
)

// referring are shapes of tables that refer to the one that is cleaned. They
// go through the same tests as the other databases, and what they did is
// compared with what was foretold.
var referring = []database{
	{name: "referred to, several columns and keys", engine: "postgres", script: `
CREATE TABLE seats (shop int, no bigint, k text, parent bigint, PRIMARY KEY (shop, no), FOREIGN KEY (shop, parent) REFERENCES seats (shop, no));
INSERT INTO seats VALUES (1, 1, 'a', NULL), (1, 2, 'a', 1), (1, 3, 'a', 2), (1, 4, 'b', 3), (1, 5, 'c', 2), (1, 6, 'c', 6);
CREATE TABLE scans (id serial PRIMARY KEY, shop int, seat bigint, other bigint, note text, FOREIGN KEY (shop, seat) REFERENCES seats ON DELETE CASCADE);
ALTER TABLE scans ADD FOREIGN KEY (shop, seat) REFERENCES seats ON DELETE CASCADE;
INSERT INTO scans (shop, seat, note) VALUES (1, 1, 'x'), (1, 2, '-0'), (1, 3, 'y'), (1, 4, 'z'), (1, 6, NULL), (NULL, 3, 'n');
CREATE TABLE loose (shop int, a bigint, b bigint, x float8, FOREIGN KEY (shop, a) REFERENCES seats ON DELETE SET NULL);
INSERT INTO loose VALUES (1, 2, 3, '-0'), (1, 2, 3, '-0'), (1, 1, 2, 'NaN');`,
		request: source.Request{Table: "seats", Key: []string{"k"}, Ignore: []string{"parent", "shop"}}},
	{name: "referred to, a trigger stamps", engine: "postgres", script: postgresTickets + `
CREATE TABLE scans (id int PRIMARY KEY, ticket_id bigint REFERENCES tickets, updated_at timestamptz DEFAULT '2025-01-01');
CREATE FUNCTION stamp() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.updated_at = now(); RETURN NEW; END';
CREATE TRIGGER stamp BEFORE UPDATE ON scans FOR EACH ROW EXECUTE FUNCTION stamp();
INSERT INTO scans VALUES (1, 106), (2, 107), (3, 109), (4, 109);`, request: ticketsRequest},
	{name: "referred to, through partitions", engine: "postgres", script: `
CREATE TABLE t (id int PRIMARY KEY, k text); INSERT INTO t VALUES (1,'a'),(2,'a'),(3,'a'),(4,'b');
CREATE TABLE logs (t_id int REFERENCES t, day date, n int) PARTITION BY LIST (t_id);
CREATE TABLE logs1 PARTITION OF logs FOR VALUES IN (1, 4); CREATE TABLE logs2 PARTITION OF logs DEFAULT;
INSERT INTO logs VALUES (1,'2025-01-01',1),(2,'2025-01-01',1),(2,'2025-01-01',1),(3,'2025-01-02',2),(4,'2025-01-01',1);`,
		request: source.Request{Table: "t", Key: []string{"k"}}},
	{name: "referred to, collisions dropped", engine: "postgres", script: postgresTickets + `
CREATE TABLE tags (ticket_id bigint REFERENCES tickets, tag text, at timestamptz, PRIMARY KEY (ticket_id, tag));
INSERT INTO tags VALUES (106, 'x', '2025-01-01'), (107, 'x', '2025-01-02'), (107, 'y', NULL), (109, 'z', NULL), (110, 'z', NULL), (110, 'w', NULL);`,
		request: ticketsRequest, options: plan.Options{Rules: map[string]plan.Rules{"tickets": {References: []plan.ReferenceRule{{Table: "tags", Columns: []string{"ticket_id"}, OnConflict: plan.Drop}}}}}},
	{name: "referred to, collisions merged", engine: "postgres", script: postgresTickets + `
CREATE TABLE tallies (ticket_id bigint REFERENCES tickets, what text, n numeric(20,2), seen timestamptz, ok boolean, note text, first int, UNIQUE (ticket_id, what));
INSERT INTO tallies VALUES (106, 'x', 0.10, '2025-01-01', true, NULL, NULL), (107, 'x', 0.20, '2025-01-02', false, 'b', 7), (109, 'z', 1, NULL, true, 'c', 1), (110, 'z', 2, NULL, NULL, 'd', 2), (110, 'w', 3, NULL, NULL, NULL, 3);`,
		request: ticketsRequest, options: plan.Options{Rules: map[string]plan.Rules{"tickets": {References: []plan.ReferenceRule{{Table: "public.tallies", Columns: []string{"ticket_id"}, OnConflict: plan.Merge,
			Merge: []plan.ColumnRule{{Column: "n", Rule: "sum"}, {Column: "seen", Rule: "max"}, {Column: "ok", Rule: "and"}, {Column: "note", Rule: "concat"}, {Column: "first", Rule: "first-non-null"}, {Column: "what", Rule: "keep"}}}}}}}},
	{name: "referred to, deleted and set null", engine: "postgres", script: postgresTickets + `
CREATE TABLE sessions (id int PRIMARY KEY, ticket_id bigint NOT NULL REFERENCES tickets); INSERT INTO sessions VALUES (1, 107), (2, 106), (3, 110);
CREATE TABLE notes (id int PRIMARY KEY, ticket_id bigint REFERENCES tickets); INSERT INTO notes VALUES (1, 107), (2, 106), (3, 110);
CREATE TABLE comments (id int PRIMARY KEY, subject_type text, subject_id text); INSERT INTO comments VALUES (1, 'ticket', '107'), (2, 'order', '107'), (3, 'ticket', '106');`,
		request: source.Request{Table: "tickets", Key: ticketsRequest.Key, Time: "created_at", References: []source.Declared{{Table: "comments", Columns: []string{"subject_id"}, Where: "subject_type = 'ticket'"}}},
		options: plan.Options{Rules: map[string]plan.Rules{"tickets": {References: []plan.ReferenceRule{
			{Table: "sessions", Columns: []string{"ticket_id"}, Action: plan.DeleteRow}, {Table: "notes", Columns: []string{"ticket_id"}, Action: plan.SetNull},
			{Table: "comments", Columns: []string{"subject_id"}, Where: "subject_type = 'ticket'"}}}}}},
	{name: "merged", engine: "postgres", script: `
CREATE TABLE counters (id int PRIMARY KEY, k text, value numeric, last_seen timestamptz, note text UNIQUE, tags text, ok boolean, flags int);
INSERT INTO counters VALUES (1, 'a', 0.1, '2025-01-01', NULL, 'x', true, 6), (2, 'a', 0.2, '2025-01-03', 'two', 'y', false, 3), (3, 'a', NULL, '2025-01-02', 'three', 'x', NULL, NULL), (4, 'b', 1, NULL, 'four', 'z', NULL, 1), (5, 'b', 1, NULL, NULL, 'z', NULL, 1);`,
		request: source.Request{Table: "counters", Key: []string{"k"}}, options: plan.Options{Rules: map[string]plan.Rules{"counters": {Differing: plan.Merge,
			Merge: []plan.ColumnRule{{Column: "value", Rule: "sum"}, {Column: "last_seen", Rule: "max"}, {Column: "note", Rule: "first-non-null"}, {Column: "tags", Rule: "concat"}, {Column: "ok", Rule: "or"}, {Column: "flags", Rule: "and"}}}}}},
	{name: "made unique", engine: "postgres", script: `
CREATE TABLE users (id int PRIMARY KEY, username text, at timestamptz DEFAULT '2025-01-01');
CREATE TABLE posts (id int PRIMARY KEY, user_id int REFERENCES users); INSERT INTO users VALUES (1,'ann'),(2,'ann'),(3,'bob'),(4,'ann'); INSERT INTO posts VALUES (1,2),(2,1);`,
		request: source.Request{Table: "users", Key: []string{"username"}}, options: plan.Options{Rules: map[string]plan.Rules{"users": {Set: []plan.Assignment{{Column: "username", Value: "username || '_' || id"}}}}}},
}

// referringNamed finds one of referring.
func referringNamed(t *testing.T, name string) database {
	t.Helper()
	i := slices.IndexFunc(referring, func(d database) bool { return d.name == name })
	if i < 0 {
		t.Fatal("no database " + name)
	}
	return referring[i]
}

// surplus counts the rows of the first table that go or are made unique.
func (s *story) surplus() int {
	n := 0
	for _, g := range s.plan.Tables[0].Groups {
		n += len(g.Remove) + len(g.Set)
	}
	return n
}

// TestReferringRowsAreAsForetold compares what was done with plan.json.
func TestReferringRowsAreAsForetold(t *testing.T) {
	for _, d := range slices.Concat(referring, referringLite) {
		t.Run(d.engine+"/"+d.name, func(t *testing.T) {
			t.Parallel()
			s := d.make(t)
			table := s.plan.Tables[0]
			if len(table.Held) > 0 || len(table.Operations) < 3 {
				t.Fatalf("held %+v, operations %+v", table.Held, table.Operations)
			}
			result := s.apply()
			if d.leaves != "" {
				delete(result.Tables[0].Effects, "audit") // which triggers write
			}
			if diff := cmp.Diff(table.Effects, result.Tables[0].Effects); diff != "" {
				t.Errorf("foretold and done (-plan +apply):\n%s", diff)
			}
		})
	}
}

// TestValuesAfterMerging: numbers are summed by the database, exactly.
func TestValuesAfterMerging(t *testing.T) {
	for name, want := range map[string]string{
		"referred to, collisions merged": "106|x|0.30|2025-01-02 00:00:00+00|f|b|7\n108|w|3.00||||3\n108|z|3.00||t|c, d|1\n",
		"merged":                         "1|a|0.3|2025-01-03 00:00:00+00|two|x, y|t|2\n4|b|2||four|z||1\n",
	} {
		s := referringNamed(t, name).make(t)
		s.apply()
		table := map[bool]string{true: "counters", false: "tallies"}[name == "merged"]
		if diff := cmp.Diff(want, psql(t, s.where, "SET TimeZone = 'UTC'; SELECT * FROM "+table+" ORDER BY 1, 2;")); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

// TestCollisionsAreHeldUnlessDeclared: the group stays as it is, with the reason.
func TestCollisionsAreHeldUnlessDeclared(t *testing.T) {
	d := referringNamed(t, "referred to, collisions dropped")
	d.options = plan.Options{}
	s := d.make(t)
	if held := s.plan.Tables[0].Held; len(held) != 2 || !strings.Contains(held[0].Reason, "would collide under tags_pkey") {
		t.Errorf("%+v", held)
	}
}

// TestNewReferencesLeaveTheirGroupAlone: what refers to a row since the scan
// was not foretold, by apply as by the file.
func TestNewReferencesLeaveTheirGroupAlone(t *testing.T) {
	s := referringNamed(t, "referred to, a trigger stamps").make(t)
	s.run("INSERT INTO scans VALUES (5, 107);")
	if out, err := s.client(s.file("sql/20_clean_and_index.sql")); err == nil || !strings.Contains(out, "2 rows refer to rows of group") {
		t.Errorf("%v: %s", err, out)
	}
	result, err := s.try(Options{})
	wantCode(t, err, plan.CodeStopped, "referred to differently")
	if got := result.Tables[0]; got.Groups != 1 || got.Rows != 2 || len(got.Drifted) != 1 {
		t.Errorf("%+v", got)
	}
}

// TestUndoKeepsWhatOthersChangedSince: only what was changed here is taken back.
func TestUndoKeepsWhatOthersChangedSince(t *testing.T) {
	s := referringNamed(t, "referred to, collisions dropped").make(t)
	s.apply()
	s.run("UPDATE tags SET at = '2030-01-01' WHERE tag = 'y';")
	s.undo()
	if got := psql(t, s.where, "SET TimeZone = 'UTC'; SELECT * FROM tags WHERE tag = 'y';"); got != "107|y|2030-01-01 00:00:00+00\n" {
		t.Error(got)
	}
	s.apply()
	s.run("DELETE FROM tags WHERE tag = 'y';")
	_, err := s.tryUndo()
	wantCode(t, err, plan.CodeDrift, "cannot be put back")
}
