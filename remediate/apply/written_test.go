package apply

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"twinrow/detect/source"
	"twinrow/detect/source/sourcetest/pgserver"
	"twinrow/remediate/plan"

	"github.com/google/go-cmp/cmp"
)

// triggeredOnline plans 400 groups of two, whose copies carry n from 1 on, of
// which rows of logs refer to every third, to be cleaned online.
func triggeredOnline(t *testing.T, triggers string) *story {
	t.Helper()
	url := pgserver.Database(t)
	psql(t, url, `CREATE TABLE t (id int PRIMARY KEY, k int, n int); CREATE TABLE audit (what text); CREATE TABLE rare (n int); CREATE SEQUENCE fired;
INSERT INTO t SELECT g, g % 400, g % 400 FROM generate_series(1, 800) AS g;
CREATE TABLE logs (id serial PRIMARY KEY, t_id int REFERENCES t); INSERT INTO logs (t_id) SELECT g FROM generate_series(401, 800, 3) AS g;
CREATE FUNCTION audit() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN INSERT INTO audit VALUES (TG_OP); RETURN NULL; END';
CREATE FUNCTION rare() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN INSERT INTO rare VALUES (old.n); RETURN NULL; END';
CREATE FUNCTION odd() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN IF nextval(''fired'') > 400 THEN INSERT INTO rare VALUES (old.n); END IF; RETURN NULL; END';
`+triggers)
	return planned(t, "postgres", url, scannedCase(t, "postgres", url, source.Request{Table: "t", Key: []string{"k"}}), plan.Options{Strategy: plan.Online})
}

// agreed runs a plan and returns what it said that triggers would write.
func (s *story) agreed(opts Options) (*Result, []string, error) {
	var told []string
	opts.Agree = func(written []Written) error {
		for _, w := range written {
			told = append(told, w.Table+": "+w.Foretold)
		}
		return nil
	}
	result, err := s.try(opts)
	return result, told, err
}

// TestTriggersAreForetoldByALaw: what triggers add is found out by a rehearsal,
// for rows and for statements, in the table and in its children, and each batch
// is compared with it.
func TestTriggersAreForetoldByALaw(t *testing.T) {
	for name, c := range map[string]struct {
		triggers, told string
		written        map[string]int64
	}{
		"for each row":       {"CREATE TRIGGER a AFTER DELETE ON t FOR EACH ROW EXECUTE FUNCTION audit();", "public.audit: 1 row for each row that goes", map[string]int64{"public.audit": 400}},
		"for each statement": {"CREATE TRIGGER a AFTER DELETE ON t FOR EACH STATEMENT EXECUTE FUNCTION audit();", "public.audit: 1 row in each transaction", nil},
		"both, and a child's": {"CREATE TRIGGER a AFTER DELETE ON t FOR EACH STATEMENT EXECUTE FUNCTION audit(); CREATE TRIGGER b BEFORE UPDATE ON logs FOR EACH ROW EXECUTE FUNCTION kept();",
			"public.audit: 1 row for each row of public.logs that is updated and 1 row in each transaction", nil},
		"by a rule": {"CREATE RULE a AS ON DELETE TO t DO ALSO INSERT INTO audit VALUES ('x');", "public.audit: 1 row for each row that goes", map[string]int64{"public.audit": 400}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := triggeredOnline(t, "CREATE FUNCTION kept() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN INSERT INTO audit VALUES (TG_OP); RETURN new; END';"+c.triggers)
			before := s.exactWithout("audit")
			result, told, err := s.agreed(Options{Batch: 100})
			if err != nil {
				t.Fatal(full(err))
			}
			if diff := cmp.Diff([]string{c.told}, told); diff != "" {
				t.Errorf("told (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(c.written, result.Tables[0].ByTriggers); c.written != nil && diff != "" {
				t.Errorf("written (-want +got):\n%s", diff)
			}
			if out, err := s.client("SELECT count(*) FROM audit;"); err != nil || out != fmt.Sprintln(result.Tables[0].ByTriggers["public.audit"]) {
				t.Errorf("the audit has %s, %v", out, err)
			}
			s.undo()
			if diff := cmp.Diff(before, s.exactWithout("audit")); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// exactWithout is the database but for the rows of a table.
func (s *story) exactWithout(table string) string {
	var lines []string
	for line := range strings.SplitSeq(s.exact(), "\n") {
		if !strings.HasPrefix(line, "INSERT INTO public."+table+" ") && !strings.HasPrefix(line, "public."+table+" (") && !strings.HasPrefix(line, table+" (") {
			lines = append(lines, line)
		}
	}
	return strings.Join(lines, "\n")
}

// TestTriggersThatGoByTheRow: a trigger that the rehearsal's rows did not wake
// rolls its batch back and says so; the next run rehearses those rows, says that
// it cannot tell how many more come, and goes on.
func TestTriggersThatGoByTheRow(t *testing.T) {
	s := triggeredOnline(t, "CREATE TRIGGER a AFTER DELETE ON t FOR EACH ROW WHEN (old.n IN (203, 206)) EXECUTE FUNCTION rare();")
	_, told, err := s.agreed(Options{Batch: 50})
	wantCode(t, err, plan.CodeStopped, " that went, and the rehearsal foretold 0; this batch was rolled back, and those before it stay")
	if told != nil {
		t.Errorf("told %q before anything was seen", told)
	}
	if out, err := s.client("SELECT count(*) FROM rare;"); err != nil || out != "0\n" {
		t.Error(out, err)
	}
	runs := 1
	for ; err != nil && runs < 30; runs++ {
		var more []string
		if _, more, err = s.agreed(Options{Batch: 5}); err != nil {
			wantCode(t, err, plan.CodeStopped, " to public.rare for ")
		}
		told = append(told, more...)
	}
	if err != nil || len(told) == 0 || !strings.Contains(told[0], "which hangs on the rows: how many more come cannot be foretold") {
		t.Errorf("after %d runs: %q %v", runs, told, err)
	}
	if out, err := s.client("SELECT count(*) FROM rare;"); err != nil || out != "2\n" {
		t.Error(out, err)
	}
	wantOK(t, s.verify())
	s.undo()
}

// TestTriggersThatDoOtherwiseThanRehearsed: in one transaction all rows were
// rehearsed, and what triggers add must be exactly that.
func TestTriggersThatDoOtherwiseThanRehearsed(t *testing.T) {
	t.Parallel()
	s := triggeredOnline(t, "CREATE TRIGGER a AFTER DELETE ON t FOR EACH ROW EXECUTE FUNCTION odd();")
	atomic := planned(t, "postgres", s.where, s.opened, plan.Options{Strategy: plan.Atomic})
	before := atomic.exactWithout("nothing")
	_, told, err := atomic.agreed(Options{})
	wantCode(t, err, plan.CodeStopped, "triggers added 400 rows to public.rare for 400 rows that went, and the rehearsal foretold 0; everything was rolled back")
	if told != nil {
		t.Error(told)
	}
	if now := atomic.exactWithout("nothing"); strings.Count(now, "INSERT INTO") != strings.Count(before, "INSERT INTO") {
		t.Error("something was changed")
	}
}

// TestWhatTriggersWriteIsAgreedTo: before the first change, on both engines.
func TestWhatTriggersWriteIsAgreedTo(t *testing.T) {
	for engine, more := range map[string]string{
		"postgres": "CREATE TABLE audit (id int); CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN INSERT INTO audit VALUES (old.id); RETURN NULL; END'; CREATE TRIGGER a AFTER DELETE ON tickets FOR EACH ROW EXECUTE FUNCTION f();",
		"sqlite":   "CREATE TABLE audit (id INT); CREATE TRIGGER a AFTER DELETE ON tickets BEGIN INSERT INTO audit VALUES (old.id); END;",
	} {
		t.Run(engine, func(t *testing.T) {
			t.Parallel()
			d := databases[slicesIndex(engine, "tickets")]
			d.script += more
			s := d.make(t)
			no := errors.New("no")
			if err := unchanged(t, s, func() error {
				_, err := s.try(Options{Agree: func([]Written) error { return no }})
				return err
			}); !errors.Is(err, no) || logOpen(t, s) {
				t.Errorf("%v", err)
			}
			_, told, err := s.agreed(Options{})
			if err != nil {
				t.Fatal(full(err))
			}
			if want := []string{map[string]string{"postgres": "public."}[engine] + "audit: 3 rows for all 3 rows that go"}; !cmp.Equal(want, told) {
				t.Errorf("told %q", told)
			}
			s.undo()
		})
	}
}
