package dialect

import (
	"errors"
	"fmt"
	"io/fs"
	"math/big"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"twinrow/queries"
	"twinrow/remediate/plan"
)

// migrationFiles writes a migration for each index. It reads the folder only to
// go on with its numbers.
func migrationFiles(opened *plan.Case, works []*plan.Work, t tool, dir string) ([]plan.File, error) {
	place := filepath.ToSlash(filepath.Join(plan.SQLDir, "migrations"))
	look := filepath.Join(opened.Dir, plan.SQLDir, "migrations")
	if dir != "" {
		abs, err := existingDir(dir)
		if err != nil {
			return nil, err
		}
		place, look = abs, abs
	}
	number, separator, err := nextNumber(opened, look, t)
	if err != nil {
		return nil, err
	}
	var files []plan.File
	for _, w := range works {
		if w.Index() == nil {
			continue
		}
		up, down := migrationSQL(w)
		for _, m := range t.files(number, separator, slug(w.Index().Name), up, down) {
			at := filepath.Join(place, m.name)
			if m.aside && (dir != "" || t.name == "wrangler") {
				at = filepath.Join(plan.SQLDir, m.name)
			}
			files = append(files, plan.File{Path: at, Content: []byte(m.content)})
		}
		number = plusOne(number)
	}
	return files, nil
}

func existingDir(dir string) (string, error) {
	abs, err := filepath.Abs(dir)
	if err == nil {
		var info fs.FileInfo
		if info, err = os.Stat(abs); err == nil && !info.IsDir() {
			err = errors.New("it is not a directory")
		}
	}
	if err != nil {
		return "", &plan.Problem{Code: plan.CodeNotFound, Message: "no migrations folder " + dir, Hint: "name the folder that holds the project's migrations", Err: err}
	}
	return abs, nil
}

// nextNumber goes on with the highest number of a folder, in its width. Files
// of the plan that this one replaces do not count.
func nextNumber(opened *plan.Case, dir string, t tool) (number, separator string, err error) {
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", "", &plan.Problem{Code: plan.CodePermission, Message: "reading the migrations folder", Hint: "look at the rights of the folder", Err: err}
	}
	former := map[string]bool{}
	if p, err := plan.Read(opened.Dir); err == nil {
		for _, f := range p.Files {
			former[filepath.Base(f.Path)] = true
		}
	}
	separator = "_"
	for _, e := range entries {
		m := t.numbered.FindStringSubmatch(e.Name())
		if m == nil || former[e.Name()] {
			continue
		}
		if number == "" || value(m[1]).Cmp(value(number)) >= 0 {
			number, separator = m[1], m[2]
		}
	}
	at := caseTime(opened)
	switch {
	case number == "" && t.first == "":
		return at, separator, nil
	case number == "":
		return t.first, separator, nil
	case len(number) == len(at) && number < at: // numbered by time
		return at, separator, nil
	default:
		return plusOne(number), separator, nil
	}
}

// caseTime is the time of the case as tools number by it: the same plan gets
// the same names each time it is made.
func caseTime(opened *plan.Case) string {
	at, err := time.Parse(time.RFC3339, opened.CreatedAt)
	if err != nil {
		at = time.Unix(0, 0)
	}
	return at.UTC().Format("20060102150405")
}

func value(digits string) *big.Int {
	n, _ := new(big.Int).SetString(digits, 10) // digits only, by the pattern
	return n
}

// plusOne adds one and keeps the width.
func plusOne(number string) string {
	next := new(big.Int).Add(value(number), big.NewInt(1)).String()
	return strings.Repeat("0", max(0, len(number)-len(next))) + next
}

var notSlug = regexp.MustCompile(`[^a-z0-9_]+`)

func slug(name string) string {
	return "unique_" + strings.Trim(notSlug.ReplaceAllString(strings.ToLower(name), "_"), "_")
}

// migrationSQL is the index alone, with its check for duplicates, and its way
// back. Where the index is there already it only checks that it is sound: an
// apply built it before.
func migrationSQL(w *plan.Work) (up, down string) {
	var s, back script
	s.b.WriteString("-- twinrow: " + oneLine("no two rows of "+w.Table.Table+" may have the same "+strings.Join(w.Key, ", ")) + "\n")
	if w.Engine != "postgres" {
		sq := NewSQLite(w, 1, scriptPlaces(w))
		sq.d1 = true // ordinary tables and no words of transactions: right for every client
		sq.require(&s, "there are still duplicates; clean them first", "NOT EXISTS ("+duplicateKeys(w, queries.Ident(w.Table.Table))+")")
		sq.require(&s, w.Index().Name+" exists with another definition", sq.indexIsOurs(true))
		s.add("CREATE UNIQUE INDEX IF NOT EXISTS " + sq.indexRest(""))
		back.add("DROP INDEX IF EXISTS " + queries.Ident(w.Index().Name))
		return s.String(), back.String()
	}
	p := NewPostgres(w, 1)
	s.b.WriteString("-- it is built plainly, in the tool's transaction, because the table is small: writers wait for it\n")
	s.do(append(append([]string{
		"DECLARE found pg_catalog.oid := pg_catalog.to_regclass(" + queries.Literal(p.IndexName()) + "); keys bigint;", "BEGIN",
		"  IF found IS NULL THEN",
		fmt.Sprintf("    SELECT count(*) INTO keys FROM (%s) AS d;", duplicateKeys(w, p.Target())),
		"    IF keys > 0 THEN", "      RAISE EXCEPTION '% keys still have several rows; clean them first', keys;", "    END IF;",
		"    EXECUTE " + queries.Literal(p.CreateIndex()) + ";", "    RETURN;", "  END IF;",
	}, raiseUnless("EXISTS (SELECT FROM pg_catalog.pg_index AS i WHERE i.indexrelid = found AND i.indrelid = "+queries.Literal(p.Target())+"::pg_catalog.regclass AND i.indisunique AND i.indisvalid AND "+sameParts(w)+")",
		w.Index().Name+" exists and is not a valid unique index on the key")...), "END")...)
	back.add("DROP INDEX IF EXISTS " + p.IndexName())
	return s.String(), back.String()
}

// sameParts holds where the index i has just the columns of the key, in their
// order, and a predicate where the key has one. Expressions are only counted:
// the server prints them in its own words.
func sameParts(w *plan.Work) string {
	var columns []string
	for _, part := range w.Index().Parts {
		name := queries.Literal(part.Text)
		if part.Expression {
			name = "NULL"
		}
		columns = append(columns, name)
	}
	predicate := "i.indpred IS NULL"
	if w.Index().Where != "" {
		predicate = "i.indpred IS NOT NULL"
	}
	return predicate + " AND ARRAY(SELECT a.attname::pg_catalog.text FROM pg_catalog.unnest(i.indkey) WITH ORDINALITY AS k (attnum, place)" +
		" LEFT JOIN pg_catalog.pg_attribute AS a ON a.attrelid = i.indrelid AND a.attnum = k.attnum AND k.attnum > 0" +
		" WHERE k.place <= i.indnkeyatts ORDER BY k.place) IS NOT DISTINCT FROM ARRAY[" + strings.Join(columns, ", ") + "]::pg_catalog.text[]"
}
