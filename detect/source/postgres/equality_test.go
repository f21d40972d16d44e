package postgres

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"twinrow/detect/source"
)

// kinds are column types with values of which some are equal though they are
// written differently, and NULL.
var kinds = []struct {
	name, typ string
	values    []string
	way       string // "" is packed
}{
	{"text", "text", []string{"'a'", "'A'", "'a '", "''", "'ä'", "repeat('x', 3000)"}, ""},
	{"varchar", "varchar(10)", []string{"'a'", "'b'", "'B '"}, ""},
	{"char", "char(5)", []string{"'a'", "'a  '", "'b'"}, ""},
	{"cit", "citext", []string{"'Mail@Example.com'", "'mail@example.com'", "'other'"}, ""},
	{"icu", "text COLLATE folded", []string{"'Straße'", "'STRASSE'", "'straße'", "'ÉTÉ'", "'été'"}, ""},
	{"small", "int2", []string{"1", "-1", "0"}, ""},
	{"whole", "int4", []string{"1", "-1", "0", "2147483647"}, ""},
	{"big", "int8", []string{"1", "-1", "9223372036854775807"}, ""},
	{"num", "numeric", []string{"1.0", "1.00", "1", "'NaN'", "0", "'-0'", "1e10", "10000000000.000", "'Infinity'"}, ""},
	{"real4", "float4", []string{"0", "'-0'", "'NaN'", "1.5"}, ""},
	{"double8", "float8", []string{"0", "'-0'", "'NaN'", "'-Infinity'"}, ""},
	{"yes", "bool", []string{"true", "false"}, ""},
	{"uid", "uuid", []string{"'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11'", "'a0eebc999c0b4ef8bb6d6bb9bd380a11'"}, ""},
	{"day", "date", []string{"'2025-12-24'", "'infinity'", "'-infinity'"}, ""},
	{"clock", "time", []string{"'12:00'", "'24:00'", "'00:00'"}, ""},
	{"clockz", "timetz", []string{"'12:00+01'", "'11:00+00'"}, ""},
	{"stamp", "timestamp", []string{"'2025-12-24 01:02:03.456'", "'infinity'"}, ""},
	{"stampz", "timestamptz", []string{"'2025-12-24 01:00+01'", "'2025-12-24 00:00+00'", "'-infinity'"}, ""},
	{"span", "interval", []string{"'1 day'", "'24 hours'", "'1 month'", "'30 days'"}, ""},
	{"raw", "bytea", []string{`'\x00ff'`, `'\x'`, `'\xff'`}, ""},
	{"addr", "inet", []string{"'10.0.0.1'", "'10.0.0.1/32'", "'10.0.0.1/8'"}, ""},
	{"net", "cidr", []string{"'10.0.0.0/8'", "'10.0.0.0/16'"}, ""},
	{"doc", "jsonb", []string{`'{"a": 1, "b": [1.0]}'`, `'{"b": [1], "a": 1.00}'`, `'null'`, `'{}'`, `'[]'`}, ""},
	{"mood", "mood", []string{"'calm'", "'cross'"}, ""},
	{"dom", "shout", []string{"'a'", "'b'"}, ""},
	{"domcit", "shoutci", []string{"'a'", "'A'", "'b'"}, ""},
	{"dommood", "dommood", []string{"'calm'", "'cross'"}, ""},
	{"domarr", "domarr", []string{"'{1}'", "'{2,NULL}'"}, ""},
	{"arr", "numeric[]", []string{"'{1.0,2}'", "'{1,2.00}'", "'{}'", "'{NULL}'"}, ""},
	{"marr", "mood[]", []string{"'{calm}'", "'{cross,calm}'"}, ""},
	{"rng", "int4range", []string{"'[1,5)'", "'[1,4]'", "'empty'", "'(,)'"}, ""},
	{"mrng", "nummultirange", []string{"'{[1,2],[2,3]}'", "'{[1,3]}'", "'{}'"}, ""},
	{"comp", "pair", []string{"ROW(1, 'a')::pair", "ROW(NULL, 'a')::pair", "ROW(NULL, NULL)::pair"}, ""},
	{"lsn", "pg_lsn", []string{"'0/1'", "'0/2'"}, ""},
	{"mac", "macaddr", []string{"'08:00:2b:01:02:03'", "'08002b:010203'"}, ""},
	{"rel", "regclass", []string{"'pg_class'", "'pg_type'"}, ""},
	{"nam", "name", []string{"'a'", "'b'"}, ""},
	{"cash", "money", []string{"1", "1.00", "2"}, "group-by"},
	{"bits", "bit(3)", []string{"B'101'", "B'001'"}, "group-by"},
	{"cashes", "money[]", []string{"'{1}'", "'{2}'"}, "group-by"},
	{"cashpair", "cashpair", []string{"ROW(1, 2)::cashpair", "ROW(2, 2)::cashpair"}, "group-by"},
	{"tsv", "tsvector", []string{"'a b'", "'b a'", "'c'"}, "group-by"},
}

const typesSQL = `
CREATE EXTENSION citext;
CREATE COLLATION folded (provider = icu, locale = 'und-u-ks-level1', deterministic = false);
CREATE TYPE mood AS ENUM ('calm', 'cross');
CREATE DOMAIN shout AS varchar(20) CHECK (VALUE <> 'x');
CREATE DOMAIN shoutci AS citext;
CREATE DOMAIN dommood AS mood;
CREATE DOMAIN domarr AS int[];
CREATE TYPE pair AS (n numeric, t text);
CREATE TYPE cashpair AS (n int, m money);
`

// wide makes a table with a column of every kind and n random rows.
func wide(t testing.TB, url string, n int, seed uint64) {
	t.Helper()
	random := rand.New(rand.NewPCG(seed, 1))
	var columns, rows []string
	for _, k := range kinds {
		columns = append(columns, k.name+" "+k.typ)
	}
	for range n {
		var fields []string
		for _, k := range kinds {
			if random.IntN(6) == 0 {
				fields = append(fields, "NULL")
			} else {
				fields = append(fields, k.values[random.IntN(len(k.values))])
			}
		}
		rows = append(rows, "INSERT INTO wide VALUES (DEFAULT, "+strings.Join(fields, ", ")+")")
	}
	run(t, url, typesSQL+"CREATE TABLE wide (id serial PRIMARY KEY, "+strings.Join(columns, ", ")+");"+strings.Join(rows, ";"))
}

func TestGroupsAreTheDatabasesOwnForEveryType(t *testing.T) {
	t.Parallel()
	url := serverDatabase(t)
	wide(t, url, 60, 7)
	s := open(t, url, Options{})
	for _, k := range kinds {
		for _, nullsEqual := range []bool{false, true} {
			table := compare(t, s, url, source.Request{Table: "wide", Key: []string{k.name}, NullsEqual: nullsEqual})
			want := k.way
			if want == "" {
				want = "packed"
			}
			if got := s.Capabilities(table); got.Way != want || got.Reason == "" {
				t.Errorf("%s is read the way %q (%s), want %q", k.name, got.Way, got.Reason, want)
			}
		}
	}
}

func TestGroupsOfCompositeKeysExpressionsAndPredicates(t *testing.T) {
	t.Parallel()
	url := serverDatabase(t)
	wide(t, url, 400, 11)
	s := open(t, url, Options{Jobs: 3})
	random := rand.New(rand.NewPCG(3, 5))
	expressions := []string{"lower(text)", "whole % 2", "coalesce(varchar, 'none') -- to the end", "date_trunc('day', stampz)", "doc->'a'", "num + 0.00",
		"(num, text)", "text || varchar", "yes::text", "'fixed'", "(CASE WHEN yes THEN 1 END)", "raw", "arr[1]", "(wide.small)", "icu || 'x'"}
	predicates := []string{"", "yes", "whole > 0 OR small < 0", "text <> 'a)' -- comment", "stampz < 'infinity' /* ) */", "id IN (SELECT id FROM wide WHERE yes)"}
	for i := range 60 {
		var parts []string
		for range 1 + random.IntN(3) {
			part := kinds[random.IntN(len(kinds))].name
			if random.IntN(3) == 0 {
				part = expressions[random.IntN(len(expressions))]
			}
			if !strings.Contains(strings.Join(parts, "\x00")+"\x00", part+"\x00") {
				parts = append(parts, part)
			}
		}
		req := source.Request{Table: "wide", Key: parts, NullsEqual: i%2 == 0, Where: predicates[random.IntN(len(predicates))]}
		t.Run(fmt.Sprint(i), func(t *testing.T) { compareLoose(t, s, url, req) })
	}
}
