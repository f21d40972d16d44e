package postgres

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"twinrow/detect/source"
	"twinrow/detect/source/sourcetest/pgrandom"
)

// wide makes a table with a column of every kind and n random rows.
func wide(t testing.TB, url string, n int, seed uint64) []pgrandom.Kind {
	t.Helper()
	kinds := pgrandom.Kinds(major(t, url))
	columns, rows := wideRows(kinds, n, seed)
	run(t, url, pgrandom.Types+"CREATE TABLE wide (id serial PRIMARY KEY, "+columns+");"+rows)
	return kinds
}

// wideRows are the columns and the rows of such a table as SQL.
func wideRows(kinds []pgrandom.Kind, n int, seed uint64) (list, inserts string) {
	random := rand.New(rand.NewPCG(seed, 1))
	var columns, rows []string
	for _, k := range kinds {
		columns = append(columns, k.Name+" "+k.Type)
	}
	for i := range n {
		var fields []string
		for _, k := range kinds {
			if random.IntN(6) == 0 {
				fields = append(fields, "NULL")
			} else {
				fields = append(fields, k.Values[random.IntN(len(k.Values))])
			}
		}
		rows = append(rows, fmt.Sprintf("INSERT INTO wide VALUES (%d, %s)", i+1, strings.Join(fields, ", ")))
	}
	return strings.Join(columns, ", "), strings.Join(rows, ";")
}

func TestGroupsAreTheDatabasesOwnForEveryType(t *testing.T) {
	t.Parallel()
	url := serverDatabase(t)
	kinds := wide(t, url, 60, 7)
	s := open(t, url, Options{})
	for _, k := range kinds {
		for _, nullsEqual := range []bool{false, true} {
			table := compare(t, s, url, source.Request{Table: "wide", Key: []string{k.Name}, NullsEqual: nullsEqual})
			want := "group-by"
			if k.Hashed(s.server.number / 10000) {
				want = heapWay(s)
			}
			if got := s.Capabilities(table); got.Way != want || got.Reason == "" {
				t.Errorf("%s is read the way %q (%s), want %q", k.Name, got.Way, got.Reason, want)
			}
		}
	}
}

func TestGroupsOfCompositeKeysExpressionsAndPredicates(t *testing.T) {
	t.Parallel()
	url := serverDatabase(t)
	kinds := wide(t, url, 400, 11)
	s := open(t, url, Options{Jobs: 3})
	for i, req := range wideRequests(kinds, 60) {
		t.Run(fmt.Sprint(i), func(t *testing.T) { compareLoose(t, s, url, req) })
	}
}

// wideRequests are random keys with expressions and predicates.
func wideRequests(kinds []pgrandom.Kind, n int) []source.Request {
	random := rand.New(rand.NewPCG(3, 5))
	expressions := []string{"lower(text)", "whole % 2", "coalesce(varchar, 'none') -- to the end", "date_trunc('day', stampz)", "doc->'a'", "num + 0.00",
		"(num, text)", "text || varchar", "yes::text", "'fixed'", "(CASE WHEN yes THEN 1 END)", "raw", "arr[1]", "(wide.small)", "icu || 'x'"}
	predicates := []string{"", "yes", "whole > 0 OR small < 0", "text <> 'a)' -- comment", "stampz < 'infinity' /* ) */", "id IN (SELECT id FROM wide WHERE yes)"}
	var all []source.Request
	for i := range n {
		var parts []string
		for range 1 + random.IntN(3) {
			part := kinds[random.IntN(len(kinds))].Name
			if random.IntN(3) == 0 {
				part = expressions[random.IntN(len(expressions))]
			}
			if !strings.Contains(strings.Join(parts, "\x00")+"\x00", part+"\x00") {
				parts = append(parts, part)
			}
		}
		all = append(all, source.Request{Table: "wide", Key: parts, NullsEqual: i%2 == 0, Where: predicates[random.IntN(len(predicates))]})
	}
	return all
}
