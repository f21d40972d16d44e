package apply

import (
	"strings"
	"testing"

	"twinrow/detect/source"
	"twinrow/detect/source/sourcetest/pgserver"
	"twinrow/remediate/plan"

	"github.com/google/go-cmp/cmp"
)

// customers were made twice, and so were orders, some of them for both.
const customers = `
CREATE TABLE customers (id int PRIMARY KEY, email text);
CREATE TABLE orders (id int PRIMARY KEY, customer_id int REFERENCES customers, ref text, note text);
CREATE TABLE lines (id int PRIMARY KEY, order_id int REFERENCES orders, customer_id int REFERENCES customers);
INSERT INTO customers VALUES (1, 'a'), (2, 'a'), (3, 'b'), (4, 'b'), (5, 'c'), (6, 'd'), (7, 'd');
INSERT INTO lines VALUES (1, 10, 1), (2, 13, 4);
`

var (
	byEmail = source.Request{Table: "customers", Key: []string{"email"}}
	byRef   = source.Request{Table: "orders", Key: []string{"customer_id", "ref"}, Ignore: []string{"note"}}
	bySole  = source.Request{Table: "orders", Key: []string{"ref"}, Ignore: []string{"customer_id", "note"}}
)

// TestEntriesForeseeOneAnother: what one entry does to another's rows is
// foretold, or the group is held with the reason.
func TestEntriesForeseeOneAnother(t *testing.T) {
	dropping := map[string]plan.Rules{"customers": {References: []plan.ReferenceRule{{Table: "orders", Columns: []string{"customer_id"}, OnConflict: plan.Drop}}}}
	deleting := map[string]plan.Rules{"customers": {References: []plan.ReferenceRule{{Table: "orders", Columns: []string{"customer_id"}, Action: plan.DeleteRow}}}}
	for _, c := range []struct {
		name, orders string
		requests     []source.Request
		rules        map[string]plan.Rules
		held         []string
	}{
		{"rows come to be duplicates of another entry", "(10, 1, 'x'), (11, 2, 'x'), (12, 3, 'y'), (13, 4, 'z')", []source.Request{byEmail, byRef}, nil,
			[]string{"1 row of public.orders (customer_id) would become a duplicate under the key of orders (customer_id, ref)"}},
		{"the same, the other entry first", "(10, 1, 'x'), (11, 2, 'x'), (12, 3, 'y'), (13, 4, 'z')", []source.Request{byRef, byEmail}, nil,
			[]string{"1 row of public.orders (customer_id) would become a duplicate"}},
		{"they are dropped", "(10, 1, 'x'), (11, 2, 'x'), (12, 3, 'y'), (13, 4, 'z')", []source.Request{byEmail, byRef}, dropping, nil},
		{"they are dropped, the other entry first", "(10, 1, 'x'), (11, 2, 'x'), (12, 3, 'y'), (13, 4, 'z')", []source.Request{byRef, byEmail}, dropping, nil},
		{"duplicates already, and all of them move", "(10, 2, 'x'), (11, 2, 'x'), (12, 4, 'x'), (13, 4, 'y')", []source.Request{byEmail, byRef}, nil, nil},
		{"the same, cleaned before they move", "(10, 2, 'x'), (11, 2, 'x'), (12, 4, 'x'), (13, 4, 'y')", []source.Request{byRef, byEmail}, nil, nil},
		{"duplicates already, and more come", "(10, 1, 'x'), (11, 2, 'x'), (12, 2, 'x'), (13, 3, 'y')", []source.Request{byEmail, byRef}, nil,
			[]string{"1 row of public.orders (customer_id) would become a duplicate"}},
		{"duplicates already, and what collides is dropped", "(10, 1, 'x'), (11, 2, 'x'), (12, 2, 'x'), (13, 3, 'y')", []source.Request{byEmail, byRef}, dropping,
			[]string{"of the rows of public.orders (customer_id) that would collide, some are in group"}},
		{"rows of another entry's groups move", "(10, 1, 'x'), (11, 2, 'x'), (12, 4, 'y'), (13, 3, 'y')", []source.Request{byEmail, bySole}, nil, nil},
		{"they move after some of them went", "(10, 1, 'x'), (11, 2, 'x'), (12, 4, 'y'), (13, 3, 'y')", []source.Request{bySole, byEmail}, nil, nil},
		{"rows of another entry's groups go", "(10, 1, 'x'), (11, 2, 'x'), (12, 3, 'y'), (13, 5, 'y')", []source.Request{byEmail, bySole}, deleting,
			[]string{"a row of it is deleted with group"}},
	} {
		for _, engine := range []string{"postgres", "sqlite"} {
			t.Run(engine+"/"+c.name, func(t *testing.T) {
				t.Parallel()
				s := customersOf(t, engine, c.orders, plan.Options{Rules: c.rules}, c.requests)
				var held []string
				for _, table := range s.plan.Tables {
					for _, h := range table.Held {
						held = append(held, h.Reason)
					}
				}
				if len(held) != len(c.held) {
					t.Fatalf("held: %q, want %q", held, c.held)
				}
				for i := range held {
					if want := strings.ReplaceAll(c.held[i], "public.", s.schema()); !strings.Contains(held[i], want) {
						t.Errorf("held: %q, want %q", held[i], want)
					}
				}
				s.forthAndBack(t)
			})
		}
	}
}

// customersOf is a case of the customers with orders.
func customersOf(t *testing.T, engine, orders string, options plan.Options, requests []source.Request) *story {
	t.Helper()
	script := strings.Replace(customers, "INSERT INTO lines", "INSERT INTO orders (id, customer_id, ref) VALUES "+orders+"; INSERT INTO lines", 1)
	if engine == "postgres" {
		url := pgserver.Database(t)
		psql(t, url, script)
		return scanned(t, engine, url, options, requests...)
	}
	return scanned(t, engine, sqliteFile(t, script), options, requests...)
}

// schema is what stands before a table's name.
func (s *story) schema() string {
	return map[bool]string{true: "public."}[s.engine == "postgres"]
}

// forthAndBack rehearses, applies, verifies and takes back, by apply and by
// the files, and compares what was done with what was foretold.
func (s *story) forthAndBack(t *testing.T) {
	t.Helper()
	before := s.dump()
	dry, err := s.try(Options{DryRun: true})
	if err != nil {
		t.Fatalf("dry run: %s", full(err))
	}
	if diff := cmp.Diff(before, s.dump()); diff != "" {
		t.Fatalf("a dry run changed something: %s", diff)
	}
	result := s.apply()
	for i, table := range s.plan.Tables {
		want := map[string]plan.Effect{}
		for name, e := range table.Effects {
			if e != (plan.Effect{}) {
				want[name] = e
			}
		}
		if diff := cmp.Diff(want, result.Tables[i].Effects); diff != "" {
			t.Errorf("%s: foretold and done (-plan +apply):\n%s", table.Name, diff)
		}
		if diff := cmp.Diff(dry.Tables[i].Effects, result.Tables[i].Effects); diff != "" {
			t.Errorf("%s: rehearsed and done (-dry +apply):\n%s", table.Name, diff)
		}
		if len(table.Held) > 0 {
			continue
		}
		for _, c := range s.verify().Checks {
			if !c.OK && c.Table == table.Table {
				t.Errorf("%s: %s: %s", c.Table, c.Name, c.Detail)
			}
		}
	}
	if again := s.apply(); !again.Already {
		t.Errorf("a second apply did something: %+v", again)
	}
	after := s.dump()
	s.undo()
	if diff := cmp.Diff(before, s.dump()); diff != "" {
		t.Fatalf("undo is not exact: %s", diff)
	}
	s.mustRun("sql/20_clean_and_index.sql")
	s.mustRun("sql/20_clean_and_index.sql")
	if diff := cmp.Diff(withoutTimes(after), withoutTimes(s.dump())); diff != "" {
		t.Errorf("the file did another thing than apply: %s", diff)
	}
	s.mustRun("sql/20_clean_and_index_undo.sql")
	if diff := cmp.Diff(before, s.dump()); diff != "" {
		t.Fatalf("the file's way back is not exact: %s", diff)
	}
}

// withoutTimes leaves out of a dump what the quarantine says of its own rows.
func withoutTimes(dump string) string {
	var lines []string
	for line := range strings.Lines(dump) {
		if !strings.Contains(line, "twinrow") && !strings.Contains(line, `{\"`) && !strings.Contains(line, `{""`) && !strings.Contains(line, "updated,") && !strings.Contains(line, "deleted,") {
			lines = append(lines, line)
		}
	}
	return strings.Join(lines, "")
}
