package apply

import (
	"strings"
	"testing"

	"twinrow/detect/source"
	"twinrow/detect/source/sourcetest/pgserver"
	"twinrow/remediate/plan"
)

// deep are tickets with carts under them, and more under these over several
// levels: boxes go with their cart, labels with their box, and a label may be a
// cart's, which closes a circle. 106 and 108 stay, 107, 109 and 110 go.
const deep = `
CREATE TABLE carts (id int PRIMARY KEY, ticket_id bigint REFERENCES tickets (id), kind text, UNIQUE (ticket_id, kind));
CREATE TABLE boxes (id int PRIMARY KEY, cart_id int REFERENCES carts (id) ON DELETE CASCADE, label_id int);
CREATE TABLE labels (id int PRIMARY KEY, box_id int REFERENCES boxes (id) ON DELETE CASCADE, cart_id int REFERENCES carts (id) ON DELETE SET NULL);
CREATE TABLE boxed (id int PRIMARY KEY, label_id int REFERENCES labels (id) ON DELETE CASCADE, box_id int REFERENCES boxes (id) ON DELETE CASCADE, under int REFERENCES boxed (id) ON DELETE CASCADE);
CREATE TABLE bills (id int PRIMARY KEY, cart_id int REFERENCES carts (id));
INSERT INTO carts VALUES (1, 106, 'a'), (2, 107, 'a'), (3, 107, 'b'), (4, 109, 'a');
`

const deepRows = `
INSERT INTO boxes VALUES (1, 1, NULL), (2, 2, NULL), (3, 2, NULL);
INSERT INTO labels VALUES (1, 1, NULL), (2, 2, 1), (3, 2, 2), (4, NULL, 2);
INSERT INTO boxed VALUES (1, 2, 2, 1), (2, 3, NULL, 1), (3, NULL, NULL, 2);
`

// deepStory plans the tickets with a rule for their carts.
func deepStory(t *testing.T, engine, script string, rule plan.ReferenceRule) *story {
	t.Helper()
	d := databases[slicesIndex(engine, "tickets")]
	rule.Table, rule.Columns = "carts", []string{"ticket_id"}
	d.script += deep + script
	d.request.References = []source.Declared{{Table: rule.Table, Columns: rule.Columns, Deletes: true}}
	d.options.Rules = map[string]plan.Rules{d.request.Table: {References: []plan.ReferenceRule{rule}}}
	return d.make(t)
}

func bothDeep(t *testing.T, script string, rule plan.ReferenceRule, test func(*testing.T, *story)) {
	for _, engine := range []string{"postgres", "sqlite"} {
		t.Run(engine, func(t *testing.T) {
			t.Parallel()
			test(t, deepStory(t, engine, script, rule))
		})
	}
}

// TestWhatHangsBeneathIsForetold: all levels of cascades are counted when the
// plan is made, a circle ends, and the group is held, for nothing that a cascade
// removes could come back.
func TestWhatHangsBeneathIsForetold(t *testing.T) {
	bothDeep(t, deepRows+"INSERT INTO bills VALUES (1, 3);", plan.ReferenceRule{Action: plan.DeleteRow}, func(t *testing.T, s *story) {
		held := s.plan.Tables[0].Held
		if len(held) != 1 {
			t.Fatalf("%+v", held)
		}
		for _, want := range []string{
			"2 rows of ", " would be deleted, and with them ", "2 rows of ", "boxes (", "on delete cascade) would go too",
			"2 rows of ", "labels (", "1 row of ", "on delete set null) would be changed too", "boxed (", "1 row of ", "bills (", "on delete no action) would forbid it",
		} {
			if !strings.Contains(held[0].Reason, want) {
				t.Errorf("no %q in %s", want, held[0].Reason)
			}
		}
		result := s.apply()
		if got := result.Tables[0]; got.Groups != 1 || got.Effects["public.carts"].Deleted+got.Effects["carts"].Deleted != 1 {
			t.Errorf("%+v", got)
		}
		if left, err := s.client("SELECT count(*) FROM boxed;"); err != nil || left != "3\n" {
			t.Error(left, err)
		}
		s.undo()
	})
}

// TestWhatHangsBeneathDroppedRows: where only some of the rows go, the plan says
// what hangs at most, and a group of which some hangs on those is left alone.
func TestWhatHangsBeneathDroppedRows(t *testing.T) {
	bothDeep(t, deepRows, plan.ReferenceRule{OnConflict: plan.Drop}, func(t *testing.T, s *story) {
		if notes := strings.Join(s.plan.Tables[0].Notes, "\n"); !strings.Contains(notes, "at most 2 rows of ") || !strings.Contains(notes, "its group is left alone, and named") {
			t.Error(notes)
		}
		result, err := s.try(Options{})
		wantCode(t, err, plan.CodeStopped, "referred to differently")
		if got := result.Tables[0]; got.Groups != 1 || len(got.Drifted) != 1 {
			t.Errorf("%+v", got)
		}
		if left, err := s.client("SELECT count(*) FROM boxes;"); err != nil || left != "3\n" {
			t.Error(left, err)
		}
		s.undo()
	})
}

// TestNothingHangsBeneath: rows under others than those that go are no hindrance.
func TestNothingHangsBeneath(t *testing.T) {
	bothDeep(t, "INSERT INTO boxes VALUES (1, 1, NULL), (2, 3, NULL);", plan.ReferenceRule{OnConflict: plan.Drop}, func(t *testing.T, s *story) {
		before := s.exact()
		s.apply()
		if left, err := s.client("SELECT id || ' ' || ticket_id FROM carts ORDER BY id;"); err != nil || left != "1 106\n3 106\n4 108\n" {
			t.Error(left, err)
		}
		if out, err := s.client(s.file("sql/20_clean_and_index.sql")); err != nil {
			t.Error(out, err)
		}
		s.undo()
		if s.exact() != before {
			t.Error("the undo is not exact")
		}
	})
}

// TestKeysThatMoveBeneath: rows that refer to a child by the very column that is
// pointed elsewhere leave their group alone.
func TestKeysThatMoveBeneath(t *testing.T) {
	s := databases[slicesIndex("postgres", "tickets")]
	s.script += `CREATE TABLE seats (ticket_id bigint REFERENCES tickets, no int, PRIMARY KEY (ticket_id, no));
CREATE TABLE coats (ticket_id bigint, no int, FOREIGN KEY (ticket_id, no) REFERENCES seats ON UPDATE CASCADE);
INSERT INTO seats VALUES (107, 1), (109, 2); INSERT INTO coats VALUES (109, 2);`
	made := s.make(t)
	result, err := made.try(Options{})
	wantCode(t, err, plan.CodeStopped, "referred to differently")
	if got := result.Tables[0]; got.Groups != 1 || len(got.Drifted) != 1 {
		t.Errorf("%+v", got)
	}
	made.undo()
}

// TestStatementTriggersOfCascades: a foreign key runs a statement over the child
// for each row that goes, which fires its triggers for statements, once in all, though
// no row refers.
func TestStatementTriggersOfCascades(t *testing.T) {
	d := databases[slicesIndex("postgres", "tickets")]
	d.script += `CREATE TABLE scans (ticket_id bigint REFERENCES tickets ON DELETE SET NULL); CREATE TABLE audit (n int);
CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN INSERT INTO audit VALUES (1); RETURN NULL; END';
CREATE TRIGGER loud AFTER UPDATE ON scans FOR EACH STATEMENT EXECUTE FUNCTION f();`
	s := d.make(t)
	if !s.plan.Tables[0].FiresTriggers() {
		t.Error("the trigger is no hazard")
	}
	if got := s.apply().Tables[0].Effects["public.audit"].Inserted; got != 1 {
		t.Errorf("%d rows of the audit", got)
	}
	s.undo()
}

// TestRulesOfTheTable: one by which rows would not go, or not come back, is told
// before anything is written; one that does more beside is as a trigger.
func TestRulesOfTheTable(t *testing.T) {
	d := databases[slicesIndex("postgres", "tickets")]
	for rule, refused := range map[string]bool{
		"ON DELETE TO tickets WHERE old.id = 109 DO INSTEAD NOTHING":                 true,
		"ON INSERT TO tickets DO ALSO INSERT INTO audit VALUES (new.id)":             true,
		"ON DELETE TO tickets DO ALSO INSERT INTO audit VALUES (old.id)":             false,
		"ON UPDATE TO tickets DO ALSO INSERT INTO audit VALUES (old.id)":             false,
		"ON DELETE TO tickets DO ALSO (NOTIFY gone; SELECT 1 FROM audit)":            false,
		"ON DELETE TO tickets WHERE old.id = 1 DO INSTEAD DELETE FROM audit":         true,
		"ON INSERT TO tickets WHERE new.id = 1 DO ALSO INSERT INTO audit VALUES (1)": true,
	} {
		t.Run(rule, func(t *testing.T) {
			t.Parallel()
			url := pgserver.Database(t)
			psql(t, url, d.script+"CREATE TABLE audit (id bigint); CREATE RULE odd AS "+rule+";")
			s, err := tryPlan(t, url, scannedCase(t, "postgres", url, d.request), plan.Options{})
			if refused {
				wantCode(t, err, plan.CodeUnsupported, "has a rule (odd)")
				return
			}
			if err != nil {
				t.Fatal(full(err))
			}
			if want := !strings.Contains(rule, "UPDATE"); s.plan.Tables[0].FiresTriggers() != want {
				t.Errorf("fires-triggers: %t", !want)
			}
			before := s.exactButAudit()
			s.apply()
			s.undo()
			if s.exactButAudit() != before && !strings.Contains(rule, "audit VALUES") {
				t.Error("the undo is not exact")
			}
		})
	}
}
