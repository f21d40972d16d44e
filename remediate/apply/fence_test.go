package apply

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"twinrow/detect/source"
	"twinrow/detect/source/sourcetest/pgserver"
	"twinrow/remediate/plan"
)

// fenced is a table behind its fence, and a session of the application.
func fenced(t *testing.T, script string, request source.Request) *story {
	t.Helper()
	url := pgserver.Database(t)
	psql(t, url, script)
	s := scanned(t, "postgres", url, plan.Options{Strategy: plan.Online, Differing: plan.KeepSurvivor}, request)
	if _, err := s.try(Options{Until: UntilFence}); err != nil {
		t.Fatal(full(err))
	}
	return s
}

// TestFence tries statements on tables of many kinds: what the index would
// refuse is refused with the index's own error, and nothing else is.
func TestFence(t *testing.T) {
	for _, c := range []struct {
		name, script    string
		request         source.Request
		refused, passed []string
	}{
		{"two columns", postgresTickets, ticketsRequest,
			[]string{"INSERT INTO tickets VALUES (1,'pi_1',1)", "INSERT INTO tickets VALUES (1,'new',1),(2,'new',1)", "UPDATE tickets SET number = 1 WHERE id = 105", "INSERT INTO tickets VALUES (1,'pi_2',1)",
				"INSERT INTO tickets VALUES (1,'pi_1',1) ON CONFLICT DO NOTHING"},
			[]string{"INSERT INTO tickets VALUES (1,'pi_1',3)", "INSERT INTO tickets VALUES (2,NULL,3),(3,NULL,3)", "UPDATE tickets SET email = 'x' WHERE id = 107", "UPDATE tickets SET payment = 'own' WHERE id = 107", "DELETE FROM tickets WHERE id = 110"}},
		{"NULLs are equal", "CREATE TABLE u (id int PRIMARY KEY, a text, b int); INSERT INTO u VALUES (1,'x',NULL),(2,'x',NULL),(3,'y',1);", source.Request{Table: "u", Key: []string{"a", "b"}, NullsEqual: true},
			[]string{"INSERT INTO u VALUES (4,'x',NULL)", "UPDATE u SET a = 'x', b = NULL WHERE id = 3", "INSERT INTO u VALUES (5,NULL,NULL),(6,NULL,NULL)"}, []string{"INSERT INTO u VALUES (4,NULL,NULL)", "INSERT INTO u VALUES (5,'y',NULL)"}},
		{"an expression and a predicate", "CREATE TABLE \"Odd \"\"u\" (id int PRIMARY KEY, \"e'mail\" text, gone boolean NOT NULL); INSERT INTO \"Odd \"\"u\" VALUES (1,'A',false),(2,'a',false),(3,'b',true);",
			source.Request{Table: `"Odd ""u"`, Key: []string{`lower("e'mail")`}, Where: "NOT gone -- living"},
			[]string{`INSERT INTO "Odd ""u" VALUES (4,'a',false)`, `UPDATE "Odd ""u" SET gone = false, "e'mail" = 'A' WHERE id = 3`}, []string{`INSERT INTO "Odd ""u" VALUES (5,'a',true)`, `INSERT INTO "Odd ""u" VALUES (6,'B',false)`}},
		{"a collation that folds", "CREATE COLLATION ci (provider = icu, locale = 'und-u-ks-level2', deterministic = false); CREATE TABLE u (id int PRIMARY KEY, a text COLLATE ci); INSERT INTO u VALUES (1,'x'),(2,'X');", source.Request{Table: "u", Key: []string{"a"}},
			[]string{"INSERT INTO u VALUES (3,'X')"}, []string{"INSERT INTO u VALUES (4,'y')"}},
		{"equal and not alike", "CREATE TABLE u (id int PRIMARY KEY, a numeric, f float8); INSERT INTO u VALUES (1,1.0,0),(2,1.00,'-0');", source.Request{Table: "u", Key: []string{"a", "f"}},
			[]string{"INSERT INTO u VALUES (3,1.000,'-0')"}, []string{"INSERT INTO u VALUES (3,1.001,0)"}},
		{"a type without a hash", "CREATE TABLE u (id int PRIMARY KEY, a money, b bit(3)); INSERT INTO u VALUES (1,'1.00',B'101'),(2,'1.00',B'101');", source.Request{Table: "u", Key: []string{"a", "b"}},
			[]string{"INSERT INTO u VALUES (3,'1.00',B'101')"}, []string{"INSERT INTO u VALUES (3,'2.00',B'101')"}},
		{"a computed column, and a trigger that changes the key", `CREATE TABLE u (id int PRIMARY KEY, a text, k text GENERATED ALWAYS AS (upper(a)) STORED); INSERT INTO u VALUES (1,'x'),(2,'x');
			CREATE FUNCTION zz() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.a := trim(NEW.a); RETURN NEW; END'; CREATE TRIGGER zz BEFORE INSERT OR UPDATE ON u FOR EACH ROW EXECUTE FUNCTION zz();`, source.Request{Table: "u", Key: []string{"k"}},
			[]string{"INSERT INTO u VALUES (3,'X')", "INSERT INTO u VALUES (3,' x ')"}, []string{"INSERT INTO u VALUES (3,'y')"}},
		{"partitions", "CREATE TABLE u (id int, d int, a text, PRIMARY KEY (id, d)) PARTITION BY LIST (d); CREATE TABLE u1 PARTITION OF u FOR VALUES IN (1); CREATE TABLE u2 PARTITION OF u FOR VALUES IN (2); INSERT INTO u VALUES (1,1,'x'),(2,1,'x');", source.Request{Table: "u", Key: []string{"d", "a"}},
			[]string{"INSERT INTO u VALUES (3,1,'x')", "INSERT INTO u1 VALUES (3,1,'x')"}, []string{"INSERT INTO u VALUES (3,2,'x')"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if c.request.NullsEqual && major(t, pgserver.Database(t)) < 15 {
				return // has no index under which NULLs are equal
			}
			s := fenced(t, c.script, c.request)
			index := s.plan.Tables[0].Operation(plan.OpUniqueIndex).Index.Name
			conn := s.session()
			for _, sql := range c.refused {
				_, err := conn.Exec(context.Background(), sql)
				var e *pgconn.PgError
				if !errors.As(err, &e) || e.Code != "23505" || e.ConstraintName != index {
					t.Errorf("%s: %v", sql, err)
				}
			}
			for _, sql := range c.passed {
				if _, err := conn.Exec(context.Background(), sql); err != nil {
					t.Errorf("%s: %v", sql, err)
				}
			}
		})
	}
}

// TestFenceBetweenTransactions lets two transactions add one key at once: the
// second waits, and is refused when the first has committed.
func TestFenceBetweenTransactions(t *testing.T) {
	ctx := context.Background()
	s := fenced(t, postgresTickets+"CREATE ROLE clerk LOGIN; GRANT INSERT ON tickets TO clerk;", ticketsRequest)
	t.Cleanup(func() { psql(t, s.where, "DROP OWNED BY clerk; DROP ROLE clerk;") }) // a role outlives its database
	one, two := s.session(), s.session()
	for _, role := range []string{"postgres", "clerk"} { // who may not even read the table
		tx, err := one.Begin(ctx)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := tx.Exec(ctx, "SET LOCAL ROLE "+role); err != nil {
			t.Fatal(err)
		}
		if _, err := tx.Exec(ctx, "INSERT INTO tickets VALUES (1, 'both', 1)"); err != nil {
			t.Fatal(err)
		}
		var second error
		var done sync.WaitGroup
		started := time.Now()
		done.Go(func() { _, second = two.Exec(ctx, "INSERT INTO tickets VALUES (2, 'both', 1)") })
		time.Sleep(100 * time.Millisecond)
		if err := tx.Commit(ctx); err != nil {
			t.Fatal(err)
		}
		done.Wait()
		var e *pgconn.PgError
		if !errors.As(second, &e) || e.Code != "23505" || time.Since(started) < 100*time.Millisecond {
			t.Errorf("%s: the second transaction got %v after %s", role, second, time.Since(started))
		}
		psql(t, s.where, "DELETE FROM tickets WHERE payment = 'both'")
	}
	// A bulk load does not use up the server's locks, and is not refused.
	psql(t, s.where, "INSERT INTO tickets SELECT g, 'bulk ' || g, 1 FROM generate_series(1000, 30000) AS g")
	want := "256"
	if major(t, s.where) < 14 {
		want = "1" // no server before 14 hashes a record, so that one lock stands for all keys
	}
	if locks := s.text("BEGIN; INSERT INTO tickets SELECT g, 'bulk ' || g, 1 FROM generate_series(40000, 45000) AS g; SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'; ROLLBACK"); locks != want {
		t.Errorf("%s advisory locks are held", locks)
	}
	if out := s.text("EXPLAIN (COSTS OFF) SELECT 1 FROM tickets WHERE payment = 'x' AND number = 1"); !strings.Contains(out, "twinrow_fence") && !strings.Contains(out, "Bitmap") {
		t.Errorf("the look-up has no index:\n%s", out)
	}
}

// TestInvalidIndexes has an index of the planned name that a failed build left,
// in both of its kinds, and one that is something else.
func TestInvalidIndexes(t *testing.T) {
	ctx := context.Background()
	broken := "CREATE UNIQUE INDEX CONCURRENTLY tickets_payment_number_key ON tickets (payment, number)"
	t.Run("inert", func(t *testing.T) {
		t.Parallel()
		s := databases[slicesIndex("postgres", "tickets")].online(t)
		if _, err := s.session().Exec(ctx, broken); err == nil {
			t.Fatal("the index was built over duplicates")
		}
		result := s.apply()
		if !strings.Contains(result.Tables[0].Healed, "inert") {
			t.Errorf("%+v", result)
		}
		wantOK(t, s.verify())
	})
	t.Run("enforcing", func(t *testing.T) {
		t.Parallel()
		s := databases[slicesIndex("postgres", "tickets")].online(t)
		if _, err := s.try(Options{Until: UntilClean}); err != nil {
			t.Fatal(full(err))
		}
		reader, err := s.session().Begin(ctx) // whose snapshot the build has to wait for
		if err != nil {
			t.Fatal(err)
		}
		if _, err := reader.Exec(ctx, "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ; SELECT * FROM tickets"); err != nil {
			t.Fatal(err)
		}
		builder := s.session()
		if _, err := builder.Exec(ctx, "SET lock_timeout = '300ms'"); err != nil {
			t.Fatal(err)
		}
		if _, err := builder.Exec(ctx, broken); err == nil {
			t.Fatal("the index did not wait")
		}
		if err := reader.Rollback(ctx); err != nil {
			t.Fatal(err)
		}
		result := s.apply()
		if !strings.Contains(result.Tables[0].Healed, "enforcing") {
			t.Errorf("%+v", result)
		}
		wantOK(t, s.verify())
	})
	for name, other := range map[string]string{
		"other columns":   "CREATE UNIQUE INDEX tickets_payment_number_key ON tickets (id)",
		"other predicate": "CREATE UNIQUE INDEX tickets_payment_number_key ON tickets (payment, number) WHERE id < 105",
		"not unique":      "CREATE INDEX tickets_payment_number_key ON tickets (payment, number)",
		"another table's": "CREATE TABLE other (payment text, number int); CREATE UNIQUE INDEX tickets_payment_number_key ON other (payment, number)",
		"no index at all": "CREATE TABLE tickets_payment_number_key (id int)",
		"other order":     "CREATE UNIQUE INDEX tickets_payment_number_key ON tickets (number, payment, id)",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := databases[slicesIndex("postgres", "tickets")].online(t)
			s.run(other + ";")
			err := unchanged(t, s, s.tryApply)
			wantCode(t, err, plan.CodeExists, "nothing was changed")
			s.mustRun("sql/10_fence.sql")
			s.mustRun("sql/20_clean.sql")
			if out, err := s.client(s.file("sql/30_index.sql")); err == nil || !strings.Contains(out, "this case did not build it") {
				t.Errorf("the file says %q", out)
			}
		})
	}
}

// TestNothingComesWhileALockIsHeld waits for a lock that never comes.
func TestALockThatNeverComes(t *testing.T) {
	ctx := context.Background()
	s := databases[slicesIndex("postgres", "tickets")].online(t)
	before := s.dump()
	holder, err := s.session().Begin(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := holder.Exec(ctx, "LOCK TABLE tickets IN ACCESS EXCLUSIVE MODE"); err != nil {
		t.Fatal(err)
	}
	wantCode(t, s.tryApply(), plan.CodeStopped, "another session holds a lock")
	if err := holder.Rollback(ctx); err != nil {
		t.Fatal(err)
	}
	if out := s.dump(); out != before {
		t.Errorf("something is left: %s", out)
	}
	s.undo()
	s.apply()
	wantOK(t, s.verify())
}
