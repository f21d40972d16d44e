package apply

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"twinrow/detect/casefile"
	"twinrow/remediate/plan"
)

func TestRefusedWithoutConsent(t *testing.T) {
	both(t, "", func(t *testing.T, s *story) {
		err := unchanged(t, s, func() error {
			_, err := s.try(Options{Allow: []string{"deletes-rows"}})
			return err
		})
		wantCode(t, err, plan.CodeRefused, "builds-index (a unique index is built")
		const flag = "--allow deletes-rows,builds-index"
		var p *plan.Problem
		if errors.As(err, &p); !strings.HasSuffix(p.Hint, flag) {
			t.Errorf("the hint is %q, want it to end with %q", p.Hint, flag)
		}
		if _, err := os.Stat(filepath.Join(s.opened.Dir, plan.Journal)); !errors.Is(err, os.ErrNotExist) {
			t.Error("a refusal left a journal")
		}
		_, err = s.try(Options{Allow: []string{"eats-rows"}})
		wantCode(t, err, plan.CodeUsage, `no hazard "eats-rows"`)
	})
}

func TestRights(t *testing.T) {
	s := databases[slicesIndex("postgres", "tickets")].make(t)
	role := "reader_" + s.opened.ID
	psql(t, s.where, "CREATE ROLE "+role+" LOGIN; GRANT SELECT ON tickets TO "+role+";")
	t.Cleanup(func() { psql(t, s.where, "DROP OWNED BY "+role+"; DROP ROLE "+role+";") })
	config, err := pgx.ParseConfig(s.where)
	if err != nil {
		t.Fatal(err)
	}
	other := *s
	other.where = "host=" + config.Host + " dbname=" + config.Database + " user=" + role
	_, err = other.try(Options{})
	create := ""
	if major(t, s.where) >= 15 { // before, everybody may create in the schema public
		create = "CREATE on the schema public, "
	}
	wantCode(t, err, plan.CodePermission, "DELETE on public.tickets, INSERT on public.tickets (for the way back), "+create+"ownership of public.tickets (for the index)")
	if logOpen(t, s) {
		t.Error("the journal speaks of a change")
	}
}

func TestReadOnlyAndMissingFiles(t *testing.T) {
	dir := t.TempDir()
	_, err := Open(t.Context(), "sqlite", filepath.Join(dir, "none.db"))
	wantCode(t, err, plan.CodeNotFound, "no file")
	if entries, _ := os.ReadDir(dir); len(entries) != 0 {
		t.Error("a file was made")
	}
	_, err = Open(t.Context(), "sqlite", dir)
	wantCode(t, err, plan.CodeBadInput, "no regular file")
	_, err = Open(t.Context(), "csv", "x.csv")
	wantCode(t, err, plan.CodeUnsupported, "no database")
	_, err = Open(t.Context(), "postgres", "postgres://u:secret@[::bad/db")
	wantCode(t, err, plan.CodeUsage, "cannot be read")
	if strings.Contains(full(err), "secret") {
		t.Error(full(err))
	}
	_, err = Open(t.Context(), "postgres", "postgres://u:secret@127.0.0.1:1/db?connect_timeout=1")
	wantCode(t, err, plan.CodeConnection, "cannot connect")
	if strings.Contains(full(err), "secret") {
		t.Error(full(err))
	}
}

func TestAnotherIndexOfThatName(t *testing.T) {
	both(t, "", func(t *testing.T, s *story) {
		s.run("CREATE INDEX tickets_payment_number_key ON tickets (payment);")
		wantCode(t, unchanged(t, s, s.tryApply), plan.CodeExists, "is not a valid unique index on the key")
		if err := unchanged(t, s, func() error { _, err := s.client(s.file("sql/20_clean_and_index.sql")); return err }); err == nil {
			t.Error("the file took a foreign index for its own")
		}
	})
}

func TestReplanningAfterApply(t *testing.T) {
	both(t, "", func(t *testing.T, s *story) {
		s.apply()
		wantCode(t, plan.Write(s.opened.Dir, s.plan, nil), plan.CodeExists, "the plan was carried out")
		s.undo()
		if err := plan.Write(s.opened.Dir, s.plan, nil); err != nil {
			t.Error(full(err))
		}
	})
}

func TestEditedPlanAndJournal(t *testing.T) {
	s := databases[slicesIndex("sqlite", "tickets")].make(t)
	path := filepath.Join(s.opened.Dir, plan.Name)
	edited := strings.Replace(s.file(plan.Name), `"id": "107"`, `"id": "104"`, 1)
	if err := os.WriteFile(path, []byte(edited), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := plan.Read(s.opened.Dir)
	wantCode(t, err, plan.CodeTampered, "plan.json was changed after it was made")
	if err := os.WriteFile(filepath.Join(s.opened.Dir, plan.Journal), []byte("{}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	wantCode(t, s.tryApply(), plan.CodeTampered, "the journal was changed by hand")
}

// TestJournalThatCannotBeWritten takes the journal's disk away before the first record.
func TestJournalThatCannotBeWritten(t *testing.T) {
	both(t, "", func(t *testing.T, s *story) {
		if err := os.Symlink("/dev/full", filepath.Join(s.opened.Dir, plan.Journal)); err != nil {
			t.Fatal(err)
		}
		wantCode(t, unchanged(t, s, s.tryApply), plan.CodeDisk, "the journal of the case cannot be used")
	})
}

func TestACaseOfAFile(t *testing.T) {
	s := databases[slicesIndex("sqlite", "tickets")].make(t)
	opened := *s.opened
	opened.Source.Engine = "csv"
	choose := func(_ *casefile.Table, g *casefile.Group) (plan.Fields, []plan.Fields, string, error) {
		return g.Rows[0].ID, []plan.Fields{g.Rows[1].ID}, "x", nil
	}
	p, err := plan.Make(&opened, plan.Options{Choose: choose})
	if err != nil || len(p.Tables[0].Groups) != 2 || len(p.Tables[0].Operations) != 0 || len(p.Hazards) != 0 {
		t.Fatalf("%+v %v", p, err)
	}
	target := s.open()
	defer target.Close()
	_, err = Run(t.Context(), target, &opened, p, Options{})
	wantCode(t, err, plan.CodeUnsupported, "a file")
}
