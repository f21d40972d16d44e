package apply

import (
	"os"
	"strings"
	"testing"

	"twinrow/detect/source"
	"twinrow/remediate/plan"

	"github.com/google/go-cmp/cmp"
)

// lists declares arrays of ids that refer to the tickets.
func lists(references ...plan.ReferenceRule) (source.Request, plan.Options) {
	request := ticketsRequest
	for _, r := range references {
		request.References = append(request.References, source.Declared{Table: r.Table, Columns: r.Columns, Where: r.Where, Array: true})
	}
	return request, plan.Options{Rules: map[string]plan.Rules{"tickets": {References: references}}}
}

// listsOf is a database of tickets and of arrays that name them.
func listsOf(name, script string, references ...plan.ReferenceRule) database {
	request, options := lists(references...)
	return database{name: name, engine: "postgres", script: postgresTickets + script, request: request, options: options}
}

// inArrays are arrays of ids that refer to the table that is cleaned.
var inArrays = []database{
	listsOf("arrays, repeats dropped", `
CREATE TABLE playlists (id int PRIMARY KEY, ticket_ids int[], note text, updated_at timestamptz DEFAULT '2025-01-01');
CREATE FUNCTION stamp() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.updated_at = now(); RETURN NEW; END';
CREATE TRIGGER stamp BEFORE UPDATE ON playlists FOR EACH ROW EXECUTE FUNCTION stamp();
INSERT INTO playlists VALUES (1, '{105,107,NULL,104}'), (2, '{107,106,107}'), (3, '{110,NULL,NULL,109,107}'), (4, '{106,106}'), (5, '{}'), (6, NULL), (7, '[0:2]={110,105,109}'), (8, '{108,109,106,106}'), (9, '{107,105}');`,
		plan.ReferenceRule{Table: "playlists", Columns: []string{"ticket_ids"}, OnConflict: plan.Drop}),
	listsOf("arrays, repeats kept", `
CREATE TABLE playlists (ticket_ids text[], at float8) PARTITION BY RANGE (at); CREATE TABLE early PARTITION OF playlists FOR VALUES FROM ('-infinity') TO (0); CREATE TABLE late PARTITION OF playlists DEFAULT;
INSERT INTO playlists VALUES ('{105,107,NULL,107}', -1), ('[3:4]={107,106}', 1), ('[3:4]={107,106}', 1), ('{104}', 1);`,
		plan.ReferenceRule{Table: "playlists", Columns: []string{"ticket_ids"}, OnConflict: plan.KeepRepeats}),
	listsOf("arrays, rows deleted and elements set null", `
CREATE TABLE bundles (id int PRIMARY KEY, ids bigint[]); INSERT INTO bundles VALUES (1, '{107,109}'), (2, '{106}'), (3, '{105,110}');
CREATE TABLE slots (id int PRIMARY KEY, ids numeric(20)[]); INSERT INTO slots VALUES (1, '{107,109,104}'), (2, '{106}'), (3, '{107,107,NULL}');`,
		plan.ReferenceRule{Table: "bundles", Columns: []string{"ids"}, Action: plan.DeleteRow}, plan.ReferenceRule{Table: "slots", Columns: []string{"ids"}, Action: plan.SetNull}),
	listsOf("arrays beside a type", `
CREATE TABLE shelves (id int PRIMARY KEY, kind text, ids varchar(8)[], ticket_id bigint REFERENCES tickets); INSERT INTO shelves VALUES (1, 'ticket', '{107,104}', 107), (2, 'order', '{107}', 109), (3, 'ticket', '{109,110}', NULL), (4, NULL, '{107}', NULL);`,
		plan.ReferenceRule{Table: "shelves", Columns: []string{"ids"}, Where: "kind = 'ticket' -- theirs", OnConflict: plan.Drop}),
	{name: "arrays of uuid", engine: "postgres", script: `
CREATE TABLE people (id uuid PRIMARY KEY, email text); INSERT INTO people SELECT ('00000000-0000-0000-0000-00000000000' || g)::uuid, 'm' || g % 3 FROM generate_series(1, 8) AS g;
CREATE TABLE teams (id int PRIMARY KEY, members uuid[]); INSERT INTO teams VALUES (1, '{00000000-0000-0000-0000-000000000004,NULL,00000000-0000-0000-0000-000000000008}'), (2, '{00000000-0000-0000-0000-000000000003}');`,
		request: source.Request{Table: "people", Key: []string{"email"}, References: []source.Declared{{Table: "teams", Columns: []string{"members"}, Array: true}}}},
}

func init() { referring = append(referring, inArrays...) }

// TestArraysAfterwards: order, NULLs and bounds stay, and only repeats of rows
// that went go.
func TestArraysAfterwards(t *testing.T) {
	for i, want := range []string{
		"{105,106,NULL,104}\n{106}\n{108,NULL,NULL,106}\n{106,106}\n{}\n\n[0:1]={108,105}\n{108,106,106}\n{106,105}\n",
		"{105,106,NULL,106}\n{104}\n[3:4]={106,106}\n[3:4]={106,106}\n",
	} {
		s := inArrays[i].make(t)
		s.apply()
		order := map[int]string{0: "id", 1: `ticket_ids::text COLLATE "C" DESC`}[i]
		got := psql(t, s.where, "SELECT ticket_ids FROM playlists ORDER BY "+order+";")
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", inArrays[i].name, diff)
		}
	}
}

// TestArraysThatHoldTheirGroup: what is not changed is said by name.
func TestArraysThatHoldTheirGroup(t *testing.T) {
	for name, c := range map[string]struct{ script, held string }{
		"a repeat":             {"CREATE TABLE l (id int PRIMARY KEY, ids int[]); INSERT INTO l VALUES (1, '{106,107}');", "1 array of public.l (ids) would name the row that stays more often than once; declare on_conflict: drop"},
		"several dimensions":   {"CREATE TABLE l (id int PRIMARY KEY, ids int[]); INSERT INTO l VALUES (1, '{{107},{105}}');", "in arrays of several dimensions"},
		"a unique key":         {"CREATE TABLE l (id int PRIMARY KEY, ids int[] UNIQUE); INSERT INTO l VALUES (1, '{107}');", "part of the unique key l_ids_key"},
		"without a key, twice": {"CREATE TABLE l (ids int[]); INSERT INTO l VALUES ('{107,109}');", "no primary key by which an undo"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := listsOf(name, c.script, plan.ReferenceRule{Table: "l", Columns: []string{"ids"}}).make(t)
			if held := s.plan.Tables[0].Held; len(held) == 0 || !strings.Contains(held[0].Reason, c.held) {
				t.Errorf("%+v", held)
			}
		})
	}
}

// TestLateArraysLeaveTheirGroupAlone: one that came to name a row, that came to
// name it twice, or that took on dimensions since the scan, by apply as by file.
func TestLateArraysLeaveTheirGroupAlone(t *testing.T) {
	for _, change := range []string{"UPDATE playlists SET ticket_ids = '{105,104,109}' WHERE id = 4", "UPDATE playlists SET ticket_ids = '{107,106,105}' WHERE id = 1", "UPDATE playlists SET ticket_ids = '{{107,105}}' WHERE id = 1"} {
		s := inArrays[0].make(t)
		s.run(change + ";")
		if out, err := s.client(s.file("sql/20_clean_and_index.sql")); err == nil || !strings.Contains(out, "rows refer to rows of group") {
			t.Errorf("%s: %v: %s", change, err, out)
		}
		result, err := s.try(Options{})
		wantCode(t, err, plan.CodeStopped, "referred to differently")
		if got := result.Tables[0]; got.Groups != 1 || len(got.Drifted) != 1 {
			t.Errorf("%s: %+v", change, got)
		}
	}
}

// TestArraysThatTwoRunsChanged: an array names rows of two groups, one of which
// is cleaned by a second run. It comes back to what it was before both.
func TestArraysThatTwoRunsChanged(t *testing.T) {
	for between, back := range map[string]string{"SELECT 1": "", "UPDATE playlists SET note = 'new' WHERE id = 3": "new", "UPDATE playlists SET ticket_ids = ticket_ids || 99 WHERE id = 3": "-"} {
		s := inArrays[0].make(t)
		before := s.dump()
		s.run("UPDATE tickets SET email = 'x' WHERE id = 109;")
		_, err := s.try(Options{})
		wantCode(t, err, plan.CodeStopped, "is changed")
		s.run("UPDATE tickets SET email = 'c@example.com' WHERE id = 109; ALTER TABLE playlists DISABLE TRIGGER stamp; " + between + "; ALTER TABLE playlists ENABLE TRIGGER stamp;")
		s.apply()
		if got := s.text("SELECT ticket_ids FROM playlists WHERE id = 3"); !strings.HasPrefix(got, "{108,NULL,NULL,106") {
			t.Error(got)
		}
		if back == "-" { // a person's own change stands between the two
			_, err := s.tryUndo()
			wantCode(t, err, plan.CodeDrift, "cannot be put back")
			continue
		}
		s.undo()
		if got := s.text("SELECT note FROM playlists WHERE id = 3"); got != back {
			t.Errorf("the note is %q", got)
		}
		s.run("UPDATE playlists SET note = NULL WHERE id = 3; ALTER TABLE playlists DISABLE TRIGGER stamp; UPDATE playlists SET updated_at = '2025-01-01' WHERE id = 3; ALTER TABLE playlists ENABLE TRIGGER stamp;")
		if diff := cmp.Diff(before, s.dump()); diff != "" {
			t.Errorf("%s: undo is not exact: %s", between, diff)
		}
	}
}

// TestArrayRepeatsAreAHazard: not without a person's consent.
func TestArrayRepeatsAreAHazard(t *testing.T) {
	s := inArrays[0].make(t)
	_, err := s.try(Options{Allow: []string{"deletes-rows,fires-triggers,builds-index"}})
	wantCode(t, err, plan.CodeRefused, "array-repeats")
	if _, err := os.Stat(s.opened.Dir + "/sql/20_clean_and_index.sql"); err != nil {
		t.Error(err)
	}
}
