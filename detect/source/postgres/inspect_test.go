package postgres

import (
	"context"
	"testing"

	"github.com/google/go-cmp/cmp"

	"twinrow/detect/key"
	"twinrow/detect/source"
	"twinrow/detect/source/sourcetest/pgserver"
)

func TestInspectReadsTheCatalogue(t *testing.T) {
	t.Parallel()
	url := pgserver.Database(t)
	run(t, url, `
		CREATE SCHEMA "My Shop";
		CREATE TABLE "My Shop"."Ticket.s" (
			shop int, id bigint GENERATED ALWAYS AS IDENTITY, "Order" varchar(30) NOT NULL,
			cents numeric(10,2), total numeric GENERATED ALWAYS AS (cents * 100) STORED, gone int,
			PRIMARY KEY (id, shop));
		ALTER TABLE "My Shop"."Ticket.s" DROP COLUMN gone;
		CREATE TABLE scans (ticket bigint, shop int, CONSTRAINT scans_ticket FOREIGN KEY (shop, ticket)
			REFERENCES "My Shop"."Ticket.s" (shop, id) ON DELETE SET NULL);
		CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
		CREATE TRIGGER keep BEFORE DELETE ON "My Shop"."Ticket.s" FOR EACH ROW EXECUTE FUNCTION f();
		CREATE TRIGGER off BEFORE DELETE ON "My Shop"."Ticket.s" FOR EACH ROW EXECUTE FUNCTION f();
		CREATE TRIGGER other BEFORE UPDATE ON "My Shop"."Ticket.s" FOR EACH ROW EXECUTE FUNCTION f();
		ALTER TABLE "My Shop"."Ticket.s" DISABLE TRIGGER off;`)
	s := open(t, url, Options{})
	got := inspect(t, s, source.Request{Table: `"My Shop"."Ticket.s"`, Key: []string{"Order"}, Where: " cents > 0 "})
	want := &source.Table{
		Name: `"My Shop"."Ticket.s"`,
		Columns: []source.Column{
			{Name: "shop", Type: "integer", NotNull: true},
			{Name: "id", Type: "bigint", NotNull: true, Identity: "always"},
			{Name: "Order", Type: "character varying(30)", NotNull: true},
			{Name: "cents", Type: "numeric(10,2)"},
			{Name: "total", Type: "numeric", Generated: true},
		},
		Key: key.Key{Parts: []key.Part{{Text: "Order"}}, Where: "cents > 0"},
		ID:  []string{"id", "shop"},
		IncomingKeys: []source.ForeignKey{{Name: "scans_ticket", Table: "public.scans",
			Columns: []string{"shop", "ticket"}, References: []string{"shop", "id"}, OnDelete: "set null"}},
		Triggers: []string{"keep"}, UpdateTriggers: []string{"other"},
		Facts: &source.Facts{Bound: map[string]string{"Ticket.s_pkey": "the constraint Ticket.s_pkey needs it"}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	again := inspect(t, s, source.Request{Table: got.Name, Key: []string{"Order"}, Where: "cents > 0"})
	if diff := cmp.Diff(want, again); diff != "" {
		t.Errorf("by its canonical name:\n%s", diff)
	}
}

func TestNamesOfTables(t *testing.T) {
	t.Parallel()
	url := pgserver.Database(t)
	run(t, url, `CREATE TABLE tickets (a int); CREATE TABLE "Tickets" (a int); CREATE TABLE "ORDERS" (a int);
		CREATE TABLE "Mix" (a int); CREATE TABLE "miX" (a int); CREATE TABLE "select" (a int);
		CREATE SCHEMA shop; CREATE TABLE shop.invoices (a int); CREATE TABLE shop.tickets (a int);
		CREATE VIEW seen AS SELECT 1 AS a; CREATE MATERIALIZED VIEW kept AS SELECT 1 AS a;
		CREATE EXTENSION file_fdw; CREATE SERVER files FOREIGN DATA WRAPPER file_fdw;
		CREATE FOREIGN TABLE far (a int) SERVER files OPTIONS (filename '/dev/null');
		CREATE TABLE cut (a int) PARTITION BY LIST (a); CREATE FOREIGN TABLE cut1 PARTITION OF cut FOR VALUES IN (1) SERVER files OPTIONS (filename '/dev/null');
		CREATE TABLE nothing (); CREATE TABLE none (a json, b point)`)
	s := open(t, url, Options{})
	database := s.Info().Database
	for name, want := range map[string]string{
		"tickets": "public.tickets", "TICKETS": "public.tickets", "Tickets": `public."Tickets"`, `"Tickets"`: `public."Tickets"`,
		"public.tickets": "public.tickets", "Shop.Tickets": "shop.tickets", "orders": `public."ORDERS"`, "select": `public."select"`,
		`public."select"`: `public."select"`, " tickets ": "public.tickets", database + ".shop.invoices": "shop.invoices",
	} {
		if got := inspect(t, s, source.Request{Table: name, Key: []string{"a"}}); got.Name != want {
			t.Errorf("%s is %s, want %s", name, got.Name, want)
		}
	}
	for _, c := range []struct {
		name, code string
		words      []string
	}{
		{"tickts", key.CodeNotFound, []string{`no table "tickts"`, "did you mean tickets"}},
		{"invoices", key.CodeNotFound, []string{"did you mean shop.invoices"}},
		{`"TICKETS"`, key.CodeNotFound, []string{"no table"}},
		{"zzzzzzzzzzzzz", key.CodeNotFound, []string{"there are: "}},
		{"mix", key.CodeUsage, []string{"several", `public."Mix"`}},
		{"", key.CodeUsage, []string{"--table"}},
		{"a.b.c", key.CodeUsage, []string{"SCHEMA.TABLE"}},
		{`"open`, key.CodeUsage, []string{"not a table's name"}},
		{"a..b", key.CodeUsage, nil},
		{"seen", key.CodeUsage, []string{"public.seen is a view", "--id"}},
		{"far", key.CodeUsage, []string{"public.far is a foreign table", "--id"}},
		{"cut", key.CodeUsage, []string{"public.cut is spread over foreign tables", "--id"}},
		{"pg_class; DROP TABLE tickets", key.CodeNotFound, nil},
	} {
		_, err := s.Inspect(context.Background(), source.Request{Table: c.name, Key: []string{"a"}})
		problem(t, err, c.code, c.words...)
	}
	for _, c := range []struct {
		req  source.Request
		code string
		want []string
	}{
		{source.Request{Table: "none", Key: []string{"a"}}, key.CodeUnsupported, []string{"json", "::jsonb"}},
		{source.Request{Table: "none", Key: []string{"b"}}, key.CodeUnsupported, []string{"point"}},
		{source.Request{Table: "nothing", Key: []string{"a"}}, key.CodeNotFound, nil},
		{source.Request{Table: "tickets", Key: []string{"lower(b)"}}, key.CodeNotFound, []string{`column "b" does not exist at character 7`}},
		{source.Request{Table: "tickets", Key: []string{"count(a)"}}, key.CodeUsage, []string{"aggregate"}},
		{source.Request{Table: "tickets", Key: []string{"a) , (a"}}, key.CodeUsage, nil},
		{source.Request{Table: "tickets", Key: []string{"a::text) || (a"}}, key.CodeUsage, nil},
		{source.Request{Table: "tickets", Key: []string{"generate_series(1, 2)"}}, key.CodeUsage, []string{"set-returning"}},
		{source.Request{Table: "tickets", Key: []string{"a"}, Where: "true) OR (true"}, key.CodeUsage, []string{"predicate"}},
		{source.Request{Table: "tickets", Key: []string{"a"}, Where: "true] OR x[1"}, key.CodeUsage, nil},
		{source.Request{Table: "tickets", Key: []string{"a"}, Where: "a = 'x"}, key.CodeUsage, nil},
		{source.Request{Table: "tickets", Key: []string{"a"}, Where: "a"}, key.CodeUsage, []string{"boolean"}},
		{source.Request{Table: "tickets", Key: []string{"a"}, Where: "true; DROP TABLE tickets"}, key.CodeUsage, nil},
		{source.Request{Table: "tickets", Key: []string{"a"}, Where: "a = $1"}, key.CodeUsage, []string{"parameter"}},
		{source.Request{Table: "tickets", Key: []string{"a"}, Where: "/* {where}"}, key.CodeUsage, nil},
	} {
		_, err := s.Inspect(context.Background(), c.req)
		problem(t, err, c.code, c.want...)
	}
	inspect(t, s, source.Request{Table: "tickets", Key: []string{"a"}}) // errors leave the source usable
}

func TestUniqueBy(t *testing.T) {
	t.Parallel()
	url := pgserver.Database(t)
	run(t, url, `
		CREATE COLLATION folded (provider = icu, locale = 'und-u-ks-level1', deterministic = false);
		CREATE TABLE u (id int PRIMARY KEY, a int, b int NOT NULL, c text COLLATE folded, d text, live bool);
		CREATE UNIQUE INDEX by_a ON u (a);
		CREATE UNIQUE INDEX by_ab ON u (a, b) INCLUDE (d);
		CREATE UNIQUE INDEX by_b_live ON u (b) WHERE live;
		CREATE UNIQUE INDEX by_c_other ON u (c COLLATE "C");
		CREATE UNIQUE INDEX by_d_c ON u (d COLLATE "C");
		CREATE UNIQUE INDEX by_lower ON u (lower(d));
		CREATE INDEX plain ON u (live);
		CREATE UNIQUE INDEX invalid ON u (live); UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'invalid'::regclass;`)
	both := []string(nil) // before 15 no index of several columns takes NULLs as equal
	if major(t, url) >= 15 {
		run(t, url, "CREATE UNIQUE INDEX by_both ON u (a, d) NULLS NOT DISTINCT")
		both = []string{"by_both"}
	}
	s := open(t, url, Options{})
	for _, c := range []struct {
		keys  []string
		where string
		equal bool
		want  []string
	}{
		{[]string{"id"}, "", false, []string{"u_pkey"}},
		{[]string{"id"}, "live", true, []string{"u_pkey"}},
		{[]string{"a"}, "", false, []string{"by_a"}},
		{[]string{"a"}, "", true, nil},
		{[]string{"b", "a"}, "", false, []string{"by_a", "by_ab"}},
		{[]string{"b", "a"}, "", true, nil},
		{[]string{"b"}, "", false, nil},
		{[]string{"b"}, "(LIVE)", false, []string{"by_b_live"}},
		{[]string{"c"}, "", false, nil},
		{[]string{"d"}, "", false, []string{"by_d_c"}},
		{[]string{"lower( d )"}, "", false, []string{"by_lower"}},
		{[]string{"d", "a"}, "", true, both},
		{[]string{"live"}, "", false, nil},
	} {
		got := inspect(t, s, source.Request{Table: "u", Key: c.keys, Where: c.where, NullsEqual: c.equal}).UniqueBy
		if diff := cmp.Diff(c.want, got); diff != "" && len(c.want)+len(got) > 0 {
			t.Errorf("%v where %q, nulls equal %v: %s", c.keys, c.where, c.equal, diff)
		}
	}
}

func TestForeignKeysOfPartitionedTablesAreNamedOnce(t *testing.T) {
	t.Parallel()
	url := pgserver.Database(t)
	run(t, url, `CREATE TABLE target (id int PRIMARY KEY) PARTITION BY RANGE (id);
		CREATE TABLE target1 PARTITION OF target FOR VALUES FROM (0) TO (100);
		CREATE TABLE refs (id int REFERENCES target ON DELETE CASCADE, other int REFERENCES target) PARTITION BY RANGE (id);
		CREATE TABLE refs1 PARTITION OF refs FOR VALUES FROM (0) TO (10);`)
	s := open(t, url, Options{})
	want := []source.ForeignKey{
		{Name: "refs_id_fkey", Table: "public.refs", Columns: []string{"id"}, References: []string{"id"}, OnDelete: "cascade"},
		{Name: "refs_other_fkey", Table: "public.refs", Columns: []string{"other"}, References: []string{"id"}, OnDelete: "no action"},
	}
	if diff := cmp.Diff(want, inspect(t, s, source.Request{Table: "target", Key: []string{"id"}}).IncomingKeys); diff != "" {
		t.Error(diff)
	}
	if got := inspect(t, s, source.Request{Table: "target1", Key: []string{"id"}}).IncomingKeys; len(got) != 2 {
		t.Errorf("a partition is referred to through its parent, got %v", got)
	}
}
