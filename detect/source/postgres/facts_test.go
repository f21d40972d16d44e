package postgres

import (
	"testing"

	"twinrow/detect/source"
	"twinrow/detect/source/sourcetest/pgserver"

	"github.com/google/go-cmp/cmp"
)

// TestFacts reads what a clean-up must know of tables that are not ordinary.
func TestFacts(t *testing.T) {
	t.Parallel()
	url := pgserver.Database(t)
	run(t, url, `
CREATE TABLE plain (id int PRIMARY KEY, k text);
CREATE TABLE bare (k text);
CREATE TABLE named (k text); ALTER TABLE named REPLICA IDENTITY FULL;
CREATE PUBLICATION shop FOR TABLE plain, bare, named;
CREATE PUBLICATION additions FOR TABLE bare WITH (publish = 'insert');
CREATE TABLE secret (id int PRIMARY KEY, k text); ALTER TABLE secret ENABLE ROW LEVEL SECURITY;
CREATE TABLE forced (id int PRIMARY KEY, k text); ALTER TABLE forced ENABLE ROW LEVEL SECURITY; ALTER TABLE forced FORCE ROW LEVEL SECURITY;
CREATE TABLE ev (id int, day date, k text) PARTITION BY RANGE (day, lower(k));
CREATE TABLE ev1 PARTITION OF ev FOR VALUES FROM ('2025-01-01', 'a') TO ('2025-02-01', 'a');
CREATE TABLE broken (id int PRIMARY KEY, k text); CREATE UNIQUE INDEX broken_k_key ON broken (k); CREATE UNIQUE INDEX other ON broken (id, k);
UPDATE pg_index SET indisvalid = false WHERE indexrelid IN ('broken_k_key'::regclass, 'other'::regclass);
UPDATE pg_index SET indisready = false WHERE indexrelid = 'other'::regclass;
CREATE TABLE indexed (k text, n int); CREATE INDEX "by K" ON indexed (lower(k) DESC) WHERE n > 0; CREATE INDEX told ON indexed (n); COMMENT ON INDEX told IS 'why';
CREATE INDEX clustered ON indexed (k); CLUSTER indexed USING clustered;`)
	s := open(t, url, Options{})
	primary := func(table string) map[string]string {
		return map[string]string{table + "_pkey": "the constraint " + table + "_pkey needs it"}
	}
	for table, want := range map[string]*source.Facts{
		"plain":  {Bound: primary("plain")},
		"bare":   {RefusesDelete: []string{"shop"}},
		"named":  {},
		"secret": {RowSecurity: "on", Bound: primary("secret")},
		"forced": {RowSecurity: "forced", Bound: primary("forced")},
		"ev":     {PartitionKey: []string{"an expression", "day"}},
		"broken": {Inert: []string{"other"}, Enforcing: []string{"broken_k_key"}, Names: []string{"broken_k_key"},
			Bound: map[string]string{"broken_pkey": "the constraint broken_pkey needs it", "other": "it is INVALID", "broken_k_key": "it is INVALID"}},
		"indexed": {Indexes: map[string]string{"by K": `CREATE INDEX "by K" ON public.indexed USING btree (lower(k) DESC) WHERE (n > 0)`},
			Bound: map[string]string{"told": "it has a comment, which would be lost", "clustered": "the table is clustered by it"}},
	} {
		got := inspect(t, s, source.Request{Table: table, Key: []string{"k"}}).Facts
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: %s", table, diff)
		}
	}
}
