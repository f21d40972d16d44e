// Package pgrandom makes random tables of Postgres: columns of every type, in
// every form a table can have, with a key to look for and the GROUP BY that
// says what is to be found. The same seed makes the same tables.
//
// It knows nothing of how twinrow reads, and is only imported by tests.
package pgrandom

import "slices"

// Kind is a column type with values of which some are equal though they are
// written differently.
type Kind struct {
	Name, Type string
	// Values are SQL.
	Values []string
	// Fresh is SQL for a value that no other row has, with the row's number for %d.
	Fresh string
	// Exprs are expressions over a column %s of the type.
	Exprs []string
	// Hashless is true for a type that the server cannot hash.
	Hashless bool
	// Since is the first major version that has the type, 0 for all.
	Since int
	// HashedSince is the first major version that hashes it, 0 for all.
	HashedSince int
}

// Hashed tells whether a server of the major version hashes the type.
func (k Kind) Hashed(version int) bool { return !k.Hashless && version >= k.HashedSince }

// Kinds returns the kinds that a server of the major version has.
func Kinds(version int) []Kind {
	return slices.DeleteFunc(slices.Clone(kinds), func(k Kind) bool { return version < k.Since })
}

var kinds = []Kind{
	{Name: "text", Type: "text", Values: []string{"'a'", "'A'", "'a '", "''", "'ä'", "repeat('x', 3000)"}, Fresh: "'t%d'", Exprs: []string{"lower(%s)", "length(%s)", "%s || 'x'"}},
	{Name: "varchar", Type: "varchar(10)", Values: []string{"'a'", "'b'", "'B '"}, Fresh: "'v%d'", Exprs: []string{"trim(%s)", "coalesce(%s, 'none') -- to the end"}},
	{Name: "char", Type: "char(9)", Values: []string{"'a'", "'a  '", "'b'"}, Fresh: "'c%d'", Exprs: []string{"%s::text"}},
	{Name: "cit", Type: "citext", Values: []string{"'Mail@Example.com'", "'mail@example.com'", "'other'"}, Fresh: "'M%d@example.com'", Exprs: []string{"%s::text"}},
	{Name: "icu", Type: "text COLLATE folded", Values: []string{"'Straße'", "'STRASSE'", "'straße'", "'ÉTÉ'", "'été'"}, Fresh: "'Ü%d'", Exprs: []string{"%s || 'x'", `(%s COLLATE "C")`}},
	{Name: "small", Type: "int2", Values: []string{"1", "-1", "0"}, Exprs: []string{"(%s)", "(-%s)"}},
	{Name: "whole", Type: "int4", Values: []string{"1", "-1", "0", "2147483647"}, Fresh: "%d", Exprs: []string{"%s %% 3", "%s::numeric"}},
	{Name: "big", Type: "int8", Values: []string{"1", "-1", "9223372036854775807"}, Fresh: "%d", Exprs: []string{"%s / 2"}},
	{Name: "num", Type: "numeric", Values: []string{"1.0", "1.00", "1", "'NaN'", "0", "'-0'", "1e10", "10000000000.000"}, Fresh: "%d.50", Exprs: []string{"%s + 0.00", "(-%s)"}},
	{Name: "numinf", Type: "numeric", Values: []string{"'Infinity'", "'-Infinity'", "'inf'", "7"}, Since: 14},
	{Name: "real4", Type: "float4", Values: []string{"0", "'-0'", "'NaN'", "1.5"}, Exprs: []string{"%s::float8"}},
	{Name: "double8", Type: "float8", Values: []string{"0", "'-0'", "'NaN'", "'-Infinity'"}, Fresh: "%d.25", Exprs: []string{"(-%s)"}},
	{Name: "yes", Type: "bool", Values: []string{"true", "false"}, Exprs: []string{"(NOT %s)", "(CASE WHEN %s THEN 1 END)"}},
	{Name: "uid", Type: "uuid", Values: []string{"'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11'", "'a0eebc999c0b4ef8bb6d6bb9bd380a11'"}, Fresh: "lpad(%d::text, 32, '0')::uuid"},
	{Name: "day", Type: "date", Values: []string{"'2025-12-24'", "'infinity'", "'-infinity'"}, Fresh: "date '2000-01-01' + %d", Exprs: []string{"%s::timestamp"}},
	{Name: "clock", Type: "time", Values: []string{"'12:00'", "'24:00'", "'00:00'"}},
	{Name: "clockz", Type: "timetz", Values: []string{"'12:00+01'", "'11:00+00'"}},
	{Name: "stamp", Type: "timestamp", Values: []string{"'2025-12-24 01:02:03.456'", "'infinity'"}, Fresh: "timestamp '2000-01-01' + %d * interval '1 s'", Exprs: []string{"%s::date"}},
	{Name: "stampz", Type: "timestamptz", Values: []string{"'2025-12-24 01:00+01'", "'2025-12-24 00:00+00'", "'-infinity'"}, Fresh: "timestamptz '2000-01-01' + %d * interval '1 s'", Exprs: []string{"date_trunc('day', %s)"}},
	{Name: "span", Type: "interval", Values: []string{"'1 day'", "'24 hours'", "'1 month'", "'30 days'"}, Fresh: "%d * interval '1 s'"},
	{Name: "raw", Type: "bytea", Values: []string{`'\x00ff'`, `'\x'`, `'\xff'`}, Fresh: "'b%d'", Exprs: []string{"encode(%s, 'hex')"}},
	{Name: "addr", Type: "inet", Values: []string{"'10.0.0.1'", "'10.0.0.1/32'", "'10.0.0.1/8'"}, Fresh: "inet '10.0.0.0' + %d", Exprs: []string{"host(%s)"}},
	{Name: "net", Type: "cidr", Values: []string{"'10.0.0.0/8'", "'10.0.0.0/16'"}},
	{Name: "doc", Type: "jsonb", Values: []string{`'{"a": 1, "b": [1.0]}'`, `'{"b": [1], "a": 1.00}'`, `'null'`, `'{}'`, `'[]'`}, Fresh: "'%d'", Exprs: []string{"%s->'a'", "%s->>'a'"}},
	{Name: "mood", Type: "mood", Values: []string{"'calm'", "'cross'"}, Exprs: []string{"%s::text"}},
	{Name: "dom", Type: "shout", Values: []string{"'a'", "'b'"}, Fresh: "'d%d'", Exprs: []string{"upper(%s)"}},
	{Name: "domcit", Type: "shoutci", Values: []string{"'a'", "'A'", "'b'"}, Fresh: "'D%d'"},
	{Name: "dommood", Type: "dommood", Values: []string{"'calm'", "'cross'"}},
	{Name: "domarr", Type: "domarr", Values: []string{"'{1}'", "'{2,NULL}'"}, Exprs: []string{"%s[1]"}},
	{Name: "arr", Type: "numeric[]", Values: []string{"'{1.0,2}'", "'{1,2.00}'", "'{}'", "'{NULL}'"}, Fresh: "'{%d}'", Exprs: []string{"%s[1]"}},
	{Name: "marr", Type: "mood[]", Values: []string{"'{calm}'", "'{cross,calm}'"}},
	{Name: "rng", Type: "int4range", Values: []string{"'[1,5)'", "'[1,4]'", "'empty'", "'(,)'"}, Fresh: "int4range(%d, NULL)", Exprs: []string{"lower(%s)"}},
	{Name: "mrng", Type: "nummultirange", Values: []string{"'{[1,2],[2,3]}'", "'{[1,3]}'", "'{}'"}, Since: 14},
	{Name: "comp", Type: "pair", Values: []string{"ROW(1, 'a')::pair", "ROW(1.0, 'a')::pair", "ROW(NULL, 'a')::pair", "ROW(NULL, NULL)::pair"}, Fresh: "ROW(%d, 'f')::pair", Exprs: []string{"(%s).n"}, HashedSince: 14},
	{Name: "lsn", Type: "pg_lsn", Values: []string{"'0/1'", "'0/2'"}},
	{Name: "mac", Type: "macaddr", Values: []string{"'08:00:2b:01:02:03'", "'08002b:010203'"}},
	{Name: "rel", Type: "regclass", Values: []string{"'pg_class'", "'pg_type'"}},
	{Name: "nam", Type: "name", Values: []string{"'a'", "'b'"}, Fresh: "'n%d'"},
	{Name: "cash", Type: "money", Values: []string{"1", "1.00", "2"}, Hashless: true},
	{Name: "bits", Type: "bit(3)", Values: []string{"B'101'", "B'001'"}, Hashless: true},
	{Name: "cashes", Type: "money[]", Values: []string{"'{1}'", "'{2}'"}, Hashless: true},
	{Name: "cashpair", Type: "cashpair", Values: []string{"ROW(1, 2)::cashpair", "ROW(2, 2)::cashpair"}, Hashless: true},
	{Name: "tsv", Type: "tsvector", Values: []string{"'a b'", "'b a'", "'c'"}, Hashless: true},
}

// Types is SQL that makes the types which the kinds need in an empty database.
const Types = `
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
